"""Tests of the listing of folders of noise and impulse responses."""

import contextlib
import pickle
from pathlib import Path

import pytest
import soundfile
from hyperpyyaml import load_hyperpyyaml
from mixing_files import RATE, steps, write

from cmkt_plugin import file_tree
from cmkt_plugin.mixing.audio_folder import NoiseFolder, RIRFolder
from cmkt_plugin.mixing.parts import PIECES, POSITIONS, in_part

SPLITS = ("train", "valid", "test")
YAML = Path(__file__).parents[1] / "hparams" / "mixing.yaml"


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
    monkeypatch.setattr(file_tree.os, "walk", lambda *_, **__: walked)
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
    write(tmp_path / "cut.wav", steps(2 * RATE, 1))
    whole = (tmp_path / "cut.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[: -2 * RATE])
    (tmp_path / "headerless.raw").write_bytes(b"1234")
    assert names(NoiseFolder(tmp_path)) == ["good.wav"]
    assert "6 of 7 files left out" in caplog.text
    for found in (
        "brief.wav (0.500 s)",
        "empty.wav (0 samples, expected at least one)",
        "cut.flac (truncated: the last of 32000 samples is not there)",
        "cut.wav (truncated: 32000 bytes of samples, expected 64000)",
        "broken.wav (not a readable wav file",
        "headerless.raw (not a readable raw file",
    ):
        assert found in caplog.text


def test_nothing_readable_is_an_error_with_a_way_out(tmp_path):
    (tmp_path / "README.txt").write_text("noise")
    with pytest.raises(ValueError) as error:
        NoiseFolder(tmp_path).list_files()
    for part in (
        str(tmp_path),
        "expected at least one recording",
        "README.txt (not a readable txt file",
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
        write(tmp_path / f"noise{number}.wav", [1, 2])
    before = parts()
    assert all(before) and len(set.union(*before)) == 40
    assert sum(map(len, before)) == 40
    assert 18 <= len(before[0]) <= 30
    for number in range(40, 60):
        write(tmp_path / "more" / f"noise{number}.wav", [1, 2])
    for old, new in zip(before, parts()):
        assert old <= new


def parts_of(kind, folder, **options):
    """The names in ten parts of a folder, without the empty parts."""
    found = []
    for tenth in range(10):
        part = (tenth / 10, (tenth + 1) / 10)
        with contextlib.suppress(ValueError):
            found.append(names(kind(folder, part, **options)))
    return found


@pytest.mark.parametrize(
    "kind, pieces",
    [
        (NoiseFolder, [f"gsc_running_tap_{n}.wav" for n in range(8)]),
        (NoiseFolder, [f"tap-{n:03d}.wav" for n in range(8)]),
        (NoiseFolder, [f"deep/running tap {n}.flac" for n in range(8)]),
        (NoiseFolder, [f"PSQUARE/ch{n:02d}.wav" for n in range(1, 9)]),
        (NoiseFolder, [f"BGD_010_BUS.CH{n}.wav" for n in range(1, 9)]),
        (NoiseFolder, [f"1-100032-{n}-0.wav" for n in "ABCDEFGH"]),
        (NoiseFolder, [f"102305-6-0-{n}.wav" for n in range(8)]),
        (RIRFolder, [f"Room001/Room001-{n:05d}.wav" for n in range(8)]),
    ],
)
def test_pieces_of_one_recording_are_in_one_part(tmp_path, kind, pieces):
    for name in pieces:
        write(tmp_path / name, steps(RATE, 1))
    assert parts_of(kind, tmp_path) == [sorted(pieces)]
    assert len(parts_of(kind, tmp_path, group=None)) > 1


def test_numbers_of_four_digits_count_recordings(tmp_path):
    """MUSAN's names."""
    for number in range(30):
        name = f"noise-free-sound-{number:04d}.wav"
        write(tmp_path / name, steps(RATE, 1))
    assert len(parts_of(NoiseFolder, tmp_path)) > 5


@pytest.mark.parametrize(
    "kind, name",
    [
        (NoiseFolder, "esc50_1-{}-A-0.wav"),
        (NoiseFolder, "nonspeech_n{}.wav"),
        (NoiseFolder, "freesound_{}_1.wav"),
        (NoiseFolder, "scene{}/ch01.wav"),
        (NoiseFolder, "{}.wav"),
        (RIRFolder, "room_{}.wav"),
    ],
)
def test_other_recordings_are_spread(tmp_path, kind, name):
    for number in range(100032, 100056):
        write(tmp_path / name.format(number), steps(RATE, 1))
    assert len(parts_of(kind, tmp_path)) >= 8


def test_a_part_without_a_recording_says_why(tmp_path):
    for number in range(4):
        write(tmp_path / f"tap_{number}.wav", steps(RATE, 1))
    empty = [part for part in ((0, 0.5), (0.5, 1)) if not in_part(part, "tap")]
    with pytest.raises(ValueError) as error:
        NoiseFolder(tmp_path, *empty).list_files()
    for text in (
        f"{tmp_path}: none of its 4 files (1 groups",
        f"in part {empty[0]}",
        "noise_group",
        "folder of its own",
    ):
        assert text in str(error.value)


def test_a_pattern_that_is_none_is_named():
    with pytest.raises(ValueError, match=r"group is '\(': expected a regular"):
        NoiseFolder("noise", group="(")


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

    monkeypatch.setattr(soundfile, "SoundFile", counted)
    folder = NoiseFolder(tmp_path)
    assert read == []
    assert names(folder) == names(folder) == ["a.wav"]
    assert names(pickle.loads(pickle.dumps(folder))) == ["a.wav"]
    assert len(read) == 1


def knobs(folder, overrides=""):
    """The samplers of the shared YAML part."""
    with open(YAML, encoding="utf-8") as file:
        return load_hyperpyyaml(file, f"noise_folder: {folder}\n{overrides}")


def test_yaml_groups_as_the_classes_do():
    for split in SPLITS:
        sampler = knobs("noise", "rir_folder: rirs")[split]
        assert sampler.noise.group == PIECES
        assert sampler.rirs.group == POSITIONS


def test_yaml_has_three_parts_of_noises_and_of_rooms(tmp_path):
    for number in range(40):
        write(tmp_path / f"sound{number}.wav", steps(RATE, 1))
    mixing = knobs(tmp_path, f"rir_folder: {tmp_path}")
    for kind in ("noise", "rirs"):
        parts = [set(names(getattr(mixing[split], kind))) for split in SPLITS]
        assert all(parts) and len(set.union(*parts)) == 40
        assert sum(map(len, parts)) == 40


def test_yaml_folders_may_differ_and_rooms_be_absent():
    mixing = knobs("n", "valid_noise_folder: v\ntest_rir_folder: t")
    assert [mixing[s].noise.folder for s in SPLITS] == ["n", "v", "n"]
    assert [mixing[s].rirs and mixing[s].rirs.folder for s in SPLITS] == [
        *(None, None, "t")
    ]
    assert knobs("n", "noise_group: null")["test"].noise.group is None
