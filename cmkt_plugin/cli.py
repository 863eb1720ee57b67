"""The console entry point ``cmkt``."""

# What a verb needs is imported inside it: `cmkt --help` must not load torch.
from pathlib import Path

import click

from cmkt_plugin import __version__


class CleanErrors(click.Group):
    """Shows the package's own errors as one line, without a traceback."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except (ValueError, FileNotFoundError, FileExistsError) as error:
            raise click.ClickException(" ".join(str(error).split()))


@click.group(cls=CleanErrors)
@click.version_option(__version__)
def main():
    """Speech enhancement taught by a language model."""


@main.command()
@click.argument("runs", type=click.Path(exists=True, dir_okay=False))
@click.argument("flags", nargs=-1, type=click.UNPROCESSED)
@click.option("--jobs", default=1, show_default=True, help="Runs at a time.")
@click.option("--output", type=Path, help="Write OUTPUT.md and OUTPUT.json.")
@click.option(
    "--mixtures",
    type=click.Path(exists=True, dir_okay=False),
    help="The corpus' mixtures.csv: also by noise level and kind.",
)
@click.option("--baseline", help="Compare with this run, not the list's.")
@click.option("--table-only", is_flag=True, help="Run nothing.")
@click.pass_context
def compare(ctx, runs, flags, jobs, output, mixtures, baseline, table_only):
    """Run what is missing of the list RUNS (YAML); print one table.

    FLAGS after -- go to every run, e.g. -- --data_folder D.
    """
    import json

    from cmkt_plugin import comparison, comparison_table, provenance
    from cmkt_plugin.atomic import write_text
    from cmkt_plugin.run_list import load_runs
    from cmkt_plugin.runner import Outcome, run_missing

    # Before the runs: the commit that is noted is the one that they saw.
    made = provenance.record()
    listed = load_runs(runs, flags)
    outcome = Outcome()
    if not table_only:
        outcome = run_missing(listed, jobs, report=_progress)
    # Also where there is nothing to compare: then they are the reason.
    try:
        found = comparison.compare(
            listed.folders(), baseline or listed.baseline, mixtures
        )
        found["settings"] = listed.settings()
        name = output.name if output else Path(runs).stem
        text = comparison_table.markdown(found, name, made)
        if output:
            whole = json.dumps({"provenance": made, **found}, indent=1)
            write_text(output.with_name(name + ".json"), whole + "\n")
            write_text(output.with_name(name + ".md"), text)
        click.echo(text)
    finally:
        _report_problems(outcome)
    ctx.exit(1 if found["missing"] else 0)


def _report_problems(outcome):
    """Shows which runs failed, with the end of their logs, or were locked."""
    for cell, tail in outcome.failed.items():
        _progress(f"FAILED: {cell.run} seed {cell.seed}, {cell.log}\n{tail}")
    for cell in outcome.elsewhere:
        _progress(f"run by another process: {cell.run} seed {cell.seed}")


@main.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False))
@click.argument("out", type=click.Path())
def export(run, out):
    """Make a folder OUT that SpeechBrain loads from a finished RUN."""
    from cmkt_plugin.export import export

    export(run, out)
    click.echo(out)


@main.command()
@click.argument("model", type=click.Path(exists=True, file_okay=False))
@click.argument("inputs", nargs=-1, required=True, type=click.Path())
@click.option("-o", "--output", required=True, type=Path, help="A folder.")
@click.pass_context
def enhance(ctx, model, inputs, output):
    """Enhance audio files or folders INPUTS with an exported MODEL."""
    from cmkt_plugin.enhance import enhance_files

    failed = enhance_files(model, inputs, output, report=click.echo)
    for path, reason in failed.items():
        _progress(f"Error: {path}: {reason}")
    ctx.exit(1 if failed else 0)


@main.command()
@click.argument("baseline", type=click.Path(exists=True, file_okay=False))
@click.argument("cmkt", type=click.Path(exists=True, file_okay=False))
@click.option("--steps", default=50, show_default=True, help="Of each run.")
@click.option("--device", default="cpu", show_default=True)
@click.option("--precision", default="fp32", show_default=True)
@click.option("--output", type=Path, help="Write OUTPUT.md and OUTPUT.json.")
def step_time(baseline, cmkt, steps, device, precision, output):
    """Training cost of the transfer, from finished runs BASELINE and CMKT.

    Runs in the recipe's folder, where their relative paths hold.
    """
    import json

    from cmkt_plugin import provenance
    from cmkt_plugin.atomic import write_text
    from cmkt_plugin.step_time import markdown, measure

    made = provenance.record()
    run_opts = {"device": device, "precision": precision}
    measured = measure(baseline, cmkt, steps, run_opts)
    text = markdown(measured, made)
    if output:
        whole = json.dumps({"provenance": made, **measured}, indent=1)
        write_text(output.with_suffix(".json"), whole + "\n")
        write_text(output.with_suffix(".md"), text)
    click.echo(text)


def _progress(line):
    click.echo(line, err=True)
