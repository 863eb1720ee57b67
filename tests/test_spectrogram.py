"""Tests of the spectrogram that all pictures show."""

import numpy as np
import pytest
import soundfile
from matplotlib.figure import Figure

from cmkt_plugin.spectrogram import (
    COLUMNS,
    RANGE,
    paint,
    read_spectrogram,
    spectrogram,
)


def test_a_long_recording_has_no_more_columns(tmp_path):
    path = tmp_path / "long.wav"
    tone = np.sin(2 * np.pi * 500 * np.arange(80 * 8000) / 8000)
    soundfile.write(path, np.stack([tone, 0 * tone], 1), 8000, "FLOAT")
    found = read_spectrogram(path)
    assert COLUMNS - 3 < found.power.shape[1] <= COLUMNS + 1
    peaks = found.power.argmax(axis=0) * found.nyquist / 128
    assert set(peaks) == {500.0}
    # A full-scale sine has power 1/2; Hann spreads it, channels halve it.
    assert found.power.max() == pytest.approx(0.25, rel=0.01)
    assert found.high.max() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("frames", [1, 511, 512, 513, 640, 641, 20000])
def test_blocks_of_any_size_give_the_same(frames):
    samples = np.random.default_rng(0).standard_normal((frames, 2))
    whole = spectrogram([samples], 16000, frames)
    cuts = np.array_split(samples, range(100, frames, 777))
    for one, other in zip(whole, spectrogram(cuts, 16000, frames)):
        assert np.array_equal(one, other)
    # Every sample is in a column, and none is in one for itself alone.
    assert whole.power.shape[1] == max(0, -(-(frames - 512) // 128)) + 1
    assert whole.high.max() == max(samples.max(), 0 if frames < 512 else -9)


def test_what_is_painted_is_decibels_below_the_loudest():
    tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    loud, quiet = (
        spectrogram([(factor * tone)[:, None]], 16000, 16000)
        for factor in (1.0, 0.01)
    )
    image = paint(Figure().subplots(), quiet, loud.loudest).get_array()
    assert image.max() == pytest.approx(-40, abs=0.1)
    assert image.min() == -RANGE
    silence = spectrogram([0 * tone[:, None]], 16000, 16000)
    image = paint(Figure().subplots(), silence, silence.loudest).get_array()
    assert set(image.ravel()) == {-RANGE}
