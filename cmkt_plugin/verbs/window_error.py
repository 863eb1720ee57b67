"""``cmkt window-error``: what enhancing in windows changes."""

from pathlib import Path

import click

from cmkt_plugin.number_list import NumberList
from cmkt_plugin.verbs import progress


@click.command()
@click.argument("models", nargs=-1, required=True)
@click.option("--noisy", required=True, type=click.Path(exists=True))
@click.option("--clean", required=True, type=click.Path(exists=True))
@click.option("--seconds", default=120.0, show_default=True)
@click.option(
    "--contexts", default="0.5,1,2", show_default=True, type=NumberList()
)
@click.option("--output", type=Path, help="Write OUTPUT.md and OUTPUT.json.")
def command(models, noisy, clean, seconds, contexts, output):
    """Compare windows of several contexts with one pass.

    MODELS are runs, exports or names on the hub; --noisy and --clean folders
    with recordings of the same names, which are joined to one long recording.
    """

    from cmkt_plugin import provenance
    from cmkt_plugin.inference_cost.long_recording import join_recordings
    from cmkt_plugin.inference_cost.window_error import measure
    from cmkt_plugin.inference_cost.window_table import markdown
    from cmkt_plugin.loading.short_names import short_names
    from cmkt_plugin.results_file import write_results

    made = provenance.record()
    rate, recording = join_recordings([noisy, clean], seconds)
    measured = {}
    for name, model in short_names(models).items():
        progress(name)
        measured[name] = measure(model, *recording, rate, contexts)
    text = markdown(measured, len(recording[0]) / rate, made)
    if output:
        write_results(output, text, {"provenance": made, "models": measured})
    click.echo(text)
