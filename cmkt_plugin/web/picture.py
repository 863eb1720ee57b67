"""Pictures of recordings: waveform and spectrogram, on one scale for all."""

import numpy as np
from matplotlib.figure import Figure

from cmkt_plugin.spectrogram import paint, read_spectrogram

QUIETEST = 1e-3  # amplitude that fills the frame: noise of silence does not


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
    found = [read_spectrogram(path) for path in recordings]
    peak = max(max(drawn.high.max(), -drawn.low.min()) for drawn in found)
    for drawn, path in zip(found, recordings.values()):
        figure = _figure(drawn, found[0].loudest, max(peak, QUIETEST))
        figure.savefig(path, format="png")


def _figure(drawn, loudest, peak):
    # Without pyplot, which keeps every figure and is for one thread only.
    figure = Figure(figsize=(5, 3.4), dpi=200, layout="constrained")
    wave, spectrum = figure.subplots(2, sharex=True, height_ratios=(1, 2.6))
    times = np.linspace(0, drawn.seconds, len(drawn.low))
    wave.fill_between(times, drawn.low, drawn.high, linewidth=0.4)
    wave.set(ylabel="Amplitude", ylim=(-1.05 * peak, 1.05 * peak))
    image = paint(spectrum, drawn, loudest)
    spectrum.set_xlabel("Time (s)")
    figure.colorbar(image, ax=spectrum, label="Level (dB)", pad=0.02)
    return figure
