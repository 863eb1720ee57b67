"""The enhancer of videos: lips by time, windows, seeds, what is missing."""

import logging
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from shaded_videos import (
    RATE,
    Brightness,
    WholePicture,
    heard,
    tone,
    write_video,
)
from test_export import make_run
from toy_backbones import build

from cmkt_plugin.exporting.export import export
from cmkt_plugin.loading.adapters import parts_of
from cmkt_plugin.overlap_add import OverlapAdd
from cmkt_plugin.visual import inference, video_lips
from cmkt_plugin.visual.inference import AudioVisualEnhancement
from cmkt_plugin.visual.sound_track import spool_sound
from cmkt_plugin.visual.unusable_clip import UnusableClip

GRID = Path(__file__).parents[2] / "OUT" / "grid"
# Their parts are a whole number neither of frames nor of pictures.
SHORT = {"window": 1.03, "context": 0.2, "fade": 0.1}
LEVELS = np.arange(60, 180, 2)  # 60 pictures, 2.4 s


def model_of(enhancer, **options):
    return AudioVisualEnhancement(*parts_of(enhancer, RATE), **options)


@pytest.fixture
def faces(monkeypatch):
    """Sees a face in every picture, and its mouth all over it."""

    def mouth(found):
        present = np.array([bool(faces) for faces in found])
        squares = np.array([[47.5, 47.5, 96.0]] * len(found))
        return squares, present

    monkeypatch.setattr(inference, "CascadeDetector", WholePicture)
    monkeypatch.setattr(video_lips, "MouthGeometry", lambda: mouth)


def gain(levels, samples, rate=RATE):
    """What ``Brightness`` makes of pictures that begin with the sound."""
    frame = np.arange(samples) * 25 // rate
    levels = np.append(levels, 0)
    return levels[np.minimum(frame, len(levels) - 1)][:, None] / 255


def lips_of(levels):
    pixels = np.asarray(levels, np.uint8)[:, None, None]
    return np.broadcast_to(pixels, (len(levels), 96, 96))


@pytest.mark.parametrize("windows", [None, SHORT], ids=["pass", "windows"])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_sample_is_enhanced_with_the_lips_of_its_time(windows, channels):
    model = model_of(Brightness(), windows=windows and OverlapAdd(**windows))
    noisy = tone(3.0, channels=channels)  # longer than the picture
    present = np.ones(len(LEVELS))
    present[10:20] = 0
    enhanced = model.enhance_pair(noisy, RATE, lips_of(LEVELS), present)
    expected = noisy * gain(LEVELS * present, len(noisy))
    assert np.abs(enhanced - expected).max() < 1e-6


def test_of_another_rate_windows_begin_with_pictures_too():
    noisy = tone(2.4, rate=44100)
    one, many = (
        model_of(Brightness(), windows=OverlapAdd(**windows)).enhance_pair(
            noisy, 44100, lips_of(LEVELS)
        )
        for windows in ({}, SHORT)
    )
    assert np.abs(one - many).max() < 1e-3
    assert np.abs(one - noisy * gain(LEVELS, len(noisy), 44100)).max() < 0.1


def test_without_lips_the_sound_alone():
    model = model_of(Brightness())
    noisy = tone(1.0)[:, 0]
    assert np.allclose(model.enhance_pair(noisy, RATE), 0.01 * noisy)
    assert np.allclose(model.enhance_array(noisy, RATE), 0.01 * noisy)


def test_a_model_that_only_listens_looks_at_nothing():
    model = model_of(build("gru")["enhancer"])
    noisy = tone(1.0)
    enhanced = model.enhance_pair(noisy, RATE, lips_of(LEVELS))
    assert np.array_equal(enhanced, model.enhance_array(noisy, RATE))
    assert not model.looks


@pytest.mark.parametrize(
    "pixels, present, told",
    [
        (np.zeros((5, 88, 88), np.uint8), None, r"\(5, 88, 88\) uint8"),
        (np.zeros((5, 96, 96)), None, "float64"),
        (np.zeros((0, 96, 96), np.uint8), None, r"\(0, 96, 96\)"),
        (lips_of(LEVELS), np.ones(3), "each of 60 frames"),
    ],
)
def test_what_is_no_lips_is_refused(pixels, present, told):
    with pytest.raises(ValueError, match=told):
        model_of(Brightness()).enhance_pair(tone(1.0), RATE, pixels, present)


def test_lips_of_another_length_are_told(caplog):
    with caplog.at_level(logging.WARNING):
        model_of(Brightness()).enhance_pair(tone(1.0), RATE, lips_of(LEVELS))
    assert "2.40 s of lips at 25 frames/s beside 1.00 s of sound" in caplog.text


@pytest.mark.parametrize("begins", [0.0, 0.4])
def test_lips_and_sound_of_a_video_by_its_clock(tmp_path, faces, begins):
    path = tmp_path / "a.mkv"
    noisy = tone(2.0, channels=2)
    write_video(path, LEVELS, noisy, begins=begins)
    model = model_of(Brightness(), windows=OverlapAdd(**SHORT))
    enhanced = model.enhance_video(path).numpy()
    seen = LEVELS[round(25 * begins) :]
    assert enhanced.shape == noisy.shape
    # The pictures' way to grey and back costs two levels, the sound 16 bits.
    assert np.abs(enhanced - noisy * gain(seen, len(noisy))).max() < 0.02
    assert model.enhance_video(path, tmp_path / "a.flac").is_file()
    written, rate = soundfile.read(tmp_path / "a.flac")
    assert rate == RATE and np.abs(written - enhanced).max() < 1e-6


@pytest.mark.parametrize("late", [-400, 200])
def test_lips_of_sound_that_is_late_or_early(tmp_path, faces, late):
    path = tmp_path / "a.mkv"
    write_video(path, LEVELS, tone(2.0))
    model = model_of(Brightness(), windows=OverlapAdd(**SHORT))
    enhanced = model.enhance_video(path, offset_ms=late).numpy()
    frames = round(25 * late / 1000)
    # Before the first picture there is none to see.
    seen = np.append(np.zeros(max(frames, 0)), LEVELS[max(-frames, 0) :])
    expected = tone(2.0) * gain(seen, len(enhanced))
    assert np.abs(enhanced - expected[:, 0]).max() < 0.02


def test_without_a_face_the_sound_alone_and_a_warning(tmp_path, caplog, faces):
    path = tmp_path / "dark.mkv"
    write_video(path, [16] * 25, tone(1.0))
    model = model_of(Brightness())
    with caplog.at_level(logging.WARNING):
        enhanced = model.enhance_video(path).numpy()
    assert np.abs(enhanced - 0.01 * tone(1.0)[:, 0]).max() < 1e-4
    assert f"{path}: no face in any of its 25 frames: enh" in caplog.text


@pytest.mark.parametrize("name", ["a.wav", "a.mka"])
def test_without_picture_the_sound_alone_and_a_warning(tmp_path, caplog, name):
    path = tmp_path / name
    write_video(path, sound=tone(1.0))
    with caplog.at_level(logging.WARNING):
        enhanced = model_of(Brightness()).enhance_video(path).numpy()
    assert np.abs(enhanced - 0.01 * tone(1.0)[:, 0]).max() < 1e-4
    assert f"{path}: there is no picture: enhanced from" in caplog.text


def test_without_sound_there_is_nothing_to_enhance(tmp_path):
    path = tmp_path / "silent.mkv"
    write_video(path, LEVELS)
    with pytest.raises(UnusableClip, match="silent.mkv: no sound: .* video"):
        model_of(Brightness()).enhance_video(path)


def test_what_is_cut_off_or_no_video_is_refused(tmp_path):
    model = model_of(Brightness())
    path = tmp_path / "a.mkv"
    write_video(path, LEVELS, tone(2.4))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnusableClip, match="corrupt file: it ends after"):
        model.enhance_video(path)
    path.write_bytes(b"no video" * 100)
    with pytest.raises(UnusableClip, match="a.mkv: corrupt file"):
        model.enhance_video(path)
    with pytest.raises(UnusableClip, match="b.mkv: no file"):
        model.enhance_video(tmp_path / "b.mkv")


def test_a_gap_in_the_sound_is_silence(tmp_path):
    path, sound = tmp_path / "a.mkv", tmp_path / "a.rf64"
    write_video(path, sound=tone(1.0), begins=0.25, gap=(0.4, 0.5))
    track = spool_sound(path, sound)
    assert track.start == Fraction(1, 4) and track.seconds == 1.5
    noisy, _ = soundfile.read(sound, always_2d=True)
    first, silence, second = np.split(noisy, (6400, 14400))
    assert not silence.any()
    joined = np.concatenate([first, second])
    assert np.abs(joined - tone(1.0)).max() < 1e-4


def sampling_model():
    """A score model that says something: untrained, its last layer is 0."""
    enhancer = build("sgmse")["enhancer"].eval()
    for parameter in enhancer.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return model_of(enhancer)


class TestSampler:
    def test_the_same_seed_gives_the_same_samples(self):
        model = sampling_model()
        noisy = tone(0.3)[:, 0]
        one, again, other = (
            model.enhance_pair(noisy, RATE, seed=seed) for seed in (1, 1, 2)
        )
        assert np.array_equal(one, again)
        assert np.abs(one - other).max() > 1e-4
        # The model's own is another again, and was not changed meanwhile.
        assert model.seed == 0
        model.seed = 1
        assert np.array_equal(model.enhance_array(noisy, RATE), one)

    def test_steps(self):
        model = sampling_model()
        noisy = tone(0.3)[:, 0]
        two, model.steps = model.enhance_pair(noisy, RATE), 4
        assert model.steps == 4
        assert np.abs(model.enhance_pair(noisy, RATE) - two).max() > 1e-4
        with pytest.raises(ValueError, match="steps 0: expected a whole"):
            model.steps = 0

    def test_a_model_without_one_refuses(self):
        model = model_of(Brightness())
        with pytest.raises(ValueError, match="Brightness draws no samples"):
            model.enhance_pair(tone(1.0), RATE, seed=1)
        with pytest.raises(ValueError, match="Brightness draws no samples"):
            model.steps = 4


# Runs where transformers cannot be imported, nor what is taught with it.
WITHOUT_LM = """
import sys
for name in ("transformers", "cmkt_plugin.teacher", "cmkt_plugin.transfer"):
    sys.modules[name] = None
import numpy as np
from cmkt_plugin.visual.inference import AudioVisualEnhancement
noisy = np.load("noisy.npy")
pixels = np.full((25, 96, 96), 90, np.uint8)
model = AudioVisualEnhancement.open("export", "cpu")
np.save("safe.npy", model.enhance_pair(noisy, 16000, pixels))
model = AudioVisualEnhancement.from_hparams(
    "export", run_opts={"device": "cpu"}
)
np.save("seen.npy", model.enhance_pair(noisy, 16000, pixels))
np.save("heard.npy", model.enhance_pair(noisy, 16000))
"""


def test_an_export_without_the_language_model(tmp_path):
    # Both stages: the predictive one is within the other.
    make_run(tmp_path / "run", "audio_visual_score")
    export(tmp_path / "run", tmp_path / "export")
    readme = (tmp_path / "export" / "README.md").read_text()
    assert "cmkt enhance-video -m FOLDER talk.mp4" in readme
    assert 'AudioVisualEnhancement.open("FOLDER")\n' in readme
    noisy = tone(0.2)
    np.save(tmp_path / "noisy.npy", noisy)
    subprocess.run([sys.executable, "-c", WITHOUT_LM], cwd=tmp_path, check=True)
    model = AudioVisualEnhancement.open(tmp_path / "run", "cpu")
    assert model.looks
    pixels = np.full((25, 96, 96), 90, np.uint8)
    expected = model.enhance_pair(noisy, RATE, pixels)
    safe, seen, heard = (
        np.load(tmp_path / f"{name}.npy") for name in ("safe", "seen", "heard")
    )
    assert np.abs(safe - expected).max() < 1e-6
    assert np.abs(seen - expected).max() < 1e-6
    assert np.abs(seen - heard).max() > 1e-5


@pytest.mark.skipif(not GRID.is_dir(), reason="no GRID clips beside the tree")
def test_a_real_clip(tmp_path):
    path = next(GRID.glob("s1/video/*.mpg"))
    model = model_of(build("audio_visual")["enhancer"].eval())
    out = model.enhance_video(path, tmp_path / "a.mkv")
    enhanced, start = heard(out)
    assert start == 0.0 and enhanced.shape[0] > 2.9 * 44100
    assert np.isfinite(enhanced).all() and np.abs(enhanced).max() > 1e-3
