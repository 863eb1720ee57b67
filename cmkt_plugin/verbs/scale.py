"""``cmkt scale``: time and memory of a large corpus."""

from pathlib import Path

import click

from cmkt_plugin.verbs import progress


@click.command()
@click.option("--entries", default=280_000, show_default=True)
@click.option("--sentences", default=100_000, show_default=True)
@click.option(
    "--last-layer",
    default=2000,
    show_default=True,
    help="Sentences that are embedded with the last layer too.",
)
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False),
    help="For about 3 GB that are removed at the end.",
)
@click.option("--output", type=Path, help="Write OUTPUT.md and OUTPUT.json.")
def command(entries, sentences, last_layer, folder, output):
    """Measure a manifest, the embedding cache and the first batch.

    The corpora are generated: none has to be at hand.
    """
    from tempfile import TemporaryDirectory

    from cmkt_plugin import provenance
    from cmkt_plugin.results_file import write_results
    from cmkt_plugin.scale.measurements import measure
    from cmkt_plugin.scale.table import markdown

    made = provenance.record()
    with TemporaryDirectory(dir=folder) as temporary:
        measured = measure(entries, sentences, last_layer, temporary, progress)
    text = markdown(measured, made)
    if output:
        write_results(output, text, {"provenance": made, **measured})
    click.echo(text)
