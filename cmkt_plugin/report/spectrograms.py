"""Spectrograms and sound of an utterance's versions, to stand side by side."""

import io

import numpy as np
import soundfile

from cmkt_plugin.report.figures import data_uri, style, svg
from cmkt_plugin.spectrogram import RANGE, colour_map, paint, spectrogram

SECONDS = 8  # of sound and picture; the page carries all of it


def seen(wav, rate):
    """The spectrogram of a waveform.

    Arguments
    ---------
    wav : numpy.ndarray
        Waveform (time,).
    rate : int
        Hz.

    Returns
    -------
    cmkt_plugin.spectrogram.Spectrogram

    Example
    -------
    >>> seen(np.zeros(16000), 16000).power.shape
    (257, 122)
    """
    return spectrogram([np.asarray(wav)[:, None]], rate, len(wav))


def picture(wav, rate, loudest):
    """A spectrogram with its axes.

    Arguments
    ---------
    wav : numpy.ndarray
        Waveform (time,).
    rate : int
        Hz.
    loudest : float
        The power that is 0 dB: that of the clean version's loudest point.

    Returns
    -------
    str
        Data URI of an SVG.
    """
    from matplotlib.figure import Figure

    with style():
        figure = Figure((2.9, 2.0), layout="constrained")
        panel = figure.subplots()
        paint(panel, seen(wav[: SECONDS * rate], rate), loudest)
        panel.set_xlabel("Time (s)")
        return svg(figure)


def colour_bar():
    """What the colours of all spectrograms mean.

    Returns
    -------
    str
        Data URI of an SVG.
    """
    from matplotlib import cm, colors
    from matplotlib.figure import Figure

    with style():
        figure = Figure((3.6, 0.65), layout="constrained")
        colours = cm.ScalarMappable(colors.Normalize(-RANGE, 0), colour_map())
        figure.colorbar(
            colours,
            cax=figure.subplots(),
            orientation="horizontal",
            label="dB relative to the loudest point of the clean version",
        )
        return svg(figure)


def sound(wav, rate, factor=1.0):
    """A waveform as something that a browser plays.

    Arguments
    ---------
    wav : numpy.ndarray
        Waveform (time,).
    rate : int
        Hz.
    factor : float
        What it is multiplied by.

    Returns
    -------
    str
        Data URI of a FLAC file of 16 bits, at most ``SECONDS`` long.
    """
    content = io.BytesIO()
    part = factor * np.asarray(wav[: SECONDS * rate], dtype=np.float64)
    soundfile.write(content, part, rate, format="FLAC", subtype="PCM_16")
    return data_uri("audio/flac", content.getvalue())


def common_factor(versions):
    """Brings the loudest of some versions below full scale, and all alike.

    Arguments
    ---------
    versions : list of numpy.ndarray
        Waveforms (time,).

    Returns
    -------
    float
        1 if none would clip.

    Example
    -------
    >>> common_factor([np.array([0.5, -2.0]), np.array([0.1])])
    0.495
    """
    loudest = max(float(np.abs(wav).max(initial=0)) for wav in versions)
    return 0.99 / loudest if loudest > 0.99 else 1.0
