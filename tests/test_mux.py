"""A new sound in an old video: the picture's bits, the sound's time."""

import errno
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_videos
from shaded_videos import av, heard, packets, shown_from, tone, write_video

from cmkt_plugin.visual import (
    mux as module,
    picture_packets,
)
from cmkt_plugin.visual.mux import check_mux, mux
from cmkt_plugin.visual.sound_track import spool_sound

LEVELS = np.arange(60, 160, 2)  # 50 pictures, 2 s
LOSSY = ("mpeg4", "aac")
FULL = Path("/dev/full")  # takes nothing


def delay(one, other, rate):
    """Seconds by which the second sound comes later."""
    count = 2 * max(len(one), len(other))
    one, other = (np.fft.rfft(x[:, 0], count) for x in (one, other))
    found = int(np.argmax(np.fft.irfft(other * one.conj())))
    return (found - count * (found > count // 2)) / rate


def times(path):
    """When each picture is shown after the first one (s)."""
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        shown = [p.pts for p in file.demux(stream) if p.size]
        return (np.array(shown) - min(shown)) * float(stream.time_base)


def codec(path):
    with av.open(str(path)) as file:
        return file.streams.audio[0].codec_context.name


def sweep(seconds, rate, channels):
    """Frequencies that every codec keeps, each at a time of its own."""
    time = np.arange(round(seconds * rate))[:, None] / rate
    phase = 2 * np.pi * (300 + 800 * time) * time * (1 + np.arange(channels))
    return 0.3 * np.sin(phase).astype("float32")


@pytest.mark.parametrize("begins", [0.0, 0.4])
@pytest.mark.parametrize(
    "name, codecs",
    [
        ("a.mkv", ("ffv1", "pcm_s16le")),
        # Pictures that wait for later ones, of which no time is noted
        ("a.mkv", ("libx264", "aac")),
        ("a.mp4", LOSSY),
        ("a.mov", LOSSY),
        ("a.mpg", ("mpeg1video", "mp2")),
        ("a.webm", ("libvpx", "libopus")),
    ],
)
def test_picture_bit_for_bit_and_sound_in_time(tmp_path, name, codecs, begins):
    old, new = tmp_path / name, tmp_path / f"new_{name}"
    rate = 48000
    write_video(
        old, LEVELS, sweep(1.5, rate, 2), rate, begins=begins, codecs=codecs
    )
    track = spool_sound(old, tmp_path / "a.rf64")
    samples, _ = soundfile.read(tmp_path / "a.rf64", dtype="float32")
    mux(old, new, np.array_split(0.5 * samples, 7), track.start)
    assert packets(new) == packets(old)
    assert np.allclose(times(new), times(old), atol=0.002)
    before, starts = heard(old)
    after, starts_now = heard(new)
    assert starts - shown_from(old) == pytest.approx(begins, abs=0.04)
    # Some codecs begin with samples of their own: time and place must fit.
    later = starts_now - shown_from(new) - starts + shown_from(old)
    assert abs(delay(before, after, rate) + later) < 0.002
    assert abs(len(after) - len(before)) / rate < 0.025
    level = np.std(after) / np.std(before)
    assert level == pytest.approx(0.5, abs=0.02)
    assert [p.name for p in tmp_path.iterdir() if ".part" in p.name] == []


def test_a_portrait_video_of_variable_frame_rate_stays_one(tmp_path):
    old = tmp_path / "a.mp4"
    times = [0.0, 0.04, 0.12, 0.16, 0.4, 0.52]
    faces = [tiny_videos.face()] * len(times)
    tiny_videos.write_video(old, faces, times, turn=90)
    with pytest.raises(ValueError, match="a.mp4: no sound"):
        check_mux(old, tmp_path / "b.mp4")
    sound = tiny_videos.tone(0.5)
    tiny_videos.write_video(old, faces, times, sound=sound, turn=90)
    new = mux(old, tmp_path / "b.mp4", [sound[:, None]], 0)
    for path in (old, new):
        with av.open(str(path)) as file:
            shown = [(f.time, f.rotation) for f in file.decode(video=0)]
        assert shown == [(pytest.approx(t, abs=0.002), 90) for t in times]


def test_the_sound_is_coded_as_it_was_or_as_is_usual_there(tmp_path):
    old = tmp_path / "a.mkv"
    write_video(old, LEVELS, tone(2.0), codecs=("libvpx", "flac"))
    assert codec(mux(old, tmp_path / "b.mkv", [tone(2.0)], 0)) == "flac"
    assert codec(mux(old, tmp_path / "b.webm", [tone(2.0)], 0)) == "opus"


@pytest.mark.parametrize(
    "name, told",
    [
        ("a.mkv", "is the video itself: name another file"),
        ("b.txt", "'.txt' is no kind of video that can be written"),
        ("b", "'' is no kind of video"),
        ("b.webm", "'webm' format does not support 'ffv1' codec, which is"),
    ],
)
def test_what_cannot_be_written_is_refused_before(tmp_path, name, told):
    old = tmp_path / "a.mkv"
    write_video(old, LEVELS, tone(2.0))
    with pytest.raises(ValueError, match=told):
        check_mux(old, tmp_path / name)


def test_a_sound_is_no_video(tmp_path):
    old = tmp_path / "a.wav"
    write_video(old, sound=tone(1.0))
    with pytest.raises(ValueError, match="a.wav: no picture.*leave out --mux"):
        check_mux(old, tmp_path / "b.mkv")


@pytest.mark.skipif(not FULL.exists(), reason="a device of Linux")
def test_a_full_disk_is_not_called_a_corrupt_video(tmp_path, monkeypatch):
    old = tmp_path / "a.mkv"
    write_video(old, LEVELS, tone(2.0))
    monkeypatch.setattr(module, "temporary_path", lambda path: FULL)
    monkeypatch.setattr(module.Path, "unlink", lambda *_, **__: None)
    with pytest.raises(OSError, match="b.mkv") as error:
        mux(old, tmp_path / "b.mkv", [tone(2.0)], 0)
    assert error.value.errno == errno.ENOSPC


def test_what_cannot_be_written_is_not_called_a_corrupt_video(
    tmp_path, monkeypatch
):
    old = tmp_path / "a.mkv"
    write_video(old, LEVELS, tone(2.0))

    def backwards(packets):
        return reversed([packet for packet in packets if packet.size])

    monkeypatch.setattr(picture_packets, "with_decoding_times", backwards)
    with pytest.raises(ValueError, match="b.mkv: FFmpeg cannot write .* name"):
        mux(old, tmp_path / "b.mkv", [tone(2.0)], 0)


def test_a_video_that_fails_on_the_way_leaves_the_old_one(tmp_path):
    old, new = tmp_path / "a.mkv", tmp_path / "b.mkv"
    write_video(old, LEVELS, tone(2.0))
    new.write_text("before")

    def pieces():
        yield tone(1.0)
        raise ValueError("the model failed")

    with pytest.raises(ValueError, match="the model failed"):
        mux(old, new, pieces(), 0)
    assert new.read_text() == "before"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mkv", "b.mkv"]
