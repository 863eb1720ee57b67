"""``cmkt enhance``: enhance recordings with a trained model."""

from contextlib import ExitStack
from pathlib import Path

import click

from cmkt_plugin.clean_errors import in_one_line
from cmkt_plugin.enhancing.options import (
    DRAW,
    MODEL,
    SOUND,
    WORK,
    option,
    options,
)
from cmkt_plugin.option_groups import GroupedCommand
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
@options(MODEL, DRAW, SOUND, WORK)
@click.pass_context
def command(ctx, inputs, output, resume, jobs, **settings):
    """Enhance recordings IN: files, folders, quoted patterns ('in/**/*.wav'),
    or - for standard input. Progress and errors go to standard error.
    """
    from cmkt_plugin.enhancing import standard_streams, summary
    from cmkt_plugin.enhancing.enhance import enhance_files
    from cmkt_plugin.enhancing.preparation import remaining_targets

    planned = standard_streams.plan_with_streams(inputs, output)
    try:
        with ExitStack() as streams:
            with in_one_line(NOTHING_DONE):
                plan = streams.enter_context(planned)
                into_folder = _check_output(output, plan.targets, resume)
                folder = output if into_folder else None
                model, sound, record = _prepare(folder, **settings)
                targets = remaining_targets(
                    record, plan.targets, resume, progress
                )
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


def _prepare(folder, window, context, steps, seed, **settings):
    """The model, what it does to sound, and the record of a folder."""
    from cmkt_plugin.enhancing.preparation import windows_as_asked
    from cmkt_plugin.enhancing.record import Record
    from cmkt_plugin.enhancing.sampling import set_sampling
    from cmkt_plugin.loading.model_hash import model_hash
    from cmkt_plugin.loading.model_source import open_model

    sound = {key: settings.pop(key) for key in ("dry_wet", "keep_high_band")}
    model = open_model(settings.pop("model"), **settings)
    model.windows = windows_as_asked(model.windows, window, context)
    drawn = set_sampling(model.enhancer, steps, seed)
    if folder is None:
        return model, sound, None
    used = {
        "model": model_hash(model),
        "window": model.windows.window,
        "context": model.windows.context,
        **drawn,
        **sound,
    }
    return model, sound, Record(folder, used)
