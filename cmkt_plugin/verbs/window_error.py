"""``cmkt window-error``: what enhancing in windows changes."""

from pathlib import Path

import click

from cmkt_plugin.verbs import progress


@click.command()
@click.argument("models", nargs=-1, required=True)
@click.option("--noisy", required=True, type=click.Path(exists=True))
@click.option("--clean", required=True, type=click.Path(exists=True))
@click.option("--seconds", default=120.0, show_default=True)
@click.option("--contexts", default="0.5,1,2", show_default=True)
@click.option("--output", type=Path, help="Write OUTPUT.md and OUTPUT.json.")
def command(models, noisy, clean, seconds, contexts, output):
    """Compare windows of several contexts with one pass.

    MODELS are runs, exports or names on the hub; --noisy and --clean folders
    with recordings of the same names, which are joined to one long recording.
    """

    from cmkt_plugin import provenance
    from cmkt_plugin.inference_cost.long_recording import join_recordings
    from cmkt_plugin.inference_cost.results_file import write_results
    from cmkt_plugin.inference_cost.window_error import measure
    from cmkt_plugin.inference_cost.window_table import markdown

    made = provenance.record()
    parts = [float(part) for part in contexts.split(",")]
    recording = join_recordings([noisy, clean], seconds)
    measured = {}
    for model in models:
        progress(model)
        measured[model] = measure(model, *recording, parts)
    text = markdown(measured, len(recording[0]) / 16000, made)
    if output:
        write_results(output, text, {"provenance": made, "models": measured})
    click.echo(text)
