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
    import json

    from cmkt_plugin import provenance
    from cmkt_plugin.atomic import write_text
    from cmkt_plugin.inference_cost.window_error import concatenated, measure
    from cmkt_plugin.inference_cost.window_table import markdown

    made = provenance.record()
    parts = [float(part) for part in contexts.split(",")]
    recording = concatenated(noisy, clean, seconds)
    measured = {}
    for model in models:
        progress(model)
        measured[model] = measure(model, *recording, parts)
    text = markdown(measured, len(recording[0]) / 16000, made)
    if output:
        whole = json.dumps({"provenance": made, "models": measured}, indent=1)
        write_text(output.with_suffix(".json"), whole + "\n")
        write_text(output.with_suffix(".md"), text)
    click.echo(text)
