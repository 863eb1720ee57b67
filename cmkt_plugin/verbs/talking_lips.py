"""``cmkt talking-lips``: render a corpus of drawn faces that talk."""

from pathlib import Path

import click

SIZE = (click.IntRange(min=1), click.IntRange(min=1))


@click.command()
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--sentences",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Text file with a sentence in every line.",
)
@click.option(
    "--train",
    nargs=2,
    type=SIZE,
    default=(15, 40),
    show_default=True,
    metavar="SPEAKERS CLIPS",
    help="Speakers, and clips of each.",
)
@click.option(
    "--valid",
    nargs=2,
    type=SIZE,
    default=(2, 24),
    show_default=True,
    metavar="SPEAKERS CLIPS",
)
@click.option(
    "--test",
    nargs=2,
    type=SIZE,
    default=(6, 20),
    show_default=True,
    metavar="SPEAKERS CLIPS",
)
@click.option("--seed", default=0, show_default=True)
@click.option(
    "--jobs", type=click.IntRange(min=1), help="Processes; all cores if unset."
)
def command(out, sentences, train, valid, test, seed, jobs):
    """Render synthetic talkers to OUT: video with sound, phones, noise.

    No face, voice, sentence or noise is in two of train, valid and test. A
    stopped command goes on where it was.
    """
    from cmkt_plugin.lm_text import read_sentences
    from cmkt_plugin.talking_lips.corpus import render
    from cmkt_plugin.verbs import progress

    sizes = {"train": train, "valid": valid, "test": test}
    lines = read_sentences([sentences])
    done = render(out, lines, sizes, seed, jobs, progress)
    click.echo(f"{out}: {done['clips']} clips, {done['rendered']} rendered now")
