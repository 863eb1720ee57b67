"""Prepares clips: the sound as wav files, the lips as crops beside them."""

from collections import Counter
from functools import partial
from pathlib import Path

from speechbrain.utils.logger import get_logger
from tqdm import tqdm

from cmkt_plugin.leftovers import remove_leftovers
from cmkt_plugin.shown import first_few
from cmkt_plugin.visual.clip_processes import in_processes
from cmkt_plugin.visual.clip_record import ClipRecord, stamps
from cmkt_plugin.visual.face_detector import CascadeDetector
from cmkt_plugin.visual.media import load_av, load_cv2
from cmkt_plugin.visual.mouth import MouthGeometry
from cmkt_plugin.visual.offset import offset_of
from cmkt_plugin.visual.prepare_clip import paths_of, prepare_clip

logger = get_logger(__name__)
VERSION = 1  # of the preparation: another one makes all clips anew


def prepare_clips(
    clips,
    folder,
    jobs=None,
    offset=0.0,
    detector=None,
    mouth=None,
    tolerance=0.5,
):
    """Writes ``<id>.wav`` and ``<id>.lips.npz`` of each clip.

    A clip has both or neither; which clips are done, and why others are left
    out, is in ``lips.jsonl`` beside them. A run that was killed goes on where
    it was, and clips whose files or settings have changed are made anew.

    Arguments
    ---------
    clips : dict
        Id to the video's path, or to a list of the paths of the video and of
        an audio file that begins with its first frame.
    folder : str or Path
        Where the files go; made if it is missing.
    jobs : int or None
        Processes; None takes as many as there are cores.
    offset : float, str or callable
        By how many ms the sound is late, which is undone; "auto" detects it
        clip by clip; see ``cmkt_plugin.visual.offset``.
    detector : callable or None
        Finds faces; None takes a ``CascadeDetector``. Its attribute
        ``settings`` (dict) tells one from another.
    mouth : callable or None
        Finds the mouth of a face; None takes a ``MouthGeometry``.
    tolerance : float
        How much longer than the other picture or sound may be (s), beside
        the offset: that is cut. A clip where it is more is left out.

    Returns
    -------
    dict
        Id to facts, in the order of ``clips``: ``fault``, "" for a usable
        clip, else its name in ``cmkt_plugin.visual.unusable_clip``, and
        ``detail``; ``frames``, ``frames_with_face``, ``frame_rate`` of the
        video (1/s), ``variable_frame_rate``, ``damaged_frames``, ``width``,
        ``height``, ``picture_s``, ``sound_s``, ``seconds`` (kept),
        ``offset_ms``, ``correlation``, ``video``, ``audio``. Of an unusable
        clip those are there that were found.

    Raises
    ------
    ImportError
        If PyAV or OpenCV is not installed.
    ValueError
        If an id cannot be the name of a file, or an option is not as
        expected.
    """
    # Here, as processes that cannot begin do not tell why.
    load_av()
    load_cv2()
    sources = {name: _as_list(files) for name, files in clips.items()}
    for name in sources:
        _require_name(name)
    parts = {
        "detector": detector or CascadeDetector(),
        "mouth": mouth or MouthGeometry(),
        "offset": offset_of(offset),
    }
    settings = {name: _settings(part) for name, part in parts.items()}
    settings |= {"tolerance": tolerance, "version": VERSION}
    record = ClipRecord(folder, settings)
    facts = _done(record, sources, folder)
    left = {n: files for n, files in sources.items() if n not in facts}
    if left:
        remove_leftovers(Path(folder))
        work = partial(
            prepare_clip, folder=folder, tolerance=tolerance, **parts
        )
        facts |= _prepare(work, left, record, jobs)
    facts = {name: facts[name] for name in sources}
    _report(facts)
    return facts


def count_faults(facts):
    """Counts the clips that are left out.

    Arguments
    ---------
    facts : dict
        As from ``prepare_clips``.

    Returns
    -------
    dict
        Fault to number of clips.

    Example
    -------
    >>> count_faults({"a": {"fault": "no face"}, "b": {"fault": ""}})
    {'no face': 1}
    """
    return dict(Counter(f["fault"] for f in facts.values() if f["fault"]))


def _done(record, sources, folder):
    """Facts of the clips that need not be prepared again."""
    return {
        name: facts
        for name, facts in record.find(sources).items()
        if facts["fault"]
        or all(path.is_file() for path in paths_of(folder, name))
    }


def _prepare(work, sources, record, jobs):
    before = {name: stamps(files) for name, files in sources.items()}
    facts = {}
    with tqdm(desc="Finding lips", total=len(sources), delay=2) as bar:
        for name, found in in_processes(work, sources, jobs):
            record.note(name, before[name], found)
            facts[name] = found
            bar.update()
    return facts


def _report(facts):
    """Logs what is left out, and what is unusual."""
    faults = [
        f"{name}: {found['fault']}: {found['detail']}"
        for name, found in facts.items()
        if found["fault"]
    ]
    if faults:
        counts = ", ".join(f"{n} {k}" for k, n in count_faults(facts).items())
        listing = first_few(faults, separator="\n  ")
        logger.warning(
            f"Left out {len(faults)} of {len(facts)} clips ({counts}):\n"
            f"  {listing}"
        )
    variable = [n for n, f in facts.items() if f.get("variable_frame_rate")]
    if variable:
        logger.info(
            f"{len(variable)} clips have a variable frame rate, resampled by "
            f"their time stamps: {first_few(variable)}"
        )


def _as_list(files):
    files = [files] if isinstance(files, (str, Path)) else files
    return [Path(file) for file in files if file]


def _require_name(name):
    if not name or name != Path(name).name or name.startswith("."):
        raise ValueError(
            f"the id {name!r} cannot be the name of a file: expected one "
            "without folders and without a dot at its beginning"
        )


def _settings(part):
    """What tells a part from another, which may be anyone's function."""
    name = getattr(part, "__qualname__", type(part).__qualname__)
    return {"part": name, **getattr(part, "settings", {})}
