"""``cmkt phone-errors``: phones of enhanced speech against the clean one's."""

from functools import partial
from pathlib import Path

import click

from cmkt_plugin.option_groups import GroupedCommand, GroupedOption
from cmkt_plugin.verbs import progress, root_folders

FOLDER = click.Path(exists=True, file_okay=False)
FILE = click.Path(exists=True, dir_okay=False)
EPILOG = """\
\b
Examples:
  cmkt phone-errors --recognizer phones --noisy noisy clean enhanced -o errors
  cmkt phone-errors --recognizer phones --mixtures mixtures.csv \\
      --noisy noisy clean baseline/1 cmkt/1 -o errors
  cmkt phone-errors --recognizer judge.yaml --annotation save/test.json \\
      --data-root CORPUS --noisy noisy clean enhanced -o errors

The recogniser's own error rate on clean held-out speech stands beside every
figure: that of its training, or the one measured on --annotation.

A YAML names any recogniser with an interface of `cmkt transcribe` (it runs
what it names: trust it) and what its texts consist of, SpokenPhones or
WrittenCharacters:

\b
  recognizer: !apply:cmkt_plugin.phone_recognition.judge.open_recognizer
      interface: pipeline
      source: facebook/wav2vec2-lv-60-espeak-cv-ft
  symbols: !new:cmkt_plugin.phone_recognition.symbols.SpokenPhones
      g2p: !new:cmkt_plugin.g2p.EspeakPhones
          language: en-us

Exit status: 1 if a recording has no partner, does not fit it, or could not be
recognised: these are named, and the others count.
"""
option = partial(click.option, cls=GroupedOption)
data = partial(option, group="Recordings")
listener = partial(option, group="Recogniser")
result = partial(option, group="Result")


@click.command(cls=GroupedCommand, epilog=EPILOG)
@click.argument("clean", type=FOLDER)
@click.argument(
    "enhanced", metavar="ENHANCED...", nargs=-1, required=True, type=FOLDER
)
@data("--noisy", type=FOLDER, metavar="FOLDER", help="For comparison.")
@data(
    "--speaker",
    metavar="PATTERN",
    default=r"^[^-_]+",
    show_default="up to the first - or _",
    help="What in a name is the speaker, a regular expression.",
)
@data(
    "--mixtures",
    type=FILE,
    metavar="FILE",
    help="mixtures.csv or manifest: also by noise level and kind.",
)
@listener(
    "--recognizer",
    required=True,
    type=click.Path(exists=True),
    metavar="PATH",
    help="Folder of `cmkt train-phones`, or a YAML.",
)
@listener(
    "--annotation",
    type=FILE,
    metavar="FILE",
    help="Held-out clean speech to measure the recogniser's own errors on.",
)
@listener("--data-root", metavar="FOLDER", help="{data_root} in it.")
@listener(
    "--device",
    metavar="NAME",
    help="For a folder, such as cpu.  [default: a GPU if there is one]",
)
@result(
    "-o",
    "--output",
    metavar="NAME",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write NAME.md, NAME.json, NAME.csv (errors of every recording) and "
    "NAME_confusions_SYSTEM.csv.",
)
@click.pass_context
def command(
    ctx,
    clean,
    enhanced,
    noisy,
    speaker,
    mixtures,
    recognizer,
    annotation,
    data_root,
    device,
    output,
):
    """Count phone errors of ENHANCED folders against CLEAN recordings.

    What a recogniser hears in a clean recording is compared with what it hears
    in the recordings of the same name. Of several folders, the first is what
    the others are compared with.
    """
    from cmkt_plugin import provenance
    from cmkt_plugin.evaluation.evaluate import NOISY
    from cmkt_plugin.loading.short_names import short_names
    from cmkt_plugin.mixture_groups import read_groups
    from cmkt_plugin.output_folder import check_writable
    from cmkt_plugin.phone_recognition.evaluation import evaluate
    from cmkt_plugin.phone_recognition.judge import open_judge
    from cmkt_plugin.phone_recognition.table import markdown

    if output:
        check_writable(output.parent)
    made = provenance.record()
    groups = read_groups(mixtures)
    judge = open_judge(recognizer, device)
    if annotation:
        judge.measure(annotation, root_folders(data_root))
    systems = short_names(enhanced)
    bases = [next(iter(systems))]
    if noisy:
        systems, bases = {NOISY: noisy, **systems}, [NOISY, *bases]
    done = evaluate(judge, clean, systems, bases, speaker, groups)
    for fault in done.faults:
        progress(f"Error: {fault}")
    text = markdown(done.found, made)
    click.echo(text)
    if output:
        done.write(output, text, made)
    ctx.exit(1 if done.faults else 0)
