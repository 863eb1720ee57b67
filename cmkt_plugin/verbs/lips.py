"""``cmkt lips``: the lips and the sound of videos, ready for training."""

from pathlib import Path

import click

from cmkt_plugin.verbs import progress


@click.command()
@click.argument("videos", metavar="VIDEO_OR_FOLDER...", nargs=-1, required=True)
@click.option("-o", "--output", type=Path, required=True, help="A folder.")
@click.option(
    "--offset",
    metavar="MS|auto",
    default="0",
    show_default=True,
    help="By how much the sound is late; auto detects it clip by clip.",
)
@click.option(
    "--tolerance",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=0.5,
    show_default=True,
    help="By how much picture and sound may differ in length.",
)
@click.option(
    "--smallest-face",
    metavar="SHARE",
    type=click.FloatRange(0, 1),
    default=0.2,
    show_default=True,
    help="Of the picture's shorter side.",
)
@click.option(
    "--contact-sheet", type=Path, metavar="PNG", help="Show the crops."
)
@click.option("--jobs", type=click.IntRange(min=1), help="Clips at a time.")
@click.pass_context
def command(ctx, videos, output, contact_sheet, jobs, smallest_face, **options):
    """Write FOLDER/ID.wav (16 kHz) and FOLDER/ID.lips.npz (mouths, 96x96
    grey, 25 frames/s) of each video.

    The ID is the file's name; in a folder given, its path there with _ for /.
    What is done already is not done again. Exit status: 1 if clips had to be
    left out; they are listed.
    """
    from cmkt_plugin.visual.clip_names import name_clips
    from cmkt_plugin.visual.contact_sheet import write_contact_sheets
    from cmkt_plugin.visual.face_detector import CascadeDetector
    from cmkt_plugin.visual.prepare import prepare_clips
    from cmkt_plugin.visual.prepare_clip import paths_of
    from cmkt_plugin.visual.prepared_clip import read_lips

    clips = name_clips(videos)
    options["detector"] = CascadeDetector(smallest=smallest_face)
    facts = prepare_clips(clips, output, jobs, **options)
    usable = [name for name, found in facts.items() if not found["fault"]]
    if contact_sheet:
        crops = (
            (name, *read_lips(paths_of(output, name)[1])) for name in usable
        )
        for sheet in write_contact_sheets(contact_sheet, crops):
            progress(f"contact sheet: {sheet}")
    for name, found in facts.items():
        click.echo(_line(name, found))
    ctx.exit(0 if len(usable) == len(facts) else 1)


def _line(name, facts):
    """What came of a clip."""
    if facts["fault"]:
        return f"{name}: left out: {facts['fault']}: {facts['detail']}"
    unusual = [
        f"{facts['frame_rate']:g} frames/s"
        + (", variable" if facts["variable_frame_rate"] else ""),
    ]
    if facts["correlation"] is not None:
        unusual.append(
            f"offset {facts['offset_ms']:g} ms "
            f"(correlation {facts['correlation']:.2f})"
        )
    if facts["damaged_frames"]:
        unusual.append(f"{facts['damaged_frames']} frames damaged")
    return (
        f"{name}: {facts['seconds']:.2f} s, a face in "
        f"{facts['frames_with_face']} of {facts['frames']} frames; "
        + "; ".join(unusual)
    )
