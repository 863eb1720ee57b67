"""``cmkt inference-cost``: time and memory of enhancing recordings."""

from pathlib import Path

import click

from cmkt_plugin.number_list import NumberList
from cmkt_plugin.verbs import progress


@click.command()
@click.argument("export", type=click.Path(exists=True, file_okay=False))
@click.option(
    "--lengths",
    default="10,60,300,3600",
    show_default=True,
    type=NumberList(),
    help="Seconds of audio.",
)
@click.option("--threads", default=2, show_default=True)
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False),
    help="For the recordings, removed at the end.",
)
@click.option("--output", type=Path, help="Write OUTPUT.md and OUTPUT.json.")
def command(export, lengths, threads, folder, output):
    """Compare EXPORT in windows with SpeechBrain's own interface.

    The recordings are generated. EXPORT must be a spectral mask, and one that
    SpeechBrain loads.
    """
    from tempfile import TemporaryDirectory

    from cmkt_plugin import provenance
    from cmkt_plugin.inference_cost.measurements import measure
    from cmkt_plugin.inference_cost.table import markdown
    from cmkt_plugin.loading.model_source import open_model
    from cmkt_plugin.results_file import write_results

    made = provenance.record()
    parameters = open_model(export, device="cpu").parameters()
    measured = {"parameters": sum(p.numel() for p in parameters)}
    with TemporaryDirectory(dir=folder) as temporary:
        measured |= measure(export, lengths, threads, temporary, progress)
    text = markdown(measured, made)
    if output:
        write_results(output, text, {"provenance": made, **measured})
    click.echo(text)
