"""Spectrograms as all pictures of the package show them."""

import math
from typing import NamedTuple

import numpy as np
from scipy.signal import welch

from cmkt_plugin.audio_stream import open_recording, read_blocks

WINDOW = 0.032  # seconds: shows the harmonics of a voice
COLUMNS = 1000  # a picture has no room for more
RANGE = 80  # decibels that the colours cover
STEPS = 48  # of colour: fewer make smaller files, nobody sees 1.7 dB


class Spectrogram(NamedTuple):
    """A recording by columns, each for a stretch of time."""

    power: np.ndarray  # (frequency, columns), full scale squared
    low: np.ndarray  # (columns,), full scale 1
    high: np.ndarray  # (columns,)
    seconds: float
    nyquist: float  # Hz

    @property
    def loudest(self):
        """The highest power; 1 of silence, of which there is a picture too."""
        return self.power.max() or 1.0


def read_spectrogram(path):
    """The spectrogram of a file, however long it is.

    Arguments
    ---------
    path : str or pathlib.Path
        A file of any format that libsndfile reads.

    Returns
    -------
    Spectrogram

    Example
    -------
    >>> import soundfile
    >>> path = getfixture("tmp_path") / "tone.wav"
    >>> tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    >>> soundfile.write(path, tone, 16000)
    >>> found = read_spectrogram(path)
    >>> found.power.shape, found.seconds, found.nyquist
    ((257, 122), 1.0, 8000.0)
    >>> (found.power[:, 60].argmax() * found.nyquist / 256).item()
    1000.0
    >>> found.high[60].round(3).item()
    0.5
    """
    with open_recording(path) as recording:
        return spectrogram(
            read_blocks(recording), recording.samplerate, recording.frames
        )


def spectrogram(blocks, rate, frames):
    """The spectrogram of samples that come block by block.

    One column stands for one hop; of a long recording, for the mean of
    several windows (Welch's method), so that memory does not grow with it.

    Arguments
    ---------
    blocks : iterable of numpy.ndarray
        Samples (time, channels), full scale 1; of several channels the mean
        power is taken, and the extremes.
    rate : int
        Hz.
    frames : int
        How many samples there are.

    Returns
    -------
    Spectrogram

    Example
    -------
    >>> spectrogram([np.zeros((1, 1))], 16000, 1).power.shape
    (257, 1)
    """
    size = 2 * math.ceil(WINDOW * rate / 2)
    hop = max(math.ceil(size / 4), math.ceil(frames / COLUMNS))
    columns = [
        _column(samples, size)
        for samples in _stretches(blocks, max(size, hop), hop)
    ]
    power, low, high = (np.stack(part, axis=-1) for part in zip(*columns))
    return Spectrogram(power, low, high, frames / rate, rate / 2)


def paint(axes, found, loudest):
    """Draws a spectrogram.

    Arguments
    ---------
    axes : matplotlib.axes.Axes
        Where.
    found : Spectrogram
        What to draw.
    loudest : float
        The power that is 0 dB; pictures that are compared share it.

    Returns
    -------
    matplotlib.image.AxesImage
    """
    lowest = 10 ** (-RANGE / 10)
    image = axes.imshow(
        10 * np.log10(np.maximum(found.power / loudest, lowest)),
        origin="lower",
        aspect="auto",
        extent=(0, found.seconds, 0, found.nyquist / 1000),
        vmin=-RANGE,
        vmax=0,
        cmap=colour_map(),
        interpolation="none",
    )
    axes.set_ylabel("Frequency (kHz)")
    return image


def colour_map():
    """From black, ``RANGE`` dB below the loudest point, to light yellow."""
    from matplotlib import colormaps

    return colormaps["magma"].resampled(STEPS)


def _stretches(blocks, length, hop):
    """Stretches (length, channels), one every hop, the last one padded."""
    held, seen = None, 0
    for block in blocks:
        held = block if held is None else np.concatenate([held, block])
        while len(held) >= length:
            yield held[:length]
            held, seen = held[hop:], length - hop
    if len(held) > seen:
        yield np.pad(held, ((0, length - len(held)), (0, 0)))


def _column(samples, size):
    """Mean power over windows and channels (frequency,), and extremes."""
    power = welch(
        samples,
        nperseg=size,
        detrend=False,  # a constant offset is part of the recording
        scaling="spectrum",
        axis=0,
    )[1]
    return power.mean(axis=1), samples.min(), samples.max()
