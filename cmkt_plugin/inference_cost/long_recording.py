"""Makes one long recording of many short ones."""

from pathlib import Path

import numpy as np
import soundfile


def join_recordings(folders, seconds, rate=16000):
    """Joins the recordings of folders end to end, in order of name.

    Arguments
    ---------
    folders : list of str or pathlib.Path
        Folders with recordings of one channel. The names are those of the
        first one; the others hold the same names.
    seconds : float
        How long the result must be at least.
    rate : int
        Sampling rate expected (Hz).

    Returns
    -------
    list of numpy.ndarray
        For each folder its samples (time,).

    Raises
    ------
    ValueError
        If a recording has another rate, or there are too few.
    """
    parts, samples = [], 0
    for path in sorted(Path(folders[0]).glob("*.wav")):
        part = [_read(Path(folder, path.name), rate) for folder in folders]
        parts.append(part)
        samples += len(part[0])
        if samples >= seconds * rate:
            return [np.concatenate(joined) for joined in zip(*parts)]
    raise ValueError(
        f"{folders[0]} has {samples / rate:.0f} s in .wav files, expected "
        f"{seconds:g} s or more: take a larger folder, or fewer --seconds"
    )


def _read(path, rate):
    wav, found = soundfile.read(path, dtype="float32")
    if found != rate or wav.ndim > 1:
        raise ValueError(
            f"{path}: expected one channel of {rate} Hz, found {found} Hz, "
            f"shape {wav.shape}"
        )
    return wav
