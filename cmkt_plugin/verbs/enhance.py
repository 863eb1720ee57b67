"""``cmkt enhance``: enhance recordings with a trained model."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path

import click

from cmkt_plugin.clean_errors import in_one_line
from cmkt_plugin.option_groups import GroupedCommand, GroupedOption
from cmkt_plugin.verbs import progress

FAILED, NOTHING_DONE, INTERRUPTED = 1, 2, 130
EPILOG = """\
\b
Examples:
  cmkt enhance -m RUN noisy.wav -o enhanced.wav
  cmkt enhance -m RUN/export recordings/ -o enhanced/ --resume
  cmkt enhance -m user/name 'corpus/**/*.flac' -o out/ --jobs 4
  ffmpeg -i talk.mp4 -f wav - | cmkt enhance -m RUN - -o talk.wav

Every output has the rate, channels, format and length of its input, and
appears whole or not at all; a file OUT with another suffix gets its format.
What is in OUT already is replaced, unless
--resume is given.

Exit status: 0 if all is done; 1 if files failed (they are listed at the end)
or the disk is full; 2 if nothing was begun; 130 after Ctrl-C.
"""
option = partial(click.option, cls=GroupedOption)
model = partial(option, group="Model")
sound = partial(option, group="Sound")
work = partial(option, group="Work")
POSITIVE = click.FloatRange(min=0, min_open=True)


@click.command(cls=GroupedCommand, epilog=EPILOG)
@click.argument("inputs", metavar="IN...", nargs=-1, required=True)
@option(
    "-o",
    "--output",
    metavar="OUT",
    required=True,
    group="Output",
    help="A folder, which gets the tree of IN; for one recording also a file, "
    "or - for standard output.",
)
@model(
    "-m",
    "--model",
    metavar="MODEL",
    required=True,
    help="Output folder of a training, an export, or a name on the hub.",
)
@model(
    "--revision",
    metavar="NAME",
    help="Of a model on the hub: branch, tag or commit.",
)
@model("--savedir", metavar="FOLDER", help="Where a model of the hub is put.")
@model(
    "--trust",
    is_flag=True,
    help="Run whatever the model's YAML names. Without it, only known classes "
    "are built and nothing is unpickled.",
)
@sound(
    "--dry-wet",
    metavar="SHARE",
    type=click.FloatRange(0, 1),
    default=1.0,
    show_default=True,
    help="How much is enhanced: 0 gives the input, 1 the model's output.",
)
@sound(
    "--keep-high-band",
    is_flag=True,
    help="Keep what lies above the model's band as it is in the input.",
)
@sound(
    "--window",
    metavar="SECONDS",
    type=POSITIVE,
    help="What is enhanced at a time of a long recording.",
)
@sound(
    "--context",
    metavar="SECONDS",
    type=POSITIVE,
    help="What a window hears of its neighbours, on each side.",
)
@work(
    "--device",
    metavar="NAME",
    help="Such as cpu or cuda:1.  [default: a GPU if there is one]",
)
@work(
    "--jobs",
    metavar="N",
    type=click.IntRange(min=1),
    help="Files at a time.  [default: cores; 1 on a GPU]",
)
@work("--resume", is_flag=True, help="Leave out what is done already.")
@click.pass_context
def command(ctx, inputs, output, resume, jobs, **settings):
    """Enhance recordings IN: files, folders, quoted patterns ('in/**/*.wav'),
    or - for standard input. Progress and errors go to standard error.
    """
    from cmkt_plugin.enhancing import standard_streams, summary
    from cmkt_plugin.enhancing.enhance import enhance_files

    planned = standard_streams.plan_with_streams(inputs, output)
    try:
        with ExitStack() as streams:
            with in_one_line(NOTHING_DONE):
                plan = streams.enter_context(planned)
                into_folder = _check_output(output, plan.targets, resume)
                folder = output if into_folder else None
                model, sound, record = _prepare(folder, **settings)
                targets = _begin(record, plan.targets, resume)
            note = record.note if record else None
            outcome = enhance_files(model, targets, jobs, note, **sound)
    except KeyboardInterrupt:
        ctx.exit(INTERRUPTED)
    if standard_streams.STREAM in inputs:
        outcome.failed = summary.as_standard_input(outcome.failed)
    outcome.failed = {**plan.unreadable, **outcome.failed}
    for line in summary.summary(outcome, resumable=into_folder):
        progress(line)
    if outcome.interrupted:
        ctx.exit(INTERRUPTED)
    ctx.exit(FAILED if outcome.failed or outcome.stopped else 0)


def _check_output(output, targets, resume):
    """Says whether the output is a folder; refuses one that cannot be."""
    from cmkt_plugin.enhancing.standard_streams import STREAM
    from cmkt_plugin.output_folder import check_writable

    into_folder = output != STREAM and Path(output) not in targets.values()
    if resume and not into_folder:
        raise ValueError("--resume is for folders: OUT is a file. Leave it out")
    if output != STREAM:
        check_writable(output if into_folder else Path(output).parent)
    return into_folder


def _prepare(folder, window, context, **settings):
    """The model, what it does to sound, and the record of a folder."""
    from cmkt_plugin.enhancing.record import Record
    from cmkt_plugin.loading.model_hash import model_hash
    from cmkt_plugin.loading.model_source import open_model

    sound = {key: settings.pop(key) for key in ("dry_wet", "keep_high_band")}
    model = open_model(settings.pop("model"), **settings)
    model.windows = _windows(model.windows, window, context)
    if folder is None:
        return model, sound, None
    used = {
        "model": model_hash(model),
        "window": model.windows.window,
        "context": model.windows.context,
        **sound,
    }
    return model, sound, Record(folder, used)


def _begin(record, targets, resume):
    """Notes the settings in the folder; says which targets remain."""
    if not resume:
        if record:
            record.begin()
        return targets
    remaining = record.remaining(targets)
    progress(f"{len(targets) - len(remaining)} of {len(targets)} are done")
    return remaining


def _windows(given, window, context):
    """Windows as asked for, the rest as the model has it."""
    from cmkt_plugin.overlap_add import OverlapAdd

    context = context or given.context
    # A cross-fade needs the overlap of two contexts.
    fade = min(given.fade, 2 * context)
    return OverlapAdd(window or given.window, context, fade, given.batch)
