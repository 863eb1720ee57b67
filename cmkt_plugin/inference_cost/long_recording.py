"""Makes one long recording of many short ones, and opens models for it."""

from pathlib import Path

import numpy as np
import soundfile

from cmkt_plugin.loading.model_source import open_model


def join_recordings(folders, seconds):
    """Joins the recordings of folders end to end, in order of name.

    Arguments
    ---------
    folders : list of str or pathlib.Path
        Folders with recordings of one channel and one rate. The names are
        those of the first one; the others hold the same names.
    seconds : float
        How long the result must be at least.

    Returns
    -------
    rate : int
        Sampling rate (Hz).
    recordings : list of numpy.ndarray
        For each folder its samples (time,).

    Raises
    ------
    ValueError
        If the recordings differ in rate or have several channels, or there
        are too few.
    """
    parts, samples, rate = [], 0, None
    for path in sorted(Path(folders[0]).glob("*.wav")):
        rate = rate or soundfile.info(path).samplerate
        part = [_read(Path(folder, path.name), rate) for folder in folders]
        parts.append(part)
        samples += len(part[0])
        if samples >= seconds * rate:
            return rate, [np.concatenate(joined) for joined in zip(*parts)]
    found = samples / rate if rate else 0
    raise ValueError(
        f"{folders[0]} has {found:.0f} s in .wav files, expected {seconds:g} s "
        "or more: take a larger folder, or fewer --seconds"
    )


def open_at(source, rate):
    """Opens a model that must work at the rate of a recording.

    Arguments
    ---------
    source : str or pathlib.Path
        What ``open_model`` opens.
    rate : int
        Of the recording (Hz).

    Returns
    -------
    cmkt_plugin.inference.CMKTEnhancement

    Raises
    ------
    ValueError
        If the model has another rate.
    """
    model = open_model(source, device="cpu")
    if model.sample_rate != rate:
        raise ValueError(
            f"{source} works at {model.sample_rate} Hz, the recordings have "
            f"{rate} Hz: take recordings at its rate"
        )
    return model


def _read(path, rate):
    wav, found = soundfile.read(path, dtype="float32")
    if found != rate or wav.ndim > 1:
        raise ValueError(
            f"{path}: expected one channel of {rate} Hz, found {found} Hz, "
            f"shape {wav.shape}"
        )
    return wav
