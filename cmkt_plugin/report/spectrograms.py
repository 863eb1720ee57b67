"""Spectrograms and sound of an utterance's versions, to stand side by side."""

import io

import numpy as np
import soundfile
import torch

from cmkt_plugin.report.figures import data_uri, style, svg

WINDOW, HOP = 0.032, 0.010  # seconds
RANGE = 70  # dB below the loudest point of the clean version
STEPS = 48  # of colour: fewer make smaller pictures, nobody sees 1.5 dB
SECONDS = 8  # of sound and picture; the page carries all of it


def level(wav, rate):
    """Spectrogram in dB.

    Arguments
    ---------
    wav : numpy.ndarray
        Waveform (time,).
    rate : int
        Hz.

    Returns
    -------
    numpy.ndarray
        (bins, frames).

    Example
    -------
    >>> level(np.zeros(16000), 16000).shape
    (257, 101)
    """
    points = int(WINDOW * rate)
    spectrum = torch.stft(
        torch.as_tensor(np.asarray(wav, dtype=np.float32)),
        points,
        int(HOP * rate),
        window=torch.hann_window(points),
        # Reflection fails on what is shorter than the window.
        pad_mode="constant",
        return_complex=True,
    )
    return 20 * np.log10(spectrum.abs().numpy() + 1e-7)


def scale(clean, rate):
    """The common colour scale of an utterance.

    Arguments
    ---------
    clean : numpy.ndarray
        Its clean waveform.
    rate : int
        Hz.

    Returns
    -------
    tuple of float
        Lowest and highest level in dB.
    """
    top = float(level(clean, rate).max())
    return top - RANGE, top


def paint(panel, wav, rate, limits):
    """Draws a spectrogram into a panel.

    Arguments
    ---------
    panel : matplotlib.axes.Axes
        Where.
    wav : numpy.ndarray
        Waveform (time,).
    rate : int
        Hz.
    limits : tuple of float
        As ``scale`` gives them.

    Returns
    -------
    matplotlib.image.AxesImage
    """
    from matplotlib import colormaps

    image = panel.imshow(
        level(wav, rate) - limits[1],
        origin="lower",
        aspect="auto",
        extent=(0, len(wav) / rate, 0, rate / 2000),
        vmin=limits[0] - limits[1],
        vmax=0,
        cmap=colormaps["magma"].resampled(STEPS),
        interpolation="none",
    )
    panel.set_ylabel("frequency (kHz)")
    return image


def picture(wav, rate, limits):
    """A spectrogram with its axes.

    Arguments
    ---------
    wav : numpy.ndarray
        Waveform (time,).
    rate : int
        Hz.
    limits : tuple of float
        As ``scale`` gives them.

    Returns
    -------
    str
        Data URI of an SVG.
    """
    from matplotlib.figure import Figure

    with style():
        figure = Figure((2.9, 2.0), layout="constrained")
        panel = figure.subplots()
        paint(panel, wav[: SECONDS * rate], rate, limits)
        panel.set_xlabel("time (s)")
        return svg(figure)


def colour_bar():
    """What the colours of all spectrograms mean.

    Returns
    -------
    str
        Data URI of an SVG.
    """
    from matplotlib import cm, colormaps, colors
    from matplotlib.figure import Figure

    with style():
        figure = Figure((3.6, 0.65), layout="constrained")
        colours = cm.ScalarMappable(
            colors.Normalize(-RANGE, 0), colormaps["magma"].resampled(STEPS)
        )
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
