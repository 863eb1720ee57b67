"""Scores of an utterance: known values, unusable items."""

import subprocess
import sys

import numpy as np
import pesq
import pystoi
import pytest
from noisy_pairs import RATE, make_pair

from cmkt_plugin.metrics import METRICS, score, si_sdr


@pytest.fixture
def pair():
    return make_pair()


def test_perfect_prediction(pair):
    _, clean = pair
    scores, note = score(clean, clean)
    assert note == ""
    assert tuple(scores) == METRICS
    assert scores["pesq"] == pytest.approx(4.64, abs=0.01)
    assert scores["stoi"] == pytest.approx(1)
    assert scores["estoi"] == pytest.approx(1)
    assert scores["si_sdr"] > 150
    assert scores["csig"] == scores["cbak"] == scores["covl"] == 5


def test_noise_lowers_every_score(pair):
    _, clean = pair
    better, worse = (
        score(make_pair(noise=noise)[0], clean)[0] for noise in (0.005, 0.05)
    )
    assert all(worse[metric] < better[metric] for metric in METRICS)
    assert all(isinstance(value, float) for value in worse.values())


def test_values_are_those_of_the_packages(pair):
    enhanced, clean = pair
    scores, _ = score(enhanced, clean)
    expected = {
        "pesq": pesq.pesq(RATE, clean, enhanced, "wb"),
        "stoi": pystoi.stoi(clean, enhanced, RATE),
        "estoi": pystoi.stoi(clean, enhanced, RATE, extended=True),
    }
    assert {m: scores[m] for m in expected} == pytest.approx(expected)


@pytest.mark.parametrize("decibel", [-5.0, 0.0, 17.3])
def test_si_sdr_is_the_snr_of_orthogonal_noise(pair, decibel):
    noisy, clean = pair
    clean = clean - clean.mean()
    noise = noisy - clean
    noise -= noise.mean()
    noise -= (noise @ clean) / (clean @ clean) * clean
    noise *= np.sqrt((clean @ clean) / (noise @ noise)) * 10 ** (-decibel / 20)
    assert si_sdr(clean + noise, clean) == pytest.approx(decibel)


def test_si_sdr_ignores_scale_and_offset(pair):
    enhanced, clean = pair
    expected = si_sdr(enhanced, clean)
    assert si_sdr(-0.01 * enhanced + 0.3, clean) == pytest.approx(expected)
    assert si_sdr(enhanced, 7 * clean - 0.2) == pytest.approx(expected)
    assert si_sdr(3 * clean, clean) == pytest.approx(si_sdr(clean, clean))


def test_si_sdr_equals_speechbrain(pair):
    torch = pytest.importorskip("torch")
    losses = pytest.importorskip("speechbrain.nnet.losses")
    enhanced, clean = (torch.tensor(w)[:, None, None] for w in pair)
    expected = -losses.cal_si_snr(clean, enhanced).item()
    assert si_sdr(*pair) == pytest.approx(expected, abs=1e-4)


def test_si_sdr_is_finite_at_both_ends():
    t = np.arange(RATE) / RATE
    sine, cosine = np.sin(100 * np.pi * t), np.cos(100 * np.pi * t)
    assert si_sdr(sine, sine) == pytest.approx(156.5, abs=0.1)
    assert -157 < si_sdr(cosine, sine) < -140


@pytest.mark.parametrize("role", ["enhanced", "clean"])
@pytest.mark.parametrize(
    "values, reason",
    [
        (np.zeros(RATE), "is silent"),
        (np.full(RATE, 0.1), "is silent"),
        (np.full(RATE, np.nan), "has NaN or infinite samples"),
        (np.r_[np.inf, np.ones(RATE - 1)], "has NaN or infinite samples"),
    ],
)
def test_unusable_waveform_is_noted(pair, role, values, reason):
    waves = dict(zip(("enhanced", "clean"), pair), **{role: values})
    scores, note = score(**waves)
    assert scores == dict.fromkeys(METRICS)
    assert note == f"{role} {reason}"


def test_short_items_are_noted():
    def scored(samples):
        enhanced, clean = (wave[:samples] for wave in make_pair())
        scores, note = score(enhanced, clean)
        return [m for m in METRICS if scores[m] is not None], note

    stoi_note = "less than 0.4 s of speech: stoi, estoi"
    pesq_note = "shorter than 0.25 s: pesq, csig, cbak, covl"
    assert scored(0) == ([], "enhanced is empty")
    for samples in (100, 599, 3900):
        assert scored(samples) == (["si_sdr"], f"{pesq_note}; {stoi_note}")
    most = ["pesq", "si_sdr", "csig", "cbak", "covl"]
    assert scored(4100) == (most, stoi_note)
    assert scored(8000) == (list(METRICS), "")


def test_speech_too_short_within_a_long_item(pair):
    click = np.zeros(RATE)
    click[8000] = 0.5
    scores, note = score(pair[0], click)
    assert scores["stoi"] is None and scores["estoi"] is None
    assert note == "less than 0.4 s of speech: stoi, estoi"


def test_pesq_does_not_crash_on_many_utterances():
    t = np.arange(90 * RATE) / RATE
    bursts = np.random.default_rng(0).standard_normal(len(t)) * (t % 1.2 < 0.6)
    scores, note = score(0.1 * bursts, 0.1 * bursts, metrics=["pesq", "si_sdr"])
    assert note == "longer than 30 s: pesq"
    assert scores["si_sdr"] > 150


def test_pesq_without_utterance_is_noted(pair, monkeypatch):
    def no_utterance(*_):
        raise pesq.NoUtterancesError(b"No utterances detected")

    monkeypatch.setattr(pesq, "pesq", no_utterance)
    scores, note = score(*pair)
    assert note == (
        "PESQ finds no speech (NoUtterancesError): pesq, csig, cbak, covl"
    )
    assert scores["pesq"] is None and scores["stoi"] > 0


def test_metrics_can_be_selected(pair):
    everything, _ = score(*pair)
    assert score(*pair, metrics=["csig"]) == ({"csig": everything["csig"]}, "")
    two, _ = score(*pair, RATE, ["stoi", "pesq"])
    assert two == {"stoi": everything["stoi"], "pesq": everything["pesq"]}


def test_float32_gives_the_same(pair):
    single = score(*(wave.astype(np.float32) for wave in pair))[0]
    assert single == pytest.approx(score(*pair)[0], abs=1e-3)


def test_numpy_generator_is_left_alone(pair):
    np.random.seed(3)
    expected = np.random.random()
    np.random.seed(3)
    first, _ = score(*pair, metrics=["estoi"])
    assert np.random.random() == expected
    assert score(*pair, metrics=["estoi"])[0] == first


def test_wrong_input_is_refused(pair):
    enhanced, clean = pair
    with pytest.raises(ValueError, match="enhanced has 15990 .* clean has 16"):
        score(enhanced[:-10], clean)
    with pytest.raises(ValueError, match="clean must be float .* int16"):
        score(enhanced, (clean * 32767).astype(np.int16))
    with pytest.raises(ValueError, match=r"enhanced .* shape \(1, 16000\)"):
        score(enhanced[None], clean)
    with pytest.raises(ValueError, match=r"\['mos'\].*'pesq', 'stoi'"):
        score(enhanced, clean, metrics=["pesq", "mos"])
    with pytest.raises(ValueError, match=r"\['covl'\] need 16000 Hz.*'stoi'"):
        score(enhanced, clean, 8000, ["covl", "stoi"])


def test_import_is_cheap():
    code = (
        "import sys, cmkt_plugin.metrics, cmkt_plugin.composite;"
        "sys.exit(bool({'torch', 'scipy', 'joblib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
