"""``cmkt lip-reading``: what the rendered lips alone tell of the phones."""

from pathlib import Path

import click

COUNT = click.IntRange(min=1)


@click.command()
@click.argument(
    "corpus", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option(
    "--lips",
    type=click.Path(file_okay=False, path_type=Path),
    help="Prepared lips; made where they are missing.  [default: CORPUS/lips]",
)
@click.option("--epochs", type=COUNT, default=20, show_default=True)
@click.option(
    "--batch-seconds",
    type=click.FloatRange(min=1),
    default=20.0,
    show_default=True,
)
@click.option("--lr", default=2e-3, show_default=True, help="At its peak.")
@click.option("--width", type=COUNT, default=128, show_default=True)
@click.option("--channels", type=COUNT, default=16, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--jobs", type=COUNT, help="Processes that prepare lips.")
@click.option(
    "-o", "--output", type=Path, help="Write OUTPUT.md and OUTPUT.json."
)
def command(corpus, lips, width, channels, output, **options):
    """Train a lip reader on CORPUS, of `cmkt talking-lips`, and test it.

    It names phone and viseme of every video frame, from the picture alone.
    Validation talkers choose the epoch, test talkers give the accuracy; beside
    it stand the most frequent phone, and that of the viseme truly shown.
    """
    from cmkt_plugin import provenance
    from cmkt_plugin.output_folder import check_writable
    from cmkt_plugin.results_file import write_results
    from cmkt_plugin.talking_lips.lip_reading import markdown, measure

    if output:
        check_writable(output.parent)
    made = provenance.record()
    sizes = {"width": width, "channels": channels}
    measured = measure(corpus, lips or corpus / "lips", sizes, **options)
    text = markdown(measured, made)
    if output:
        write_results(output, text, {"provenance": made, **measured})
    click.echo(text)
