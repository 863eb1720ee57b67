"""``cmkt enhance-video``: enhance the speech of videos, reading lips."""

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
  cmkt enhance-video -m RUN talk.mp4 -o talk.wav
  cmkt enhance-video -m RUN talk.mp4 -o talk_enhanced.mp4
  cmkt enhance-video -m RUN/export clips/ -o enhanced/ --mux --jobs 2
  cmkt enhance-video -m RUN clips/ -o enhanced/ --steps 4 --seed 1

An output is the sound (.wav, .flac), or a video whose picture is copied bit
for bit; it appears whole or not at all. What is in OUT already is replaced,
unless --resume is given. Where no face is found, or there is no picture, the
sound alone is enhanced and a warning says so.

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
    help="A folder, which gets the tree of IN; for one video also a file.",
)
@option(
    "--mux",
    is_flag=True,
    group="Output",
    help="Write videos into the folder, not their sound as .wav.",
)
@option(
    "--offset",
    "offset_ms",
    metavar="MS",
    type=float,
    default=0.0,
    show_default=True,
    group="Lips",
    help="By how much the sound is late, as of `cmkt lips`.",
)
@options(MODEL, DRAW, SOUND, WORK)
@click.pass_context
def command(ctx, inputs, output, mux, resume, jobs, **settings):
    """Enhance the speech of videos IN: files, folders, quoted patterns
    ('in/**/*.mp4'). Sound files are enhanced without lips. Progress and
    errors go to standard error.
    """
    from cmkt_plugin.enhancing.enhance import enhance_files
    from cmkt_plugin.enhancing.preparation import remaining_targets
    from cmkt_plugin.enhancing.summary import summary
    from cmkt_plugin.visual.video_files import VideoFiles, plan_videos

    try:
        with in_one_line(NOTHING_DONE):
            plan = plan_videos(inputs, output, mux)
            into_folder = _check_output(output, plan.targets, resume)
            model, sound, record = _prepare(output, into_folder, mux, settings)
            targets = remaining_targets(record, plan.targets, resume, progress)
        note = record.note if record else None
        outcome = enhance_files(
            model, targets, jobs, note, VideoFiles(), **sound
        )
    except KeyboardInterrupt:
        ctx.exit(INTERRUPTED)
    outcome.failed = {**plan.unreadable, **outcome.failed}
    for line in summary(outcome, resumable=into_folder):
        progress(line)
    if outcome.interrupted:
        ctx.exit(INTERRUPTED)
    ctx.exit(FAILED if outcome.failed or outcome.stopped else 0)


def _check_output(output, targets, resume):
    """Says whether the output is a folder; refuses one that cannot be."""
    from cmkt_plugin.output_folder import check_writable

    into_folder = Path(output) not in targets.values()
    if resume and not into_folder:
        raise ValueError("--resume is for folders: OUT is a file. Leave it out")
    check_writable(output if into_folder else Path(output).parent)
    return into_folder


def _prepare(output, into_folder, mux, settings):
    """The model, what it does to sound, and the record of a folder."""
    from cmkt_plugin.enhancing.preparation import windows_as_asked
    from cmkt_plugin.enhancing.record import Record
    from cmkt_plugin.enhancing.sampling import set_sampling
    from cmkt_plugin.loading.model_hash import model_hash
    from cmkt_plugin.visual.inference import AudioVisualEnhancement

    window, context = settings.pop("window"), settings.pop("context")
    steps, seed = settings.pop("steps"), settings.pop("seed")
    keys = ("dry_wet", "keep_high_band", "offset_ms")
    sound = {key: settings.pop(key) for key in keys}
    model = AudioVisualEnhancement.open(settings.pop("model"), **settings)
    model.windows = windows_as_asked(model.windows, window, context)
    drawn = set_sampling(model.enhancer, steps, seed)
    if not into_folder:
        return model, sound, None
    used = {
        "model": model_hash(model),
        "window": model.windows.window,
        "context": model.windows.context,
        "mux": mux,
        **drawn,
        **sound,
    }
    return model, sound, Record(output, used)
