"""``cmkt step-time``: what the transfer costs in training."""

from pathlib import Path

import click


@click.command()
@click.argument("baseline", type=click.Path(exists=True, file_okay=False))
@click.argument("cmkt", type=click.Path(exists=True, file_okay=False))
@click.option("--steps", default=50, show_default=True, help="Of each run.")
@click.option("--device", default="cpu", show_default=True)
@click.option("--precision", default="fp32", show_default=True)
@click.option("--output", type=Path, help="Write OUTPUT.md and OUTPUT.json.")
def command(baseline, cmkt, steps, device, precision, output):
    """Training cost of the transfer, from finished runs BASELINE and CMKT.

    Runs in the recipe's folder, where their relative paths hold.
    """

    from cmkt_plugin import provenance
    from cmkt_plugin.results_file import write_results
    from cmkt_plugin.step_time import markdown, measure

    made = provenance.record()
    run_opts = {"device": device, "precision": precision}
    measured = measure(baseline, cmkt, steps, run_opts)
    text = markdown(measured, made)
    if output:
        write_results(output, text, {"provenance": made, **measured})
    click.echo(text)
