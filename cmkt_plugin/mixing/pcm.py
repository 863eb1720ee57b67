"""Recordings as integers: the unit is one step of 16-bit audio.

Whole numbers in 64 bits are summed exactly in any order; floating-point sums
depend on the machine's vector instructions.
"""

import contextlib

import numpy as np
import soundfile

from cmkt_plugin.mixing.rates import frames_needed

FULL_SCALE = 2**15
# Louder than 32 times full scale is a file whose values are no audio.
LOUDEST = 2**20


def read_whole(path, sample_rate, role):
    """Reads the first channel of a file that must have the model's rate.

    Arguments
    ---------
    path : str
        The file.
    sample_rate : int
        The rate expected (Hz).
    role : str
        What the file is, for the messages.

    Returns
    -------
    numpy.ndarray
        float64 (time,), full scale is 1.

    Raises
    ------
    ValueError
        If it is empty or of another rate.
    """
    with _naming(path):
        samples, rate = soundfile.read(path, dtype="float64", always_2d=True)
    require_rate(path, rate, sample_rate, role)
    if not len(samples):
        raise ValueError(
            f"{path}: 0 samples of {role}, expected at least one; leave it out"
        )
    return samples[:, 0]


def require_rate(path, rate, sample_rate, role):
    """Refuses a file of another rate than the model's.

    Arguments
    ---------
    path : str
        The file.
    rate : int
        Its rate (Hz).
    sample_rate : int
        The rate expected (Hz).
    role : str
        What the file is.

    Example
    -------
    >>> require_rate("room.wav", 48000, 16000, "a room impulse response")
    Traceback (most recent call last):
    ValueError: room.wav: expected a room impulse response at 16000 Hz, ...
    """
    if rate != sample_rate:
        raise ValueError(
            f"{path}: expected {role} at {sample_rate} Hz, found {rate} Hz; "
            f"resample it, e.g. `sox IN -r {sample_rate} OUT`"
        )


def read_cyclic(path, offset, length, sample_rate):
    """Reads a span of a file that begins again where it ends.

    Arguments
    ---------
    path : str
        The file.
    offset : int
        First frame.
    length : int
        Samples wanted at the model's rate.
    sample_rate : int
        The model's rate (Hz).

    Returns
    -------
    samples : numpy.ndarray
        First channel, float64, full scale is 1; as many as give ``length``
        when they are resampled.
    rate : int
        The file's own (Hz).

    Example
    -------
    >>> path = getfixture("tmp_path") / "a.wav"
    >>> soundfile.write(path, [0.25, 0.5, 0.75], 16000)
    >>> read_cyclic(path, 1, 5, sample_rate=16000)
    (array([0.5 , 0.75, 0.25, 0.5 , 0.75]), 16000)
    """
    blocks = []
    with _naming(path), soundfile.SoundFile(path) as file:
        missing = frames_needed(length, file.samplerate, sample_rate)
        start = file.seek(offset % max(file.frames, 1))
        while missing > 0:
            block = file.read(missing, dtype="float64", always_2d=True)[:, 0]
            # A header may promise more than there is: begin again.
            if not len(block) and start == 0:
                raise ValueError(
                    f"{path}: no sample could be read, expected {missing}; "
                    "take it out of the folder"
                )
            blocks.append(block)
            missing -= len(block)
            start = file.seek(0)
        return np.concatenate(blocks), file.samplerate


def integers(samples, path):
    """Rounds samples to 16-bit steps (louder ones are not clipped).

    Arguments
    ---------
    samples : numpy.ndarray
        float64 (time,), full scale is 1.
    path : str
        Their file, for the message.

    Returns
    -------
    numpy.ndarray
        int64 (time,).

    Raises
    ------
    ValueError
        If there are values that are no audio (not a number, far too large).

    Example
    -------
    >>> integers(np.array([0.5, -1.0]), "a.wav")
    array([ 16384, -32768])
    """
    steps = samples * FULL_SCALE
    if not np.all(np.abs(steps) <= LOUDEST):
        raise ValueError(
            f"{path}: holds values up to {np.abs(samples).max():.3g}, expected "
            "at most about 1; convert it to 16-bit wav or flac"
        )
    return np.rint(steps).astype(np.int64)


@contextlib.contextmanager
def _naming(path):
    """Says which file it is that libsndfile cannot read."""
    try:
        yield
    except soundfile.SoundFileError as error:
        raise ValueError(
            f"{path}: expected audio, found what libsndfile cannot read "
            f"({error}); fetch it again or take it out of the folder"
        ) from error
