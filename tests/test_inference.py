"""Tests of the ready-to-use enhancer: batches, arrays and files."""

from functools import partial

import numpy as np
import pytest
import soundfile
import torch
from scipy.signal import correlate
from speechbrain.lobes.models.EnhanceResnet import EnhanceResnet
from speechbrain.processing.features import ISTFT, STFT
from speechbrain.processing.signal_processing import resynthesize
from toy_backbones import KNOBS, build, speech

from cmkt_plugin.enhancers import Enhanced, SpectralMask
from cmkt_plugin.inference import CMKTEnhancement
from cmkt_plugin.overlap_add import OverlapAdd

RATES = (8000, 11025, 16000, 22050, 44100, 48000, 44101)


class Gain(torch.nn.Module):
    """Stands for a model of which every sample of the output is known."""

    hop_length = 256

    def __init__(self, gain=1.0):
        super().__init__()
        self.gain = gain

    def forward(self, noisy, lengths):
        return Enhanced(self.gain * noisy, None)


class Ones(torch.nn.Module):
    """The mask that leaves everything as it is."""

    def forward(self, features):
        return torch.ones_like(features)


def unchanging():
    """A model that can stream and changes nothing."""
    settings = {"sample_rate": 16000, "win_length": 32, "hop_length": 16}
    stft, istft = STFT(n_fft=512, **settings), ISTFT(**settings)
    return SpectralMask(Ones(), stft, istft).eval()


def enhancer_of(enhancer, windows=None):
    return CMKTEnhancement(
        {"enhancer": enhancer},
        {"sample_rate": 16000},
        {"device": "cpu"},
        windows=windows or OverlapAdd(window=0.9, context=0.2, fade=0.05),
    )


def tones(rate, seconds, *frequencies):
    time = np.arange(round(seconds * rate)) / rate
    waves = [0.1 * np.sin(2 * np.pi * f * time) for f in frequencies]
    return np.sum(waves, axis=0).astype("float32")


def level(signal):
    return 10 * np.log10(np.square(signal).mean() + 1e-20)


@pytest.mark.parametrize("name", KNOBS)
def test_a_batch_gives_what_its_files_give_alone(name, tmp_path):
    model = enhancer_of(build(name)["enhancer"])
    noisy = speech(5, 16000)
    # Longer than a window, within one, the same again, and 10 ms.
    samples = [16000, 12345, 16000, 9001, 160]
    lengths = torch.tensor([n / 16000 for n in samples])
    noisy[1, samples[1] :] = 7  # what is in the padding does not matter
    enhanced = model.enhance_batch(noisy, lengths)
    assert enhanced.shape == noisy.shape
    for item, own, n in zip(noisy, enhanced, samples):
        alone = model.enhance_batch(item[None, :n])[0]
        assert torch.allclose(own[:n], alone, atol=1e-6)
        assert own[:n].abs().max() > 1e-4 and not own[n:].any()
        array = model.enhance_array(item[:n].numpy(), 16000)
        assert np.allclose(array, alone, atol=1e-6)
        path = tmp_path / "noisy.wav"
        soundfile.write(path, item[:n].numpy(), 16000, "FLOAT")
        of_file = model.enhance_file(path)
        assert torch.allclose(of_file, alone, atol=1e-6)
        written = model.enhance_file(path, tmp_path / "enhanced.wav")
        on_disk = soundfile.read(written, dtype="float32")[0]
        assert np.array_equal(on_disk, of_file.numpy())


@pytest.mark.parametrize("name", KNOBS)
def test_one_window_is_exactly_what_the_model_gives(name):
    model = enhancer_of(build(name)["enhancer"])
    noisy = speech(2, 14000)
    with torch.no_grad():
        expected = model.enhancer(noisy, torch.ones(2)).wav
    assert torch.equal(model.enhance_batch(noisy), expected)


@pytest.mark.parametrize("name", KNOBS)
def test_shorter_than_the_model_can_take(name):
    model = enhancer_of(build(name)["enhancer"])
    for samples in (1, 2, 15, 160):
        enhanced = model.enhance_batch(speech(1, samples))
        assert enhanced.shape == (1, samples) and enhanced.isfinite().all()
    enough = speech(1, model.shortest)
    expected = model.enhancer(enough, torch.ones(1)).wav
    assert torch.equal(model.enhance_batch(enough), expected)


def test_kernels_larger_than_a_short_input(monkeypatch):
    monkeypatch.setitem(KNOBS["fcn2d"], "kernel_size", [9, 9])
    model = enhancer_of(build("fcn2d")["enhancer"])
    # Padding by reflection of 4 frames takes 5 frames of 256 samples.
    with pytest.raises(RuntimeError):
        model.enhancer(speech(1, 160), torch.ones(1))
    assert model.shortest == 1024
    assert model.enhance_batch(speech(1, 160)).shape == (1, 160)


@pytest.mark.parametrize(
    "noisy, lengths, message",
    [
        (speech(1, 100)[0], None, r"shape \(100,\), expected \(batch, time\)"),
        (torch.zeros(1, 2, 3), None, "expected .batch, time."),
        (torch.zeros(1, 0), None, "neither of them 0"),
        (torch.zeros(1, 9).short(), None, "torch.int16, expected floating"),
        (speech(2, 9), torch.ones(3), r"\(3,\).*each of the 2 items"),
        (speech(2, 9), torch.ones(2, 1), r"\(2, 1\).*each of the 2"),
        (speech(2, 9), torch.tensor([9, 4]), "torch.int64, expected"),
        (speech(2, 9), torch.tensor([1.0, 0.0]), "above 0 and up to 1"),
        (speech(2, 9), torch.tensor([1.1, 1.0]), "above 0 and up to 1"),
        (speech(2, 9), torch.tensor([1.0, np.nan]), "above 0 and up to 1"),
        (np.zeros((1, 9), "float32"), None, "ndarray.*torch.as_tensor.noisy"),
        (speech(2, 9), [1.0, 0.5], "lengths is a list.*torch.tensor.lengths"),
    ],
)
def test_wrong_batches_are_refused(noisy, lengths, message):
    with pytest.raises((TypeError, ValueError), match=message):
        enhancer_of(Gain()).enhance_batch(noisy, lengths)


def test_batch_that_is_not_finite_is_refused_with_its_place():
    noisy = speech(3, 100)
    noisy[1, 42] = np.inf
    with pytest.raises(ValueError, match="item 1 of noisy: sample 42 .* inf"):
        enhancer_of(Gain()).enhance_batch(noisy)


@pytest.mark.parametrize(
    "noisy, rate, message",
    [
        (np.zeros((2, 100)), 16000, "more channels than samples.*noisy.T"),
        (np.zeros((0, 1)), 16000, "neither of them 0"),
        (np.zeros((4, 2, 2)), 16000, "expected .time,. or .time, channels."),
        (np.zeros(9, "int16"), 16000, "int16, expected floating.*32768"),
        (np.zeros(9), 0, "sample_rate 0: expected a positive"),
        (np.zeros(9), 16000.5, "sample_rate 16000.5"),
        (np.full(9, np.nan), 16000, "noisy: sample 0 of channel 0 is nan"),
    ],
)
def test_wrong_arrays_are_refused(noisy, rate, message):
    with pytest.raises(ValueError, match=message):
        enhancer_of(Gain()).enhance_array(noisy, rate)


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000, 192000])
@pytest.mark.parametrize("shape", [(1,), (1, 1), (1, 2), (2, 3)])
def test_a_sample_or_two(rate, shape):
    noisy = np.full(shape, 0.5, "float32")
    enhanced = enhancer_of(Gain()).enhance_array(noisy, rate)
    assert enhanced.shape == shape and (np.abs(enhanced) > 0.01).all()


def test_samples_that_the_model_makes_infinite_are_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", speech(1, 99)[0].numpy(), 8000)
    with pytest.raises(ValueError, match="a.wav: the model does not give fin"):
        enhancer_of(Gain(np.inf)).enhance_file(tmp_path / "a.wav")


@pytest.mark.parametrize("rate", RATES)
def test_level_and_time_are_kept_at_every_rate(rate):
    noisy = np.stack([tones(rate, 2.2, 300, 1900), tones(rate, 2.2, 700)], 1)
    enhanced = enhancer_of(Gain()).enhance_array(noisy, rate)
    assert enhanced.shape == noisy.shape and enhanced.dtype == np.float32
    # Where a window begins or ends the filter has zeros to look at.
    inner = slice(rate // 20, -rate // 20)
    assert level((enhanced - noisy)[inner]) - level(noisy) < -80
    for before, after in zip(noisy.T, enhanced.T):
        lag = correlate(after, before).argmax() - (len(before) - 1)
        assert lag == 0
    halved = enhancer_of(Gain(0.5)).enhance_array(noisy, rate)
    assert level((halved - 0.5 * noisy)[inner]) - level(noisy) < -80


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000, 44101])
def test_windows_at_other_rates_are_what_one_pass_is(rate):
    enhancer = build("fcn2d")["enhancer"]
    with torch.no_grad():  # masks that differ from frame to frame
        for parameter in enhancer.net.conv8.parameters():
            parameter *= 30
    windows = OverlapAdd(window=5.0, context=0.5, fade=0.1, batch=2)
    long = OverlapAdd(window=100.0)
    noise = np.random.default_rng(0).standard_normal(round(11.3 * rate))
    noisy = (0.05 * noise).astype("float32") + tones(rate, 11.3, 440)
    one_pass = enhancer_of(enhancer, long).enhance_array(noisy, rate)
    joined = enhancer_of(enhancer, windows).enhance_array(noisy, rate)
    assert level(noisy - one_pass) - level(one_pass) > -20
    assert level(joined - one_pass) - level(one_pass) < -60


def test_high_band_is_dropped_or_kept_at_its_level():
    model = enhancer_of(Gain(0.0))
    low, high = tones(48000, 1.5, 1000), tones(48000, 1.5, 12000)
    dropped = model.enhance_array(low + high, 48000)
    assert level(dropped) < -100
    kept = model.enhance_array(low + high, 48000, keep_high_band=True)
    assert level(kept[2400:-2400] - high[2400:-2400]) - level(high) < -60
    # Nothing is above the band of the model.
    low = tones(16000, 0.5, 1000)
    assert not model.enhance_array(low, 16000, keep_high_band=True).any()


@pytest.mark.parametrize("seconds", [0.8, 2.0])  # within one window, beyond
@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("enhancer", [Gain(), unchanging()])
def test_a_lower_rate_keeps_all_of_its_band(enhancer, kept, seconds):
    model = enhancer_of(enhancer)
    top = tones(8000, seconds, 3900)
    enhanced = model.enhance_array(top, 8000, keep_high_band=kept)
    inner = slice(800, -800)
    assert abs(level(enhanced[inner]) - level(top[inner])) < 0.1
    # What is not in that sliver is the model's alone.
    low = tones(8000, seconds, 3000)
    silent = enhancer_of(Gain(0.0)).enhance_array(low, 8000, 1.0, kept)
    assert level(silent[inner]) - level(low) < -60


def test_dry_wet_mixes_with_the_noisy_signal():
    noisy = tones(44100, 1.5, 1000, 15000)
    model = enhancer_of(Gain(0.25))
    wet = model.enhance_array(noisy, 44100)
    assert np.array_equal(model.enhance_array(noisy, 44100, 0.0), noisy)
    half = model.enhance_array(noisy, 44100, dry_wet=0.5)
    assert np.allclose(half, 0.5 * (wet + noisy), atol=1e-6)
    assert model.enhance_array(noisy, 44100, np.float64(0.5)).dtype == "float32"
    for share in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match="dry_wet.*from 0 .* to 1"):
            model.enhance_array(noisy, 44100, dry_wet=share)
    for share in (None, "0.5"):
        with pytest.raises(TypeError, match="dry_wet is .*from 0 .* to 1"):
            model.enhance_array(noisy, 44100, dry_wet=share)


@pytest.mark.parametrize("rate", [16000, 44100])
def test_many_channels_pass_in_groups(rate):
    seen = []
    windows = OverlapAdd(window=0.9, context=0.2, fade=0.05, batch=3)
    model = enhancer_of(Gain(0.5), windows)
    model.listeners.append(lambda signals: seen.append(len(signals)))
    noisy = speech(8, rate).numpy().T
    enhanced = model.enhance_array(noisy, rate)
    assert set(seen) == {3, 2} and sum(seen) == 2 * 8
    for channel in range(8):
        alone = model.enhance_array(noisy[:, channel], rate)
        assert np.allclose(enhanced[:, channel], alone, atol=1e-6)


@pytest.mark.parametrize(
    "name, rate, channels, subtype",
    [
        ("telephone.wav", 8000, 1, "ULAW"),
        ("old.wav", 11025, 2, "PCM_U8"),
        ("studio.flac", 48000, 2, "PCM_24"),
        ("many.wav", 16000, 8, "FLOAT"),
        ("odd.aiff", 44101, 1, "PCM_16"),
        ("web.ogg", 44100, 2, "VORBIS"),
        ("music.mp3", 44100, 2, "MPEG_LAYER_III"),
    ],
)
def test_files_keep_rate_channels_subtype_and_length(
    tmp_path, name, rate, channels, subtype
):
    noisy = np.stack(
        [tones(rate, 2.3, 200 * (1 + c)) for c in range(channels)], 1
    )
    soundfile.write(tmp_path / name, noisy, rate, subtype)
    out = enhancer_of(Gain(0.5)).enhance_file(
        str(tmp_path / name), str(tmp_path / "out" / name)
    )
    assert out == tmp_path / "out" / name
    before, after = soundfile.info(tmp_path / name), soundfile.info(out)
    for key in ("samplerate", "channels", "format", "subtype", "frames"):
        assert getattr(before, key) == getattr(after, key), key
    difference = soundfile.read(out, always_2d=True)[0] - 0.5 * noisy
    assert level(difference[1000:-1000]) - level(noisy) < -20
    tensor = enhancer_of(Gain(0.5)).enhance_file(tmp_path / name)
    assert tensor.shape == ((len(noisy),) if channels == 1 else noisy.shape)


def test_unusual_recordings(tmp_path):
    model = enhancer_of(build("fcn2d")["enhancer"])
    speechlike = speech(1, 48000)[0].numpy()
    for name, samples, subtype in [
        ("silent", np.zeros(30000), "PCM_16"),
        ("10 ms", speechlike[:160], "PCM_16"),
        ("one sample", speechlike[:1], "PCM_16"),
        ("clipped", np.clip(40 * speechlike, -1, 1), "PCM_16"),
        ("8 bit", speechlike, "PCM_U8"),
        ("beyond full scale", 40 * speechlike, "FLOAT"),
    ]:
        path = tmp_path / f"{name}.wav"
        soundfile.write(path, samples, 16000, subtype)
        out = model.enhance_file(path, tmp_path / "out.wav")
        enhanced = soundfile.read(out)[0]
        assert len(enhanced) == len(samples), name
        assert np.isfinite(enhanced).all(), name
        # SpectralMask adds 1e-7 to each of the 257 magnitudes.
        assert (np.abs(enhanced).max() < 5e-5) == (name == "silent"), name
    assert np.abs(enhanced).max() > 1


def test_a_bad_file_leaves_the_old_output(tmp_path):
    samples = speech(1, 100_000)[0].numpy()
    samples[99_000] = np.nan
    soundfile.write(tmp_path / "a.wav", samples, 16000, "FLOAT")
    (tmp_path / "b.wav").write_text("old")
    with pytest.raises(ValueError, match="a.wav: sample 99000 of channel 0"):
        enhancer_of(Gain()).enhance_file(tmp_path / "a.wav", tmp_path / "b.wav")
    assert (tmp_path / "b.wav").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_file_is_not_held_in_memory(tmp_path):
    seen = []

    class Watched(Gain):
        def forward(self, noisy, lengths):
            parts = tmp_path.glob("out/.b.wav.*.part")
            seen.append((noisy.numel(), [p.stat().st_size for p in parts]))
            return super().forward(noisy, lengths)

    soundfile.write(tmp_path / "a.wav", speech(1, 480_000)[0].numpy(), 16000)
    model = enhancer_of(Watched(), OverlapAdd(3.0, 0.5, 0.1, batch=2))
    model.enhance_file(tmp_path / "a.wav", tmp_path / "out" / "b.wav")
    assert max(samples for samples, _ in seen) == 2 * 48000
    sizes = [size for _, size in seen]
    # Written while it is read: 2 bytes a sample, two windows at a time.
    assert sizes == sorted(sizes) and sizes[-1][0] > 2 * 300_000


def test_published_models_that_name_their_istft_in_resynth_only():
    backbone = build("blstm")
    settings = {"sample_rate": 16000, "win_length": 32, "hop_length": 16}
    stft, istft = STFT(n_fft=512, **settings), ISTFT(**settings)
    hparams = {
        "sample_rate": 16000,
        "compute_stft": stft,
        "resynth": partial(resynthesize, stft=stft, istft=istft),
    }
    modules = {"enhance_model": backbone["net"]}
    model = CMKTEnhancement(modules, hparams, {"device": "cpu"})
    expected = enhancer_of(backbone["enhancer"])
    noisy = speech(2, 9000)
    enhanced = model.enhance_batch(noisy)
    assert torch.equal(enhanced, expected.enhance_batch(noisy))
    del hparams["resynth"]
    with pytest.raises(ValueError, match="'compute_istft' nor a 'resynth'"):
        CMKTEnhancement(modules, hparams)


@pytest.mark.parametrize(
    "modules, message",
    [
        (None, "has the modules none: expected an 'enhancer'"),
        ({"generator": Gain()}, "has the modules generator: expected"),
        ({"masknet": Gain(), "encoder": Gain()}, "masknet, encoder: expected"),
        ({"enhance_model": Gain()}, "is a Gain: expected a net with an 'stft'"),
    ],
)
def test_modules_that_are_no_enhancer_are_refused(modules, message):
    with pytest.raises(ValueError, match=message):
        CMKTEnhancement(modules, {"sample_rate": 16000}, {"device": "cpu"})


def test_model_is_left_without_dropout_and_gradients():
    net = EnhanceResnet(channel_counts=[2], dense_count=1, dense_nodes=4)
    model = CMKTEnhancement(
        {"enhance_model": net}, {"sample_rate": 16000}, {"device": "cpu"}
    )
    noisy = speech(1, 8000).requires_grad_()
    enhanced = model.enhance_batch(noisy)
    assert torch.equal(enhanced, model.enhance_batch(noisy))
    assert not enhanced.requires_grad and not net.training
    trained_on = CMKTEnhancement(
        {"enhance_model": net.requires_grad_()},
        {"sample_rate": 16000},
        {"device": "cpu"},
        freeze_params=False,
    )
    assert torch.equal(enhanced, trained_on.enhance_batch(noisy))
    assert isinstance(model.windows, OverlapAdd)
