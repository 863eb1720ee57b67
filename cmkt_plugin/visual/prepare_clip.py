"""Prepares one clip."""

from pathlib import Path

from cmkt_plugin.visual.alignment import cut_to_both
from cmkt_plugin.visual.lip_regions import find_lips
from cmkt_plugin.visual.lips import FRAME_RATE
from cmkt_plugin.visual.prepared_clip import write_lips
from cmkt_plugin.visual.sound import SAMPLE_RATE, read_sound
from cmkt_plugin.visual.unusable_clip import LENGTHS, NO_FACE, UnusableClip
from cmkt_plugin.wav_file import write_wav


def paths_of(folder, name):
    """The two files of a prepared clip.

    Arguments
    ---------
    folder : str or Path
        Where it is.
    name : str
        The clip.

    Returns
    -------
    wav, lips : Path

    Example
    -------
    >>> [path.name for path in paths_of("lips", "s1_bbaf2n")]
    ['s1_bbaf2n.wav', 's1_bbaf2n.lips.npz']
    """
    return Path(folder, f"{name}.wav"), Path(folder, f"{name}.lips.npz")


def prepare_clip(name, sources, folder, detector, mouth, offset, tolerance):
    """Writes sound and lips of one clip, or nothing.

    Arguments
    ---------
    name : str
        The clip.
    sources : list of Path
        The video, and the file with its sound where that is another one. Such
        sound begins with the first frame.
    folder : str or Path
        Where the files go.
    detector, mouth, offset, tolerance
        As for ``prepare_clips``.

    Returns
    -------
    dict
        Facts, see ``prepare_clips``. Of an unusable clip, those found until
        then.
    """
    wav, lips = paths_of(folder, name)
    # First: new sound must never stand beside old lips.
    for path in (lips, wav):
        path.unlink(missing_ok=True)
    facts = {"video": str(sources[0]), "audio": str(sources[-1])}
    try:
        pixels, present, samples = _read(
            sources, facts, detector, mouth, offset, tolerance
        )
    except UnusableClip as error:
        return {**facts, "fault": error.fault, "detail": error.detail}
    write_wav(wav, samples, SAMPLE_RATE)
    write_lips(lips, pixels, present)
    return {**facts, "fault": "", "detail": ""}


def _read(sources, facts, detector, mouth, offset, tolerance):
    """Crops, marks and samples of a clip; notes facts as they are found."""
    video = sources[0]
    # First, as it takes no time: without sound, no face need be looked for.
    sound = read_sound(sources[-1])
    facts["sound_s"] = round(len(sound.samples) / SAMPLE_RATE, 4)
    regions = find_lips(video, detector, mouth)
    facts.update(_facts(regions))
    if not regions.present.any():
        raise UnusableClip(
            video,
            NO_FACE,
            f"expected one in any of {len(regions.present)} frames; look "
            "for smaller faces (--smallest-face), or leave it out",
        )
    # Of a file of its own, the clock tells nothing about the picture.
    apart = len(sources) > 1
    lead = 0.0 if apart else float(sound.start - regions.timing.start)
    crops, sight = regions.pixels, regions.present
    late = offset(crops, sight, sound.samples, lead)
    facts["offset_ms"], facts["correlation"] = late
    try:
        frames, samples = cut_to_both(
            len(sight),
            len(sound.samples),
            lead - late.ms / 1000,
            tolerance + abs(late.ms) / 1000,
        )
    except ValueError as error:
        raise UnusableClip(video, LENGTHS, str(error)) from error
    kept = sound.samples[samples]
    facts["seconds"] = round(len(kept) / SAMPLE_RATE, 4)
    facts["frames"] = len(sight[frames])
    facts["frames_with_face"] = int(sight[frames].sum())
    return crops[frames], sight[frames], kept


def _facts(regions):
    height, width = regions.shape
    return {
        "frames": len(regions.present),
        "frames_with_face": int(regions.present.sum()),
        "picture_s": len(regions.present) / FRAME_RATE,
        "frame_rate": round(regions.timing.rate, 3),
        "variable_frame_rate": regions.timing.is_variable,
        "damaged_frames": regions.damaged,
        "width": width,
        "height": height,
    }
