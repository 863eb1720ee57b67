"""``cmkt report``: one page to look at runs and listen to them."""

from pathlib import Path

import click

from cmkt_plugin.verbs import progress, refuse_beside


@click.command()
@click.argument("runs", nargs=-1, required=True, type=Path)
@click.option(
    "-o",
    "--output",
    default="report.html",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The page to write.",
)
@click.option(
    "--mixtures",
    type=click.Path(exists=True, dir_okay=False),
    help="mixtures.csv or manifest: also by noise level and kind.",
)
@click.option(
    "--utterances",
    default=3,
    show_default=True,
    type=click.IntRange(min=0),
    help="Utterances to show: worst, median and best gain and between.",
)
@click.option("--ids", help="Show these utterances: id,id,...")
@click.option(
    "--data-folder",
    type=click.Path(exists=True, file_okay=False),
    help="The corpus, if it has moved since the runs were made.",
)
@click.option(
    "--baseline",
    help="Run to compare with, name or folder; else 'baseline' or the first.",
)
@click.pass_context
def command(
    ctx, runs, output, mixtures, utterances, ids, data_folder, baseline
):
    """Write one HTML page about RUNS: scores, curves, sound, attention.

    RUNS are output folders of train.py, finished or not, or folders that hold
    one for each seed. The page needs nothing beside it: no network, no script.
    The attention maps act upon the runs' own hyperparams.yaml, whatever it
    names: give runs of your own.
    """
    from cmkt_plugin.report.page import write_report

    if ids:
        refuse_beside(ctx, "ids", "utterances")
    write_report(
        runs,
        output,
        mixtures=mixtures,
        utterances=utterances,
        ids=[name.strip() for name in (ids or "").split(",") if name.strip()],
        data_folder=data_folder,
        baseline=baseline,
        say=progress,
    )
    click.echo(output)
