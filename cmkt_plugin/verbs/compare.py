"""``cmkt compare``: run a list of runs and print their table."""

from pathlib import Path

import click

from cmkt_plugin.verbs import progress


@click.command()
@click.argument("runs", type=click.Path(exists=True, dir_okay=False))
@click.argument("flags", nargs=-1, type=click.UNPROCESSED)
@click.option("--jobs", default=1, show_default=True, help="Runs at a time.")
@click.option("--output", type=Path, help="Write OUTPUT.md and OUTPUT.json.")
@click.option("--plot", type=Path, help="Draw the benefits: a .png or .svg.")
@click.option(
    "--mixtures",
    type=click.Path(exists=True, dir_okay=False),
    help="mixtures.csv or manifest: also by noise level and kind.",
)
@click.option("--baseline", help="Compare with this run, not the list's.")
@click.option("--table-only", is_flag=True, help="Run nothing.")
@click.pass_context
def command(
    ctx, runs, flags, jobs, output, plot, mixtures, baseline, table_only
):
    """Run what is missing of the list RUNS (YAML); print one table.

    FLAGS after -- go to every run, e.g. -- --data_folder D.
    """
    from cmkt_plugin import comparison, comparison_table, provenance
    from cmkt_plugin.comparison_plot import check_plot
    from cmkt_plugin.run_list import load_runs
    from cmkt_plugin.runner import Outcome, run_missing

    # Now: hours of runs later would be late.
    if plot:
        check_plot(plot)
    # Before the runs: the commit that is noted is the one that they saw.
    made = provenance.record()
    listed = load_runs(runs, flags)
    outcome = Outcome()
    if not table_only:
        outcome = run_missing(listed, jobs, report=progress)
    # Also where there is nothing to compare: then they are the reason.
    try:
        found = comparison.compare(
            listed.folders(), baseline or listed.baseline, mixtures
        )
        found["settings"] = listed.settings()
        name = output.name if output else Path(runs).stem
        text = comparison_table.markdown(found, name, made)
        _write(found, made, text, output, plot)
        click.echo(text)
    finally:
        _report_problems(outcome)
    ctx.exit(1 if found["missing"] else 0)


def _write(found, made, text, output, plot):
    """Writes what was asked for: the table, its figures, the plot."""
    from cmkt_plugin.comparison_plot import write_plot
    from cmkt_plugin.results_file import write_results

    if output:
        write_results(output, text, {"provenance": made, **found})
    if plot:
        write_plot(found, plot)


def _report_problems(outcome):
    """Shows which runs failed, with the end of their logs, or were locked."""
    for cell, tail in outcome.failed.items():
        progress(f"FAILED: {cell.run} seed {cell.seed}, {cell.log}\n{tail}")
    for cell in outcome.elsewhere:
        progress(f"run by another process: {cell.run} seed {cell.seed}")
