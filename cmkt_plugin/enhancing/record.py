"""What the outputs in a folder were made with, so that work can go on."""

import json
from functools import partial
from pathlib import Path

import soundfile

from cmkt_plugin.atomic import write_text
from cmkt_plugin.threads import map_in_threads

FILENAME = ".cmkt_enhance.json"


def begin(folder, settings):
    """Notes in a folder what its outputs are made with, from now on.

    The note's time tells these outputs from those of an earlier command.

    Arguments
    ---------
    folder : str or pathlib.Path
        The folder of the outputs; made if it is missing.
    settings : dict
        Model and options, as JSON can hold them.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> begin(folder, {"model": "1b4f", "dry_wet": 1.0})
    >>> remaining(folder, {"model": "1b4f", "dry_wet": 1.0}, {})
    {}
    """
    write_text(Path(folder) / FILENAME, json.dumps(settings, indent=1) + "\n")


def remaining(folder, settings, targets, jobs=None):
    """Finds the recordings whose outputs are still to be made.

    Arguments
    ---------
    folder : str or pathlib.Path
        The folder of the outputs. If none is there, this is the beginning.
    settings : dict
        Model and options of now.
    targets : dict
        Source to target.
    jobs : int or None
        Threads that read headers; None takes as many as there are cores.

    Returns
    -------
    dict
        The targets without those that are whole, newer than their sources,
        and made since ``begin``.

    Raises
    ------
    ValueError
        If the outputs were made with other settings, or nobody knows how.
    """
    record = Path(folder) / FILENAME
    if not record.is_file():
        _refuse_unknown(folder, targets)
        begin(folder, settings)
        return targets
    _refuse_others(record, settings)
    # The times of files in one file system can be compared, whatever clock.
    is_done = partial(_is_done, record.stat().st_mtime_ns)
    pairs = list(targets.items())
    done = map_in_threads(is_done, pairs, "Looking for outputs", jobs)
    return dict(pair for pair, found in zip(pairs, done) if not found)


def _refuse_unknown(folder, targets):
    there = sum(target.exists() for target in targets.values())
    if there:
        raise ValueError(
            f"{there} outputs are in {folder} already, and {FILENAME}, which "
            "tells what they were made with, is not: leave out --resume to "
            "replace them, or name another folder"
        )


def _refuse_others(record, settings):
    try:
        before = json.loads(record.read_text(encoding="utf-8"))
        differing = [k for k in settings if before.get(k) != settings[k]]
    except (ValueError, AttributeError) as error:
        raise ValueError(
            f"{record} does not tell what the outputs were made with "
            f"({error}): leave out --resume to make them again"
        )
    if differing:
        told = "; ".join(
            f"{key} was {before.get(key)}, is {settings[key]}"
            for key in differing
        )
        raise ValueError(
            f"the outputs in {record.parent} were made otherwise: {told}. "
            "Repeat those settings, leave out --resume to make all outputs "
            "again, or name another folder"
        )


def _is_done(since, pair):
    source, target = pair
    try:
        made = target.stat().st_mtime_ns
        if made < max(since, source.stat().st_mtime_ns):
            return False
        noisy, enhanced = soundfile.info(source), soundfile.info(target)
    except (soundfile.SoundFileError, OSError, TypeError):
        return False
    return all(
        getattr(noisy, what) == getattr(enhanced, what)
        for what in ("frames", "samplerate", "channels")
    )
