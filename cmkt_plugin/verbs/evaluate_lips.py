"""``cmkt evaluate-lips``: what is the picture worth to finished runs?"""

from functools import partial
from pathlib import Path

import click

from cmkt_plugin.option_groups import GroupedCommand, GroupedOption
from cmkt_plugin.verbs import progress

EPILOG = """\
\b
Examples:
  cmkt evaluate-lips results/audio_visual/1234 -o lips
  cmkt evaluate-lips results/*/1 results/*/2 -o lips --drop 0.5 --drop 0.9

The test set of each run is enhanced with the clip's own lips, with the lips of
another clip, without video, and with a part of the frames lost. PESQ-WB, ESTOI
and SI-SDR, with paired bootstrap intervals, and the same by noise and SNR.
Runs whose folders differ in the last part only are the seeds of one model.

Exit status: 1 if clips could not be enhanced; they are named.
"""
option = partial(click.option, cls=GroupedOption)
data = partial(option, group="Clips")
model = partial(option, group="Models")
result = partial(option, group="Result")


@click.command(cls=GroupedCommand, epilog=EPILOG)
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@data(
    "--data-folder",
    metavar="FOLDER",
    help="Where the prepared corpus is now.  [default: where it was]",
)
@data(
    "--drop",
    "fractions",
    metavar="PART",
    type=click.FloatRange(0, 1),
    multiple=True,
    default=(0.5,),
    show_default=True,
    help="Of the frames, that is lost; may be given several times.",
)
@data(
    "--seed",
    metavar="S",
    type=int,
    default=0,
    show_default=True,
    help="Of which frames, and of whose lips another clip gets.",
)
@data(
    "--items",
    "count",
    metavar="N",
    type=click.IntRange(min=2),
    help="Clips, spread over the lengths.  [default: all]",
)
@model("--trust", is_flag=True, help="Run whatever a model's YAML names.")
@model(
    "--device",
    metavar="NAME",
    help="Such as cpu or cuda:1.  [default: a GPU if there is one]",
)
@model(
    "--steps",
    metavar="N",
    type=click.IntRange(min=1),
    help="Of a diffusion model's sampler.  [default: the model's]",
)
@result(
    "-o",
    "--output",
    metavar="NAME",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write NAME.md, NAME.json and NAME.csv (every clip).",
)
@result(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Processes that score.  [default: cores, 16 at most]",
)
@click.pass_context
def command(ctx, runs, fractions, seed, output, **options):
    """Enhance the test clips of RUNs with their lips, and without.

    A RUN is the output folder of a finished training with lips.
    """
    from cmkt_plugin import provenance
    from cmkt_plugin.output_folder import check_writable
    from cmkt_plugin.visual import lip_evaluation, lip_evaluation_table

    check_writable(output.parent)
    made = provenance.record()
    controls = lip_evaluation.lip_controls(fractions, seed)
    done = {
        name: {
            run.name: lip_evaluation.evaluate_lips(run, controls, **options)
            for run in seeds
        }
        for name, seeds in _by_model(runs).items()
    }
    found = {n: lip_evaluation_table.describe(e) for n, e in done.items()}
    text = lip_evaluation_table.markdown(output.name, found, made)
    click.echo(text)
    _write(output, text, found, done, made)
    failed = [
        why for model in found.values() for why in model["failed"].items()
    ]
    for clip, why in failed:
        progress(f"Error: {clip}: {why}")
    ctx.exit(1 if failed else 0)


def _by_model(runs):
    """Runs by the folder that holds them, whose name is the model's."""
    from cmkt_plugin.loading.short_names import short_names

    paths = {Path(run).resolve() for run in runs}
    paths = sorted(paths, key=lambda path: (path.parent, path.name))
    models = {}
    for path in paths:
        models.setdefault(path.parent, []).append(path)
    names = short_names(map(str, models))
    return {
        name.rpartition("/")[2] if len(models) == 1 else name: models[Path(s)]
        for name, s in names.items()
    }


def _write(output, text, found, done, made):
    """The tables, and the scores of every clip."""
    from cmkt_plugin.results_file import write_results
    from cmkt_plugin.score_table import write_csv

    rows = [
        {**row, "model": model, "seed": seed, "seen": name}
        for model, seeds in done.items()
        for seed, evaluation in seeds.items()
        for name, given in evaluation.rows.items()
        for row in given
    ]
    write_csv(rows, output.with_name(f"{output.name}.csv"))
    write_results(output, text, {"provenance": made, "models": found})
