"""``cmkt enhance``: enhance recordings with a trained model."""

from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click

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
    from cmkt_plugin.enhancing.standard_streams import plan_with_streams

    try:
        with _exit_status(NOTHING_DONE):
            streams = plan_with_streams(inputs, output)
            with streams as targets:
                outcome = _enhance(targets, output, resume, jobs, **settings)
    except KeyboardInterrupt:
        ctx.exit(INTERRUPTED)
    _report(outcome)
    if outcome.interrupted:
        ctx.exit(INTERRUPTED)
    ctx.exit(FAILED if outcome.failed or outcome.stopped else 0)


@contextmanager
def _exit_status(status):
    """Errors in one line, as cmkt shows them, with another exit status."""
    try:
        yield
    except (ValueError, FileNotFoundError, FileExistsError) as error:
        shown = click.ClickException(" ".join(str(error).split()))
        shown.exit_code = status
        raise shown


def _enhance(targets, output, resume, jobs, window, context, **settings):
    from cmkt_plugin.enhancing import record as enhancement_record
    from cmkt_plugin.enhancing.enhance import enhance_files
    from cmkt_plugin.enhancing.standard_streams import STREAM
    from cmkt_plugin.loading.model_hash import model_hash
    from cmkt_plugin.loading.model_source import open_model

    into_folder = output != STREAM and Path(output) not in targets.values()
    if resume and not into_folder:
        raise ValueError("--resume is for folders: OUT is a file. Leave it out")
    sound = {key: settings.pop(key) for key in ("dry_wet", "keep_high_band")}
    model = open_model(settings.pop("model"), **settings)
    model.windows = _windows(model.windows, window, context)
    used = {
        "model": model_hash(model),
        "window": model.windows.window,
        "context": model.windows.context,
        **sound,
    }
    if resume:
        all_of_them = len(targets)
        targets = enhancement_record.remaining(output, used, targets)
        progress(f"{all_of_them - len(targets)} of {all_of_them} are done")
    elif into_folder:
        enhancement_record.begin(output, used)
    return enhance_files(model, targets, jobs, **sound)


def _windows(given, window, context):
    """Windows as asked for, the rest as the model has it."""
    from cmkt_plugin.overlap_add import OverlapAdd

    context = context or given.context
    # A cross-fade needs the overlap of two contexts.
    fade = min(given.fade, 2 * context)
    return OverlapAdd(window or given.window, context, fade, given.batch)


def _report(outcome):
    """What failed, why it ended early, and the sum of it."""
    from cmkt_plugin.enhancing.progress import clock

    for source, reason in outcome.failed.items():
        progress(f"Error: {source}: {reason}")
    if outcome.stopped:
        progress(f"Stopped: {outcome.stopped}; --resume goes on with the rest")
    number, seconds = len(outcome.finished), sum(outcome.finished.values())
    progress(
        f"{number} file{'s' * (number != 1)}, {clock(seconds)} of audio in "
        f"{clock(outcome.wall)} ({seconds / max(outcome.wall, 1e-9):.1f} x "
        f"real time), {len(outcome.failed)} failed"
    )
