"""Tests of the mixer: exact, aligned, at the SNR that was asked for."""

import math
from fractions import Fraction

import numpy as np
import pytest
import soundfile
import torch
from mixing_files import RATE, corpus, rounded_root, snr_of, steps, write

from cmkt_plugin.mixing.level import gain
from cmkt_plugin.mixing.manifest import checksum
from cmkt_plugin.mixing.mixer import Mixer
from cmkt_plugin.mixing.mixture import Mixture, Talker
from cmkt_plugin.mixing.noise import SilentNoise
from cmkt_plugin.mixing.pcm import read_cyclic

# CRC-32 of what `test_same_bytes_on_every_machine` renders.
NOTED = ["7906afa2", "182cc186", "74c0f4b6"]


@pytest.fixture
def clean(tmp_path):
    return write(tmp_path / "clean.wav", steps(2000, seed=1))


@pytest.fixture
def noise(tmp_path):
    return write(tmp_path / "noise.wav", steps(900, seed=2, peak=500))


@pytest.fixture
def mixer():
    return Mixer(RATE)


def mean_square(samples):
    return np.mean(samples.astype(np.float64) ** 2)


def reference(speech, noise, offset, snr_tens, taps=(1,), direct=0, early=1):
    """The mixture by Python's whole numbers, one sample at a time."""

    def heard(taps):
        wet = []
        for n in range(direct, direct + len(speech)):
            terms = (
                taps[k] * speech[n - k]
                for k in range(len(taps))
                if 0 <= n - k < len(speech)
            )
            wet.append(round(Fraction(sum(terms), taps[direct])))
        return wet

    wet, target = heard(taps), heard(taps[: direct + early])
    span = [noise[(offset + n) % len(noise)] for n in range(len(speech))]
    power = Fraction(sum(s * s for s in wet), sum(s * s for s in span))
    gain = rounded_root(power / Fraction(10) ** snr_tens)
    return [round(s + n * gain) for s, n in zip(wet, span)], target


def test_mixture_equals_the_reference_in_whole_numbers(clean, noise, mixer):
    mixture = Mixture(snr=10.0, noise=noise, offset=700)
    noisy, target = mixer.render_pcm(clean, mixture)
    expected = reference(
        steps(2000, seed=1), steps(900, seed=2, peak=500), 700, snr_tens=1
    )
    assert noisy.tolist() == expected[0]
    assert target.tolist() == expected[1] == steps(2000, seed=1)


def test_room_equals_the_reference_in_whole_numbers(
    tmp_path, clean, noise, mixer
):
    # The largest tap is a power of two: dividing by it changes no tap.
    taps = [20, -300, 16384, 0, 9000, *steps(60, seed=3, peak=4000)]
    rir = write(tmp_path / "room.wav", taps)
    mixture = Mixture(snr=-10.0, noise=noise, rir=rir, early_ms=1.0)
    noisy, target = mixer.render_pcm(clean, mixture)
    expected = reference(
        steps(2000, seed=1),
        steps(900, seed=2, peak=500),
        offset=0,
        snr_tens=-1,
        taps=taps,
        direct=2,
        early=17,
    )
    assert max(map(abs, expected[0])) < 32767  # else it would be scaled
    assert noisy.tolist() == expected[0]
    assert target.tolist() == expected[1]


def test_halves_in_a_room_are_rounded_to_even(tmp_path, clean, noise, mixer):
    """An FFT's error would round halves up or down by chance."""
    rir = write(tmp_path / "room.wav", [16384, 8192])
    mixture = Mixture(snr=60.0, noise=noise, rir=rir)
    _, target = mixer.render_pcm(clean, mixture)
    speech = [0, *steps(2000, seed=1)]
    wet = [Fraction(2 * b + a, 2) for a, b in zip(speech, speech[1:])]
    assert sum(value.denominator == 2 for value in wet) > 900
    assert target.tolist() == [round(value) for value in wet]


def test_same_bytes_on_every_machine(tmp_path, clean, noise, mixer):
    """The checksums were noted once: nothing may change them."""
    entries = corpus(tmp_path, speakers=3, utterances=1)
    talkers = tuple(
        Talker(entry["clean_wav"], entry["speaker"], offset=1000 * number)
        for number, entry in enumerate(entries.values())
    )
    rir = write(tmp_path / "room.wav", steps(300, seed=3, peak=9000))
    found = [
        checksum(*mixer.render_pcm(clean, mixture))
        for mixture in (
            Mixture(snr=3.21, noise=noise, offset=5, rir=rir),
            Mixture(snr=-4.99, talkers=talkers, level=-20.55),
            Mixture(snr=0.0, noise=noise, speed=1.1),
        )
    ]
    assert found == NOTED


def test_gain_is_the_nearest_float():
    for wanted, found in ((3, 7), (10**15 + 1, 3**33), (2**62, 5)):
        ratio = Fraction(wanted, found)
        assert gain(wanted, found) == rounded_root(ratio)
        assert gain(wanted, found, -20) == rounded_root(ratio / 100)
        decibel = 20 * math.log10(gain(wanted, found, 0.01)) - 0.01
        assert decibel == pytest.approx(10 * math.log10(ratio), abs=1e-9)


@pytest.mark.parametrize("snr", [-7.53, 0.0, 12.34])
def test_snr_is_what_was_asked_for(clean, noise, mixer, snr):
    noisy, target = mixer.render_pcm(clean, Mixture(snr=snr, noise=noise))
    assert snr_of(noisy, target) == pytest.approx(snr, abs=0.05)


def test_snr_of_babble_and_of_voices(tmp_path, clean, mixer):
    quiet = write(tmp_path / "quiet.wav", steps(2000, seed=5, peak=300))
    loud = write(tmp_path / "loud.wav", steps(2000, seed=6, peak=9000))
    talkers = (Talker(quiet, "a", 0), Talker(loud, "b", 0))
    mixture = Mixture(snr=5.0, talkers=talkers)
    noisy, target = mixer.render_pcm(clean, mixture)
    assert snr_of(noisy, target) == pytest.approx(5.0, abs=0.05)
    babble = (noisy - target).astype(np.float64)
    shares = [
        np.dot(babble, voice) / np.linalg.norm(voice)
        for voice in (steps(2000, 5, 300), steps(2000, 6, 9000))
    ]
    assert shares[0] == pytest.approx(shares[1], rel=0.01)  # equally loud


def test_snr_counts_the_reverberant_speech(tmp_path, clean, noise, mixer):
    rir = write(tmp_path / "room.wav", [16000] + 30 * [4000])
    mixture = Mixture(snr=6.0, noise=noise, rir=rir, early_ms=1000.0)
    noisy, reverberant = mixer.render_pcm(clean, mixture)
    assert snr_of(noisy, reverberant) == pytest.approx(6.0, abs=0.05)


def test_direct_sound_is_aligned_with_the_dry_speech(
    tmp_path, clean, noise, mixer
):
    rir = write(tmp_path / "room.wav", 100 * [0] + [-8000] + 2000 * [0])
    mixture = Mixture(snr=60.0, noise=noise, rir=rir)
    noisy, target = mixer.render_pcm(clean, mixture)
    assert target.tolist() == steps(2000, seed=1)
    assert np.abs(noisy - target).max() < 10


def test_target_keeps_early_echoes_only(tmp_path, noise, mixer):
    click = write(tmp_path / "click.wav", [8000] + 1999 * [0])
    taps = np.zeros(1700, dtype=int)
    direct, early, late = 16, 16 + 800, 16 + 801  # 50 ms are 800 samples
    taps[[direct, early, late]] = 16000, 8000, 4000
    rir = write(tmp_path / "room.wav", taps)
    mixture = Mixture(snr=60.0, noise=noise, rir=rir)
    noisy, target = mixer.render_pcm(click, mixture)
    heard = {index: target[index] for index in np.nonzero(target)[0]}
    assert heard == {0: 8000, 800: 4000}
    assert noisy[801] == pytest.approx(2000, abs=10)


def test_response_of_another_rate_is_refused(tmp_path, clean, noise, mixer):
    rir = write(tmp_path / "room.wav", [16000, 500], rate=48000)
    with pytest.raises(
        ValueError, match="room.wav.*at 16000 Hz, found 48000 Hz; resample"
    ):
        mixer.render(clean, Mixture(snr=0.0, noise=noise, rir=rir))


def test_silent_response_is_refused(tmp_path, clean, noise, mixer):
    rir = write(tmp_path / "room.wav", 10 * [0])
    with pytest.raises(ValueError, match="room.wav.*silence"):
        mixer.render(clean, Mixture(snr=0.0, noise=noise, rir=rir))


@pytest.mark.parametrize("name", ["tone.flac", "tone.ogg"])
def test_noise_of_other_rates_formats_and_channels(
    tmp_path, clean, mixer, name
):
    seconds = np.arange(44100) / 44100
    tone = 0.3 * np.sin(2 * np.pi * 1000 * seconds)
    hiss = np.random.default_rng(0).standard_normal(44100) / 10
    path = str(tmp_path / name)
    soundfile.write(path, np.stack([tone, hiss], axis=1), 44100)
    mixture = Mixture(snr=3.0, noise=path, offset=441)
    noisy, target = mixer.render_pcm(clean, mixture)
    added = (noisy - target).astype(np.float64)
    assert len(added) == 2000
    assert snr_of(noisy, target) == pytest.approx(3.0, abs=0.05)
    # The first channel alone, at its own pitch: 1000 Hz is bin 125 of 2000.
    spectrum = np.abs(np.fft.rfft(added * np.hanning(2000))) ** 2
    assert spectrum[122:129].sum() > 0.99 * spectrum.sum()


def test_high_rates_do_not_fold_into_the_band(tmp_path, clean, mixer):
    seconds = np.arange(48000) / 48000
    low, high = (np.sin(2 * np.pi * f * seconds) for f in (480, 15000))
    path = str(tmp_path / "two.wav")
    soundfile.write(path, 0.01 * low + 0.5 * high, 48000)
    noisy, target = mixer.render_pcm(clean, Mixture(snr=0.0, noise=path))
    added = np.abs(np.fft.rfft((noisy - target) * np.hanning(2000)))
    assert np.argmax(added) == 480 / RATE * 2000


def test_nothing_clips_and_both_sides_scale_together(tmp_path, noise, mixer):
    loud = write(tmp_path / "loud.wav", steps(2000, seed=4, peak=32000))
    noisy, target = mixer.render_pcm(loud, Mixture(snr=-5.0, noise=noise))
    assert np.abs(noisy.astype(int)).max() == 32767
    recorded = np.array(steps(2000, seed=4, peak=32000))
    factor = np.dot(target, recorded) / np.dot(recorded, recorded)
    assert factor < 0.5
    np.testing.assert_allclose(target, factor * recorded, atol=0.51)
    assert snr_of(noisy.astype(int), target) == pytest.approx(-5.0, abs=0.05)


def test_level_is_that_of_the_noisy_file(clean, noise, mixer):
    mixture = Mixture(snr=5.0, noise=noise, level=-31.5)
    noisy, target = mixer.render_pcm(clean, mixture)
    level = 10 * np.log10(mean_square(noisy / 32768))
    assert level == pytest.approx(-31.5, abs=0.01)
    assert snr_of(noisy, target) == pytest.approx(5.0, abs=0.05)


def test_level_too_high_does_not_clip(clean, noise, mixer):
    mixture = Mixture(snr=5.0, noise=noise, level=0.0)
    noisy, target = mixer.render_pcm(clean, mixture)
    assert np.abs(noisy.astype(int)).max() == 32767
    assert snr_of(noisy.astype(int), target) == pytest.approx(5, abs=0.05)


def test_silent_speech_gets_its_noise_as_recorded(tmp_path, noise, mixer):
    silence = write(tmp_path / "silence.wav", 900 * [0])
    noisy, target = mixer.render_pcm(silence, Mixture(snr=5.0, noise=noise))
    assert noisy.tolist() == steps(900, seed=2, peak=500)
    assert not target.any()


def test_silent_noise_is_refused_by_name(tmp_path, clean, mixer):
    noise = write(tmp_path / "off.wav", 5000 * [0] + 500 * [9])
    with pytest.raises(SilentNoise, match="off.wav.*from frame 100 on"):
        mixer.render(clean, Mixture(snr=5.0, noise=noise, offset=100))
    talkers = (Talker(noise, "a", 0),)
    with pytest.raises(SilentNoise, match="off.wav"):
        mixer.render(clean, Mixture(snr=5.0, talkers=talkers))


def test_noise_that_ends_before_its_header_says_begins_again(tmp_path):
    path = tmp_path / "short.mp3"
    write(path, steps(3 * RATE, seed=2))
    path.write_bytes(path.read_bytes()[:6000])
    start, _ = read_cyclic(str(path), 0, 1000, RATE)
    late, _ = read_cyclic(str(path), 2 * RATE, 1000, RATE)
    assert soundfile.info(str(path)).frames > 2 * RATE
    assert len(late) == 1000 and np.array_equal(start, late)


def test_noise_that_cannot_be_read_is_named(tmp_path, clean, mixer):
    path = tmp_path / "cut.flac"
    write(path, steps(3 * RATE, seed=2))
    path.write_bytes(path.read_bytes()[:30000])
    mixture = Mixture(snr=0.0, noise=str(path), offset=2 * RATE)
    with pytest.raises(ValueError, match="cut.flac: expected audio, found"):
        mixer.render(clean, mixture)
    with pytest.raises(ValueError, match="cut.flac: expected audio, found"):
        mixer.render(str(path), Mixture(snr=0.0, noise=clean))


def test_speech_of_another_rate_is_refused(tmp_path, noise, mixer):
    clean = write(tmp_path / "clean.wav", steps(2000, seed=1), rate=8000)
    with pytest.raises(ValueError, match="clean.wav.*16000 Hz, found 8000 Hz"):
        mixer.render(clean, Mixture(snr=5.0, noise=noise))
    talkers = (Talker(clean, "a", 0),)
    with pytest.raises(ValueError, match="talker.*16000 Hz, found 8000 Hz"):
        mixer.render(noise, Mixture(snr=5.0, talkers=talkers))


def test_empty_speech_is_refused(tmp_path, noise, mixer):
    clean = write(tmp_path / "clean.wav", [])
    with pytest.raises(ValueError, match="clean.wav: 0 samples"):
        mixer.render(clean, Mixture(snr=5.0, noise=noise))


@pytest.mark.parametrize("value", [np.nan, np.inf, 20000.0])
def test_values_that_are_no_audio_are_refused(tmp_path, clean, mixer, value):
    noise = str(tmp_path / "float.wav")
    soundfile.write(noise, np.full(3000, value), RATE, subtype="FLOAT")
    with pytest.raises(ValueError, match="float.wav: holds values up to"):
        mixer.render(clean, Mixture(snr=5.0, noise=noise))


def test_speed_shortens_and_raises_the_pitch(tmp_path, noise, mixer):
    tone = 8000 * np.sin(2 * np.pi * 500 * np.arange(RATE) / RATE)
    clean = write(tmp_path / "tone.wav", np.rint(tone))
    mixture = Mixture(snr=50.0, noise=noise, speed=1.25)
    noisy, target = mixer.render_pcm(clean, mixture)
    assert len(noisy) == len(target) == RATE / 1.25
    peak = np.argmax(np.abs(np.fft.rfft(target))) * RATE / len(target)
    assert peak == 625


def test_speed_draws_nothing_from_the_global_generator(clean, noise, mixer):
    before = torch.get_rng_state()
    mixer.render(clean, Mixture(snr=5.0, noise=noise, speed=0.9))
    assert torch.equal(before, torch.get_rng_state())


def test_waveforms_are_the_16_bit_steps(clean, noise, mixer):
    mixture = Mixture(snr=5.0, noise=noise)
    noisy, target = mixer.render(clean, mixture)
    assert noisy.dtype == target.dtype == torch.float32
    pcm = mixer.render_pcm(clean, mixture)
    assert (noisy * 32768).tolist() == pcm[0].tolist()
    assert (target * 32768).tolist() == pcm[1].tolist()


def test_unknown_fields_of_a_mixture_are_named():
    with pytest.raises(ValueError, match="sn.*expected the fields snr, noise"):
        Mixture.from_json({"sn": 5.0})
