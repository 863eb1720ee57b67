"""Tests of long recordings with a model that streams: one pass, in pieces."""

import tracemalloc

import numpy as np
import pytest
import soundfile
import torch
from toy_backbones import build, speech

from cmkt_plugin.any_rate import resample
from cmkt_plugin.enhancers import SpectralMask
from cmkt_plugin.enhancing.work_meter import Stopped, WorkMeter
from cmkt_plugin.inference import CMKTEnhancement
from cmkt_plugin.overlap_add import OverlapAdd

WINDOWS = OverlapAdd(window=2.0, context=0.5, fade=0.1, batch=2)
LONG = OverlapAdd(window=100.0)  # everything is one pass


def model_of(enhancer, windows=WINDOWS):
    return CMKTEnhancement(
        {"enhancer": enhancer},
        {"sample_rate": 16000},
        {"device": "cpu"},
        windows=windows,
    )


def remembering():
    """A causal model that remembers longer than a window of WINDOWS."""
    enhancer = build("gru")["enhancer"]
    with torch.no_grad():
        for name, parameter in enhancer.net.named_parameters():
            if "bias_ih" in name:  # of the update gate: keep the state
                parameter.chunk(3)[1].add_(6.0)
            elif parameter.ndim > 1:
                parameter.mul_(3.0)
    return enhancer


@pytest.fixture(scope="module")
def enhancer():
    return remembering()


@pytest.fixture(scope="module")
def model(enhancer):
    return model_of(enhancer)


def recording(rate, channels=1, seconds=5.3):
    """Noise that grows and fades, other in every channel (time, channels)."""
    shape = round(seconds * rate), channels
    noise = np.random.default_rng(0).standard_normal(shape)
    time = np.arange(shape[0])[:, np.newaxis] / rate
    return (0.1 * noise * (1.1 + np.sin(3 * time))).astype("float32")


def level(signal, reference):
    """Of a signal against another, in dB."""
    power = np.square([signal, reference], dtype=float).mean(axis=(1, 2))
    return 10 * np.log10(power[0] / power[1] + 1e-20)


@pytest.mark.parametrize(
    "rate, channels",
    [(8000, 1), (16000, 1), (16000, 3), (44100, 2), (48000, 1), (44101, 1)],
)
@pytest.mark.parametrize("options", [(1.0, False), (np.float64(0.7), True)])
def test_is_one_pass(model, enhancer, rate, channels, options):
    noisy = recording(rate, channels)
    streamed = model.enhance_array(noisy, rate, *options)
    one_pass = model_of(enhancer, LONG).enhance_array(noisy, rate, *options)
    assert streamed.dtype == np.float32 and streamed.shape == noisy.shape
    assert level(streamed - one_pass, one_pass) < -100
    assert np.abs(streamed - one_pass).max() < 1e-5
    windowed = model_of(enhancer)
    windowed.streams = False
    windowed = windowed.enhance_array(noisy, rate, *options)
    # Or windows would do as well, and this would say nothing.
    assert level(windowed - one_pass, one_pass) > -50


def test_is_what_the_stream_gives(model):
    noisy = recording(16000)
    stream = model.stream()
    parts = [stream.push(part) for part in np.array_split(noisy[:, 0], 9)]
    streamed = np.concatenate([*parts, stream.flush()])
    enhanced = model.enhance_array(noisy[:, 0], 16000)
    assert np.abs(enhanced - streamed).max() < 1e-6


@pytest.mark.parametrize("samples", [32001, 32256, 40959, 40960])
def test_any_length(model, enhancer, samples):
    noisy = speech(1, samples)
    with torch.no_grad():
        one_pass = enhancer(noisy, torch.ones(1)).wav
    assert (model.enhance_batch(noisy) - one_pass).abs().max() < 1e-5


@pytest.mark.parametrize("more, rest", [(0, 0), (1, -1), (2, 1)])
def test_any_length_at_another_rate(model, enhancer, more, rest):
    noisy = recording(44100)[: 3 * 44100 + more]
    there_and_back = resample(resample(noisy, 44100, 16000), 16000, 44100)
    assert len(there_and_back) == len(noisy) + rest
    enhanced = model.enhance_array(noisy, 44100)
    one_pass = model_of(enhancer, LONG).enhance_array(noisy, 44100)
    assert enhanced.shape == noisy.shape
    assert np.abs(enhanced - one_pass).max() < 1e-5


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 44101, 96000])
def test_time_is_kept_to_the_sample(rate):
    class Ones(torch.nn.Module):
        def forward(self, features):
            return torch.ones_like(features)

    parts = build("gru")["enhancer"]
    same = SpectralMask(Ones(), parts.features.stft, parts.istft).eval()
    noisy = recording(rate, 2)
    model = model_of(same)
    assert model.streams
    enhanced = model.enhance_array(noisy, rate, keep_high_band=True)
    # What is not changed comes back, every sample in its place.
    assert np.abs(enhanced - noisy).max() < 1e-5


def test_a_batch_gives_what_its_items_give_alone(model):
    noisy = speech(3, 80000)
    lengths = torch.tensor([1.0, 0.9, 1.0])
    enhanced = model.enhance_batch(noisy, lengths)
    for item, own, samples in zip(noisy, enhanced, (80000, 72000, 80000)):
        alone = model.enhance_batch(item[None, :samples])[0]
        assert torch.allclose(own[:samples], alone, atol=1e-6)
        assert not own[samples:].any()


def test_what_fits_in_a_window_is_one_pass(model, enhancer):
    noisy = speech(1, 32000)
    with torch.no_grad():
        one_pass = enhancer(noisy, torch.ones(1)).wav
    assert torch.equal(model.enhance_batch(noisy), one_pass)


def test_whether_a_model_streams_is_found_once(enhancer, monkeypatch):
    model, passes = model_of(enhancer), []
    hook = enhancer.register_forward_hook(lambda *_: passes.append(1))
    try:
        for _ in range(3):
            model.enhance_array(recording(16000, 3), 16000)
    finally:
        hook.remove()
    assert len(passes) == 1
    assert not model_of(build("blstm")["enhancer"]).streams


def heard(model, noisy, rate):
    """Shapes of what the model hears."""
    shapes = []
    model.listeners.append(lambda signals: shapes.append(tuple(signals.shape)))
    try:
        model.enhance_array(noisy, rate)
    finally:
        model.listeners.clear()
    return shapes


def test_pieces_and_groups_are_bounded(model):
    shapes = heard(model, recording(44100, 5), 44100)
    assert {channels for channels, _ in shapes} == {2, 1}
    # Windows and no hops: three of two seconds, and the end.
    assert max(samples for _, samples in shapes) <= 32000
    assert len(shapes) == 3 * (3 + 1)


def test_a_file_is_not_held_in_memory(model, tmp_path):
    peaks = []
    for seconds in (8, 40):
        path = tmp_path / f"{seconds}.wav"
        soundfile.write(path, recording(8000, 1, seconds), 8000)
        sizes = []

        def look(signals):
            part = [*tmp_path.glob("out/.*.part")]
            sizes.append(part[0].stat().st_size if part else 0)

        model.listeners.append(look)
        tracemalloc.start()
        model.enhance_file(path, tmp_path / "out" / path.name)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        model.listeners.clear()
        array = model.enhance_file(path)
        written = soundfile.read(tmp_path / "out" / path.name)[0]
        assert np.abs(written - array.numpy()).max() < 2**-15
    assert peaks[1] < 1.1 * peaks[0]
    # Written while it is read: 2 bytes a sample.
    assert sizes == sorted(sizes) and sizes[-1] > 2 * 30 * 8000


def test_samples_that_the_model_makes_infinite_are_refused(tmp_path):
    class Overflowing(torch.nn.Module):
        def forward(self, features):
            return torch.where(features > 4, torch.inf, 1.0)

    parts = build("gru")["enhancer"]
    model = model_of(
        SpectralMask(Overflowing(), parts.features.stft, parts.istft).eval()
    )
    assert model.streams
    noisy = recording(16000)
    noisy[70000:] *= 100
    soundfile.write(tmp_path / "a.wav", noisy, 16000, "FLOAT")
    with pytest.raises(ValueError, match="a.wav: the model does not give fin"):
        model.enhance_file(tmp_path / "a.wav", tmp_path / "b.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


@pytest.mark.parametrize("streams", [True, False])
@pytest.mark.parametrize("channels", [1, 3])
def test_progress_and_stopping(enhancer, tmp_path, channels, streams):
    model, seen = model_of(enhancer), []
    model.streams = streams
    soundfile.write(tmp_path / "a.wav", recording(8000, channels), 8000)
    meter = WorkMeter(model)
    model.listeners.append(lambda _: seen.append(meter.seconds()))
    given = tmp_path / "a.wav", tmp_path / "b.wav"
    with meter.watch(), meter.file(5.3, channels):
        model.enhance_file(*given)
        seen.append(meter.seconds())
    assert seen == sorted(seen) and seen[0] == 0 and len(seen) > 2
    assert 4.0 < seen[-1] <= 5.3 and (not streams or seen[-1] > 5.2)
    (tmp_path / "b.wav").unlink()
    model.listeners.append(lambda _: meter.stop())
    with meter.watch(), meter.file(5.3, channels), pytest.raises(Stopped):
        model.enhance_file(*given)
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
