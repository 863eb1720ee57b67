"""Decoding: time stamps, rotation, sound, and what is refused."""

from fractions import Fraction

import numpy as np
import pytest
import shaded_videos
import soundfile
from tiny_videos import HEIGHT, WIDTH, blank, face, tone, write_video

from cmkt_plugin.visual.sound import read_sound
from cmkt_plugin.visual.unusable_clip import UnusableClip
from cmkt_plugin.visual.video import at_frame_rate, read_frames, timing


def numbered(count):
    """Plain pictures, each of its own grey."""
    return [np.full((32, 32), 40 + 5 * n, np.uint8) for n in range(count)]


def numbers(images):
    return [
        None if image is None else round((image.mean() - 40) / 5)
        for image in images
    ]


def span(path):
    return timing([(f.time, f.duration) for f in read_frames(path)])


@pytest.mark.parametrize("fps", [15, 24, 25, 30, 50, 60])
def test_each_frame_is_the_one_shown_at_its_time(tmp_path, fps):
    path = write_video(tmp_path / "a.mkv", numbered(30), fps=fps)
    found = numbers(at_frame_rate(read_frames(path)))
    assert len(found) == pytest.approx(30 / fps * 25, abs=1)
    for slot, number in enumerate(found):
        shown, until = number / fps, (number + 1) / fps
        # Within half a frame of 25 a second, and a tick of the file.
        assert shown - 0.0211 <= slot / 25 <= until + 0.0211
    assert span(path).rate == pytest.approx(fps, rel=0.02)
    assert not span(path).is_variable


def test_a_variable_frame_rate_is_followed_and_noted(tmp_path):
    times = [0, 0.04, 0.06, 0.1, 0.12, 0.16, 0.24, 0.28]
    path = write_video(tmp_path / "a.mkv", numbered(8), times)
    found = numbers(at_frame_rate(read_frames(path)))
    # 0, 40, 80, 120, 160, 200, 240, 280 ms, rounded to half a frame
    assert found == [0, 1, 2, 4, 5, 5, 6, 7]
    assert span(path).is_variable


def test_a_picture_that_stands_still_is_no_picture_of_lips(tmp_path):
    path = write_video(tmp_path / "a.mkv", numbered(3), [0, 0.04, 0.6])
    found = numbers(at_frame_rate(read_frames(path)))
    assert found == [0] + 6 * [1] + 8 * [None] + [2]


def test_before_the_first_frame_there_is_none(tmp_path):
    path = write_video(tmp_path / "a.mkv", numbered(4), [0.2, 0.24, 0.28, 0.32])
    start = Fraction(3, 25)
    found = numbers(at_frame_rate(read_frames(path), start))
    assert found == [None, None, 0, 1, 2, 3]
    assert numbers(at_frame_rate(read_frames(path))) == [0, 1, 2, 3]


def test_a_phones_portrait_video_is_turned_upright(tmp_path):
    lying = np.zeros((48, 64), np.uint8)
    lying[:16, :16] = 255
    # Phones ask to turn their pictures to the right: minus 90 to the left.
    path = write_video(tmp_path / "a.mp4", 2 * [lying], turn=-90)
    image = next(read_frames(path)).image
    assert image.shape == (64, 48)
    assert image[:16, -16:].mean() > 200 and image[:, :16].mean() < 50


def test_sound_begins_where_the_file_says(tmp_path):
    path = write_video(
        tmp_path / "a.mkv", numbered(25), sound=tone(0.5), sound_start=0.24
    )
    sound = read_sound(path)
    assert sound.start == Fraction(24, 100)
    assert len(sound.samples) == 8000
    assert np.allclose(sound.samples, tone(0.5), atol=1e-4)


def test_what_follows_a_short_gap_in_the_sound_stays_in_step(tmp_path):
    path = tmp_path / "a.mkv"
    shaded_videos.write_video(
        path, sound=shaded_videos.tone(1.0), gap=(0.4, 0.2)
    )
    first, silence, second = np.split(read_sound(path).samples, (6400, 9600))
    assert not silence.any()
    joined = np.concatenate([first, second])
    assert np.allclose(joined, shaded_videos.tone(1.0)[:, 0], atol=1e-4)
    shaded_videos.write_video(
        path, sound=shaded_videos.tone(1.0), gap=(0.4, 0.5)
    )
    with pytest.raises(UnusableClip, match="1.00 s of sound, expected 1.50 s"):
        read_sound(path)


def test_sound_of_any_rate_and_channels_becomes_16_khz_mono(tmp_path):
    left = tone(1.0, 44100)
    path = tmp_path / "a.flac"
    soundfile.write(path, np.stack([left, 0 * left], 1), 44100)
    samples = read_sound(path).samples
    assert len(samples) == 16000
    assert np.allclose(samples[100:-100], 0.5 * tone(1.0)[100:-100], atol=1e-3)


def test_a_video_without_sound(tmp_path):
    path = write_video(tmp_path / "a.mkv", numbered(2))
    with pytest.raises(UnusableClip, match="a.mkv: no sound: .*found video"):
        read_sound(path)


def test_a_video_without_picture(tmp_path):
    path = write_video(tmp_path / "a.mkv", sound=tone(0.2))
    with pytest.raises(UnusableClip, match="a.mkv: no picture: .*found audio"):
        next(read_frames(path))


@pytest.mark.parametrize("read", [read_sound, lambda p: list(read_frames(p))])
def test_a_file_that_is_none_or_missing(tmp_path, read):
    (tmp_path / "a.mp4").write_bytes(b"not a video" * 100)
    with pytest.raises(UnusableClip, match="a.mp4: corrupt file: .*again"):
        read(tmp_path / "a.mp4")
    with pytest.raises(UnusableClip, match="b.mp4: no file"):
        read(tmp_path / "b.mp4")


def test_a_file_cut_off_in_the_middle(tmp_path):
    rng = np.random.default_rng(0)
    noise = list(rng.integers(0, 255, (50, 32, 32), np.uint8))
    path = write_video(tmp_path / "a.mkv", noise, sound=tone(2))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(UnusableClip, match="corrupt file: .*expected 2.00 s"):
        list(read_frames(path))


def test_what_ffmpeg_patches_is_no_picture(tmp_path):
    images = [face(n % 5 / 4) for n in range(20)]
    path = write_video(tmp_path / "a.mkv", images)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 40] = bytes(40)
    path.write_bytes(content)
    frames = list(read_frames(path))
    damaged = [frame.image is None for frame in frames]
    assert not damaged[0] and any(damaged)


def test_times_that_go_back_are_refused(tmp_path):
    path = tmp_path / "a.mkv"
    write_video(path, numbered(3), [0, 0.04, 90])
    with pytest.raises(UnusableClip, match="at 90.00 s follows one at 0.04 s"):
        list(read_frames(path))


def test_pictures_have_the_size_they_are_shown_in(tmp_path):
    path = write_video(tmp_path / "a.mp4", [blank()])
    assert next(read_frames(path)).image.shape == (HEIGHT, WIDTH)
