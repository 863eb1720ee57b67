"""Pictures of recordings: waveform and spectrogram, on one scale for all."""

import math
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from scipy.signal import welch

from cmkt_plugin.audio_stream import open_recording, read_blocks

WINDOW = 0.032  # seconds: shows the harmonics of a voice
COLUMNS = 1000  # a picture has no room for more
RANGE = 80  # decibels that the colours cover
QUIETEST = 1e-3  # amplitude that fills the frame: noise of silence does not


class Picture(NamedTuple):
    """What is drawn of a recording: one column for each stretch of time."""

    power: np.ndarray  # (frequency, columns), full scale squared
    low: np.ndarray  # (columns,), full scale 1
    high: np.ndarray  # (columns,)
    seconds: float
    nyquist: float  # Hz


def picture(path):
    """Reads what is drawn of a recording, however long it is.

    One column stands for one hop; of a long recording, for the mean of
    several windows (Welch's method), so that memory does not grow with it.

    Arguments
    ---------
    path : str or pathlib.Path
        A file of any format that libsndfile reads; of several channels the
        mean power is taken, and the extremes.

    Returns
    -------
    Picture

    Example
    -------
    >>> import soundfile
    >>> path = getfixture("tmp_path") / "tone.wav"
    >>> tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    >>> soundfile.write(path, tone, 16000)
    >>> drawn = picture(path)
    >>> drawn.power.shape, drawn.seconds, drawn.nyquist
    ((257, 122), 1.0, 8000.0)
    >>> (drawn.power[:, 60].argmax() * drawn.nyquist / 256).item()
    1000.0
    >>> drawn.high[60].round(3).item()
    0.5
    """
    with open_recording(path) as recording:
        rate, frames = recording.samplerate, recording.frames
        size = 2 * math.ceil(WINDOW * rate / 2)
        hop = max(math.ceil(size / 4), math.ceil(frames / COLUMNS))
        columns = [
            _column(samples, size)
            for samples in _stretches(recording, max(size, hop), hop)
        ]
    power, low, high = (np.stack(part, axis=-1) for part in zip(*columns))
    return Picture(power, low, high, frames / rate, rate / 2)


def draw(recordings):
    """Draws recordings, each into a file, amplitude and level on one scale.

    Arguments
    ---------
    recordings : dict
        Recording to the file to write (png). The first one sets the scale:
        its loudest point is 0 dB in all.

    Example
    -------
    >>> import soundfile
    >>> folder = getfixture("tmp_path")
    >>> soundfile.write(folder / "a.wav", [0.0, 0.5] * 800, 16000)
    >>> draw({folder / "a.wav": folder / "a.png"})
    >>> (folder / "a.png").read_bytes()[1:4]
    b'PNG'
    """
    pictures = [picture(path) for path in recordings]
    # Of silence too there is a picture.
    loudest = pictures[0].power.max() or 1.0
    peak = max(max(drawn.high.max(), -drawn.low.min()) for drawn in pictures)
    for drawn, path in zip(pictures, recordings.values()):
        figure = _figure(drawn, loudest, max(peak, QUIETEST))
        figure.savefig(path, format="png")


def _stretches(recording, length, hop):
    """Stretches (length, channels), one every hop, the last one padded."""
    held = np.zeros((0, recording.channels), dtype="float32")
    seen = 0
    for block in read_blocks(recording):
        held = np.concatenate([held, block])
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


def _figure(drawn, loudest, peak):
    # Without pyplot, which keeps every figure and is for one thread only.
    figure = Figure(figsize=(5, 3.4), dpi=200, layout="constrained")
    wave, spectrogram = figure.subplots(2, sharex=True, height_ratios=(1, 2.6))
    times = np.linspace(0, drawn.seconds, len(drawn.low))
    wave.fill_between(times, drawn.low, drawn.high, linewidth=0.4)
    wave.set(ylabel="Amplitude", ylim=(-1.05 * peak, 1.05 * peak))
    decibels = 10 * np.log10(
        np.maximum(drawn.power / loudest, 10 ** (-RANGE / 10))
    )
    image = spectrogram.imshow(
        decibels,
        origin="lower",
        aspect="auto",
        extent=(0, drawn.seconds, 0, drawn.nyquist / 1000),
        vmin=-RANGE,
        vmax=0,
        cmap="magma",
    )
    spectrogram.set(xlabel="Time (s)", ylabel="Frequency (kHz)")
    figure.colorbar(image, ax=spectrogram, label="Level (dB)", pad=0.02)
    return figure
