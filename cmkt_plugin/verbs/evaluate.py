"""``cmkt evaluate``: scores of models on noisy and clean recordings."""

from functools import partial
from pathlib import Path

import click

from cmkt_plugin.option_groups import GroupedCommand, GroupedOption
from cmkt_plugin.verbs import progress

FOLDER = click.Path(exists=True, file_okay=False)
EPILOG = """\
\b
Examples:
  cmkt evaluate RUN --noisy test/noisy --clean test/clean
  cmkt evaluate RUN_A RUN_B --noisy n --clean c --mixtures mixtures.csv
  cmkt evaluate user/name --noisy n --clean c -o scores/name.csv

PESQ-WB, STOI, ESTOI, SI-SDR, CSIG, CBAK and COVL, with paired bootstrap
intervals over speakers. Recordings above 30 s have no PESQ; silent ones have
no score; both have a note. Of several models, the first is what the others
are compared with.

Exit status: 1 if a recording has no partner, does not fit it, or could not be
enhanced: these are named, and the others count.
"""
option = partial(click.option, cls=GroupedOption)
data = partial(option, group="Recordings")
model = partial(option, group="Models")
result = partial(option, group="Result")


@click.command(cls=GroupedCommand, epilog=EPILOG)
@click.argument("models", metavar="MODEL...", nargs=-1, required=True)
@data("--noisy", required=True, type=FOLDER, metavar="FOLDER")
@data(
    "--clean",
    required=True,
    type=FOLDER,
    metavar="FOLDER",
    help="With the same names as in --noisy.",
)
@data(
    "--speaker",
    metavar="PATTERN",
    default=r"^[^-_]+",
    show_default="up to the first - or _",
    help="What in a name is the speaker, a regular expression.",
)
@data(
    "--mixtures",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="mixtures.csv or manifest: also by noise level and kind.",
)
@model("--revision", metavar="NAME", help="On the hub: branch, tag or commit.")
@model("--savedir", metavar="FOLDER", help="Where models of the hub are put.")
@model("--trust", is_flag=True, help="Run whatever a model's YAML names.")
@model(
    "--device",
    metavar="NAME",
    help="Such as cpu or cuda:1.  [default: a GPU if there is one]",
)
@result(
    "-o",
    "--output",
    metavar="FILE.csv",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Scores of every utterance; beside it FILE_noisy.csv, and the tables "
    "as FILE.md and FILE.json.",
)
@result(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Processes that score.  [default: cores, 16 at most]",
)
@click.pass_context
def command(
    ctx, models, noisy, clean, speaker, mixtures, output, jobs, **loading
):
    """Score MODELs on noisy recordings, beside the noisy recordings.

    A MODEL is the output folder of a training, an export, or a name on the
    hub.
    """
    from cmkt_plugin import provenance
    from cmkt_plugin.evaluation import (
        evaluate as evaluation,
        table as evaluation_table,
    )
    from cmkt_plugin.loading.model_hash import model_hash
    from cmkt_plugin.loading.model_source import open_model
    from cmkt_plugin.loading.short_names import short_names
    from cmkt_plugin.mixture_groups import read_groups
    from cmkt_plugin.output_folder import check_writable

    if output and output.suffix != ".csv":
        raise ValueError(f"{output}: expected a name that ends in .csv")
    if output:
        check_writable(output.parent)
    made = provenance.record()
    groups = read_groups(mixtures)
    opened = {
        name: open_model(source, **loading)
        for name, source in short_names(models).items()
    }
    done = evaluation.evaluate(opened, noisy, clean, speaker, groups, jobs)
    for fault in done.faults:
        progress(f"Error: {fault}")
    runs = {
        name: evaluation.as_run(rows, done.metrics)
        for name, rows in done.rows.items()
    }
    found = evaluation_table.describe(runs, groups)
    found["models"] = {name: model_hash(m) for name, m in opened.items()}
    text = evaluation_table.markdown(found, made)
    click.echo(text)
    if output:
        _write(output, done, found, made, text)
    ctx.exit(1 if done.faults else 0)


def _write(output, done, found, made, text):
    """The scores of every utterance, and the tables."""
    from cmkt_plugin.evaluation.evaluate import NOISY
    from cmkt_plugin.provenance import without_paths
    from cmkt_plugin.results_file import write_results
    from cmkt_plugin.score_table import write_csv

    rows = dict(done.rows)
    noisy = output.with_name(f"{output.stem}_noisy.csv")
    write_csv(rows.pop(NOISY), noisy)
    if len(rows) > 1:
        rows = {
            name: [{**row, "model": name} for row in given]
            for name, given in rows.items()
        }
    write_csv([row for given in rows.values() for row in given], output)
    # Meant to be published: no path of this machine.
    faults = [" ".join(map(without_paths, f.split())) for f in done.faults]
    whole = {"provenance": made, "faults": faults, **found}
    write_results(output.with_suffix(""), f"# {output.stem}\n\n{text}", whole)
