"""CSIG, CBAK, COVL: limits, independent forms, values of other programs."""

import time

import numpy as np
import pytest
from scipy.linalg import solve_toeplitz, toeplitz

from cmkt_plugin import composite as c

RATE = 16000


@pytest.fixture
def pair():
    """Two seconds of harmonics with syllables, and the same with noise."""
    t = np.arange(2 * RATE) / RATE
    harmonics = sum(np.sin(2 * np.pi * 140 * k * t) / k for k in range(1, 57))
    noise, room = np.random.default_rng(0).standard_normal((2, len(t)))
    clean = 0.1 * harmonics * (1.02 + np.sin(2 * np.pi * 3 * t)) + 0.003 * room
    return clean + 0.03 * noise, clean


def spectra(pair):
    return [c.power_spectrum(c.windowed_frames(wave)) for wave in pair]


def test_perfect_prediction_is_rated_5(pair):
    _, clean = pair
    expected = {"csig": 5.0, "cbak": 5.0, "covl": 5.0}
    assert c.composite(clean, clean, pesq=4.64) == expected


def test_parts_of_a_perfect_prediction(pair):
    _, clean = pair
    frames = c.windowed_frames(clean)
    power = c.power_spectrum(frames)
    assert (c.segmental_snr(frames, frames) == 35).all()
    assert (c.log_likelihood_ratio(power, power) == 0).all()
    assert (c.weighted_spectral_slope(power, power) == 0).all()


def test_ratings_follow_the_regression(pair):
    Y, X = spectra(pair)
    llr = c.mean_of_best(c.log_likelihood_ratio(Y, X))
    wss = c.mean_of_best(c.weighted_spectral_slope(Y, X))
    snr = c.segmental_snr(*map(c.windowed_frames, pair)).mean()
    ratings = c.composite(*pair, pesq=3.0)
    assert ratings["csig"] == pytest.approx(4.902 - 1.029 * llr - 0.009 * wss)
    assert ratings["cbak"] == pytest.approx(3.068 - 0.007 * wss + 0.063 * snr)
    assert ratings["covl"] == pytest.approx(4.009 - 0.512 * llr - 0.007 * wss)
    assert all(1 < rating < 5 for rating in ratings.values())


def test_ratings_are_limited_to_1(pair):
    whistle = np.sin(np.arange(2 * RATE) / 3)
    worst = c.composite(whistle, pair[1], pesq=1.0)
    assert worst == {"csig": 1.0, "cbak": 1.0, "covl": 1.0}


def test_llr_equals_toeplitz_solution(pair):
    enhanced, clean = (c.windowed_frames(wave)[:40] for wave in pair)

    def residual(frame, predictor_of):
        R, own = (
            np.correlate(f, f, "full")[len(f) - 1 :][: c.ORDER + 1]
            for f in (frame, predictor_of)
        )
        a = np.concatenate([[1], -solve_toeplitz(own[:-1], own[1:])])
        return a @ toeplitz(R) @ a

    expected = [
        np.log(residual(x, y) / residual(x, x)) for x, y in zip(clean, enhanced)
    ]
    measured = c.log_likelihood_ratio(
        c.power_spectrum(enhanced), c.power_spectrum(clean)
    )
    assert measured == pytest.approx(expected, abs=1e-6)
    assert (measured > 0).all()


def test_llr_and_wss_ignore_gain(pair):
    Y, X = spectra(pair)
    for measure in (c.log_likelihood_ratio, c.weighted_spectral_slope):
        assert measure(4 * Y, X) == pytest.approx(measure(Y, X), abs=1e-9)


def test_only_cbak_depends_on_level(pair):
    enhanced, clean = pair
    full = c.composite(enhanced, clean, 2.0)
    half = c.composite(0.5 * enhanced, clean, 2.0)
    assert half["cbak"] < full["cbak"] - 0.1
    assert half["csig"] == pytest.approx(full["csig"])
    assert half["covl"] == pytest.approx(full["covl"])


def test_segmental_snr_of_known_noise():
    clean = c.windowed_frames(np.sin(np.arange(RATE)))
    for decibel in (-10, 0, 12.5, 35):
        factor = 1 + 10 ** (-decibel / 20)
        snr = c.segmental_snr(factor * clean, clean)
        assert snr == pytest.approx(decibel)
    assert (c.segmental_snr(100 * clean, clean) == -10).all()


def test_mean_of_best_drops_the_worst_twentieth():
    distortion = np.ones(100)
    distortion[::20] = 1000
    assert c.mean_of_best(distortion) == 1
    distortion[1] = 1000
    assert c.mean_of_best(distortion) == pytest.approx(1 + 999 / 95)


def test_bands_follow_one_another_up_to_4_khz():
    peaks = c.critical_bands().argmax(axis=0) * RATE / c.FFT
    assert np.abs(peaks - c.CENTERS).max() < RATE / c.FFT
    assert c.CENTERS[-1] == pytest.approx(3597.63, abs=0.01)


def test_digital_silence_in_clean_is_left_out(pair):
    enhanced, clean = pair
    silence = np.zeros(RATE)
    padded = np.concatenate([clean, silence])
    assert c.composite(padded, padded, 4.64)["cbak"] == 5.0
    # noise where there is nothing to compare it with does not count ...
    noise = 0.03 * np.random.default_rng(1).standard_normal(RATE)
    with_noise, without = (
        c.composite(np.concatenate([enhanced, tail]), padded, 2.0)
        for tail in (noise, silence)
    )
    for rating in with_noise:
        assert with_noise[rating] == pytest.approx(without[rating], abs=0.05)
    # ... but silence where speech should be does
    muted = np.concatenate([enhanced[:RATE], silence])
    assert c.composite(muted, clean, 2.0)["csig"] < 0.9 * without["csig"]


def test_muting_a_hiss_is_no_perfect_llr():
    hiss = np.random.default_rng(0).standard_normal(RATE)
    muted, clean = spectra((np.zeros(RATE), hiss))
    assert c.log_likelihood_ratio(muted, clean).min() > 2


def test_values_of_the_python_version_in_circulation(pair):
    """It removes means and scales peaks: where nothing is left to do, equal.

    The values are what its `eval_composite` gave for this pair and PESQ 2.5.
    """
    enhanced, clean = (wave - wave.mean() for wave in pair)
    enhanced *= np.abs(clean).max() / np.abs(enhanced).max()
    ratings = c.composite(enhanced, clean, pesq=2.5)
    circulating = {"csig": 4.1124301, "cbak": 3.1556694, "covl": 3.3363897}
    assert ratings == pytest.approx(circulating, abs=1e-5)


@pytest.mark.parametrize("lengths", [(16000, 15999), (599, 599), (0, 0)])
def test_refuses_lengths(lengths):
    enhanced, clean = (np.ones(n) for n in lengths)
    with pytest.raises(ValueError, match=rf"{lengths[0]} .*{lengths[1]}: "):
        c.composite(enhanced, clean, 2.0)


def test_refuses_silence():
    with pytest.raises(ValueError, match="no audible frame"):
        c.composite(np.ones(RATE), np.zeros(RATE), 2.0)


def test_four_seconds_take_less_than_50_ms(pair):
    enhanced, clean = (np.concatenate([wave, wave]) for wave in pair)
    times = []
    for _ in range(5):
        start = time.process_time()
        c.composite(enhanced, clean, 2.0)
        times.append(time.process_time() - start)
    assert min(times) < 0.05
