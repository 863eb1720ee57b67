"""``cmkt real-time``: streams and ONNX, the same samples and how fast."""

from pathlib import Path

import click

from cmkt_plugin.verbs import progress


@click.command()
@click.argument("models", nargs=-1, required=True)
@click.option("--noisy", required=True, type=click.Path(exists=True))
@click.option("--seconds", default=60.0, show_default=True)
@click.option("--output", type=Path, help="Write OUTPUT.md and OUTPUT.json.")
def command(models, noisy, seconds, output):
    """Measure MODELS on a stream and as ONNX.

    --noisy is a folder with recordings at the models' rate, which are joined
    to one long recording. OMP_NUM_THREADS=1 measures streams on one thread.
    """
    from cmkt_plugin import provenance
    from cmkt_plugin.inference_cost.long_recording import join_recordings
    from cmkt_plugin.inference_cost.real_time import measure
    from cmkt_plugin.inference_cost.real_time_table import markdown
    from cmkt_plugin.loading.short_names import short_names
    from cmkt_plugin.results_file import write_results

    made = provenance.record()
    rate, (recording,) = join_recordings([noisy], seconds)
    measured = {}
    for name, model in short_names(models).items():
        progress(name)
        measured[name] = measure(model, recording, rate)
    text = markdown(measured, len(recording) / rate, made)
    if output:
        write_results(output, text, {"provenance": made, "models": measured})
    click.echo(text)
