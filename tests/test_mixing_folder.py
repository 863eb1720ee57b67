"""Tests of the listing of folders of noise and impulse responses."""

import pickle

import pytest
import soundfile
from mixing_files import RATE, steps, write

from cmkt_plugin.mixing import audio_folder
from cmkt_plugin.mixing.audio_folder import NoiseFolder, RIRFolder


def names(folder):
    return [file.name for file in folder.list_files()]


def test_finds_every_format_rate_and_depth(tmp_path):
    write(tmp_path / "b.wav", steps(RATE, 1))
    write(tmp_path / "deep" / "er" / "a.flac", steps(44100, 1), rate=44100)
    write(tmp_path / "deep" / "c.ogg", steps(8000, 1), rate=8000)
    write(tmp_path / ".hidden" / "d.wav", steps(RATE, 1))
    write(tmp_path / "._b.wav", steps(RATE, 1))
    assert NoiseFolder(tmp_path).list_files() == [
        ("b.wav", RATE, RATE),
        ("deep/c.ogg", 8000, 8000),
        ("deep/er/a.flac", 44100, 44100),
    ]


def test_order_is_not_the_file_system_s(tmp_path, monkeypatch):
    for name in "abc":
        write(tmp_path / f"{name}.wav", steps(RATE, 1))
    listed = ["b.wav", "c.wav", "a.wav"]
    walked = [(str(tmp_path), [], listed)]
    monkeypatch.setattr(audio_folder.os, "walk", lambda *_, **__: walked)
    assert names(NoiseFolder(tmp_path)) == sorted(listed)


def test_links_are_followed_but_not_in_a_circle(tmp_path):
    write(tmp_path / "elsewhere" / "a.wav", steps(RATE, 1))
    noise = tmp_path / "noise"
    noise.mkdir()
    (noise / "linked").symlink_to(tmp_path / "elsewhere")
    (noise / "circle").symlink_to(noise)
    assert names(NoiseFolder(noise)) == ["linked/a.wav"]


def test_what_is_left_out_is_counted_and_named(tmp_path, caplog):
    write(tmp_path / "good.wav", steps(RATE, 1))
    write(tmp_path / "brief.wav", steps(RATE // 2, 1))
    write(tmp_path / "empty.wav", [])
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    write(tmp_path / "cut.flac", steps(2 * RATE, 1))
    whole = (tmp_path / "cut.flac").read_bytes()
    (tmp_path / "cut.flac").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "headerless.raw").write_bytes(b"1234")
    assert names(NoiseFolder(tmp_path)) == ["good.wav"]
    assert "5 of 6 files left out" in caplog.text
    for found in (
        "brief.wav (0.500 s)",
        "empty.wav (0.000 s)",
        "cut.flac (not readable as audio to its end)",
        "broken.wav (not readable as audio to its end)",
        "headerless.raw (not readable as audio to its end)",
    ):
        assert found in caplog.text


def test_nothing_readable_is_an_error_with_a_way_out(tmp_path):
    (tmp_path / "README.txt").write_text("noise")
    with pytest.raises(ValueError) as error:
        NoiseFolder(tmp_path).list_files()
    for part in (
        str(tmp_path),
        "expected at least one recording",
        "README.txt (not readable as audio to its end)",
        "wav, flac, ogg or mp3",
    ):
        assert part in str(error.value)


def test_only_short_noise_is_an_error_that_names_it(tmp_path):
    write(tmp_path / "brief.wav", steps(8000, 1))
    with pytest.raises(
        ValueError, match=r"at least 1.0 s.*brief.wav \(0.500 s\).*lower"
    ):
        NoiseFolder(tmp_path).list_files()


def test_missing_folder_is_named_when_it_is_used(tmp_path):
    folder = NoiseFolder(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="none: expected a folder"):
        folder.list_files()
    with pytest.raises(FileNotFoundError, match="expected a folder"):
        NoiseFolder(None).list_files()


def test_responses_may_be_short_but_not_empty(tmp_path):
    write(tmp_path / "room.wav", [9000, 10])
    write(tmp_path / "empty.wav", [])
    assert names(RIRFolder(tmp_path)) == ["room.wav"]


def test_responses_of_another_rate_are_refused_by_name(tmp_path):
    write(tmp_path / "a.wav", [9000, 10])
    write(tmp_path / "b.wav", [9000, 10], rate=48000)
    with pytest.raises(ValueError, match="b.wav.*16000 Hz, found 48000 Hz"):
        RIRFolder(tmp_path).require_rate(RATE)


def test_parts_are_disjoint_whatever_is_added(tmp_path):
    def parts():
        return [
            set(names(NoiseFolder(tmp_path, part, minimum_seconds=0)))
            for part in ((0, 0.6), (0.6, 0.8), (0.8, 1))
        ]

    for number in range(40):
        write(tmp_path / f"noise_{number}.wav", [1, 2])
    before = parts()
    assert all(before) and len(set.union(*before)) == 40
    assert sum(map(len, before)) == 40
    assert 18 <= len(before[0]) <= 30
    for number in range(40, 60):
        write(tmp_path / "more" / f"noise_{number}.wav", [1, 2])
    for old, new in zip(before, parts()):
        assert old <= new


@pytest.mark.parametrize("part", [(0.8, 0.2), (-0.1, 0.5), (0, 1.1), (0, 0)])
def test_parts_out_of_range_are_refused(part):
    with pytest.raises(ValueError, match="part is .* expected 0 <= from"):
        NoiseFolder("noise", part)


def test_headers_are_read_once_and_travel_with_it(tmp_path, monkeypatch):
    write(tmp_path / "a.wav", steps(RATE, 1))
    read, opened = [], soundfile.SoundFile

    def counted(path):
        read.append(path)
        return opened(path)

    monkeypatch.setattr(audio_folder.soundfile, "SoundFile", counted)
    folder = NoiseFolder(tmp_path)
    assert read == []
    assert names(folder) == names(folder) == ["a.wav"]
    assert names(pickle.loads(pickle.dumps(folder))) == ["a.wav"]
    assert len(read) == 1
