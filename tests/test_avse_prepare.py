"""AVSE's preparation: readers, splits, annotations of small videos."""

import doctest
import fcntl
import json
import logging
import shutil
import threading

import pytest

pytest.importorskip("av", reason="videos need the extra [av]")
pytest.importorskip("cv2", reason="videos need the extra [av]")

import tiny_avse
import tiny_videos
from tiny_avse import module

from cmkt_plugin.visual.prepared_clip import read_lips

MODULES = (
    *("avse_prepare", "avse_table", "avse_grid", "avse_folder"),
    "avse_split",
)
ANNOTATIONS = ("train", "valid_clean", "test_clean")


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    return tiny_avse.make_corpus(tmp_path_factory.mktemp("corpus"), clips=1)


@pytest.fixture
def corpus(videos, tmp_path):
    """A copy that a test may change."""
    return shutil.copytree(videos, tmp_path / "corpus")


def prepare(corpus, save, **options):
    arguments = {
        "reader": module("avse_table").ClipTable(),
        "split": module("avse_split").ByColumn(),
        "jobs": 1,
        **options,
    }
    module().prepare_avse(corpus, corpus / "prepared", save, **arguments)


def read(save):
    return {
        name: json.loads((save / f"{name}.json").read_text("utf-8"))
        for name in ANNOTATIONS
    }


def change(corpus, old, new):
    path = corpus / "clips.csv"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


@pytest.mark.parametrize("name", MODULES)
def test_doctests_of_the_recipe(name, request, monkeypatch):
    monkeypatch.syspath_prepend(tiny_avse.RECIPE)
    results = doctest.testmod(
        module(name),
        extraglobs={"getfixture": request.getfixturevalue},
        optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS,
    )
    assert results.failed == 0 and results.attempted > 0


def test_videos_become_sound_lips_and_annotations(corpus, tmp_path):
    prepare(corpus, tmp_path / "save")
    splits = read(tmp_path / "save")
    assert {n: list(e) for n, e in splits.items()} == {
        "train": ["s1_0", "s2_0"],
        "valid_clean": ["s3_0"],
        "test_clean": ["s4_0"],
    }
    assert splits["train"]["s1_0"] == {
        "clean_wav": "{data_root}/s1_0.wav",
        "lips_file": "{data_root}/s1_0.lips.npz",
        "length": 0.56,
        "speaker": "s1",
        "words": "Please call Stella.",
        "phones": "b ɛ ɹ",
    }
    pixels, present = read_lips(corpus / "prepared" / "s1_0.lips.npz")
    assert len(pixels) == 14 and present.all() and pixels.std() > 5


def test_unusable_clips_are_left_out_counted_and_named(
    corpus, tmp_path, caplog
):
    faceless = [tiny_videos.blank()] * 8
    path = corpus / "s1" / "s1_1.mkv"
    tiny_videos.write_video(path, faceless, sound=tiny_videos.tone(0.32))
    (corpus / "s1" / "s1_2.mkv").write_bytes(b"no video")
    with open(corpus / "clips.csv", "a", encoding="utf-8") as file:
        file.write("s1_1,s1/s1_1.mkv,s1,A,train,\n")
        file.write("s1_2,s1/s1_2.mkv,s1,B,train,\n")
        file.write("s1_3,s1/s1_3.mkv,s1,C,train,\n")
        file.write("s1_4,s1/s1_0.mkv,s1,,train,\n")
    caplog.set_level(logging.WARNING)
    prepare(corpus, tmp_path / "save")
    assert list(read(tmp_path / "save")["train"]) == ["s1_0", "s2_0"]
    told = caplog.text
    assert "1 of 8 clips have no transcript and are left out: s1_4" in told
    assert "Left out 3 of 7 clips" in told
    for fault in ("s1_1: no face", "s1_2: corrupt file", "s1_3: no file"):
        assert fault in told
    change(corpus, "s4/s4_0.mkv", "s1/s1_2.mkv")
    with pytest.raises(ValueError, match="test_clean.json would be empty"):
        prepare(corpus, tmp_path / "save")


def test_an_unchanged_preparation_is_not_repeated(corpus, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    prepare(corpus, tmp_path / "save")
    written = [
        corpus / "prepared" / "s1_0.wav",
        tmp_path / "save" / "train.json",
    ]
    before = [path.stat().st_mtime_ns for path in written]
    prepare(corpus, tmp_path / "save")
    assert [path.stat().st_mtime_ns for path in written] == before
    assert "is prepared with these settings already" in caplog.text
    prepare(corpus, tmp_path / "other")  # another run of the same folder
    assert written[0].stat().st_mtime_ns == before[0]
    assert read(tmp_path / "other") == read(tmp_path / "save")
    change(corpus, "Please call Stella.", "Bring these things.")
    prepare(corpus, tmp_path / "save")
    entry = read(tmp_path / "save")["train"]["s1_0"]
    assert entry["words"] == "Bring these things."
    written[0].unlink()
    prepare(corpus, tmp_path / "save", lip_regions={"tolerance": 0.4})
    assert written[0].is_file()


def test_runs_of_one_folder_wait_for_each_other(tmp_path):
    began = threading.Event()

    def run():
        with module().one_at_a_time(tmp_path / "prepared"):
            began.set()

    other = threading.Thread(target=run)
    with module().one_at_a_time(tmp_path / "prepared"):
        # Another open file: its lock is another's, in one process too.
        other.start()
        assert not began.wait(timeout=0.5)
    assert began.wait(timeout=60)
    other.join()


def test_clips_are_prepared_by_one_run_at_a_time(corpus, tmp_path, monkeypatch):
    def locked(clips, folder, **options):
        with open(folder / ".lock") as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return {name: {"fault": "seen"} for name in clips}

    monkeypatch.setattr(module(), "prepare_clips", locked)
    with pytest.raises(ValueError, match="train.json would be empty"):
        prepare(corpus, tmp_path / "save")


def test_skip_prep_takes_what_is_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="no train.json.*False"):
        prepare(tmp_path, tmp_path, skip_prep=True)
    for name in ANNOTATIONS:
        (tmp_path / f"{name}.json").write_text("{}")
    prepare(tmp_path, tmp_path, skip_prep=True)
    with pytest.raises(ValueError, match="--skip_prep True"):
        prepare(tmp_path, tmp_path, skip_prep=None)


FAULTS = {
    "shared speaker": ("s3_0,s3/s3_0.mkv,s3", "s3_0,s3/s3_0.mkv,s1"),
    "two ids": ("s2_0,", "s1_0,"),
    "folder in id": ("s2_0,", "s2/0,"),
    "split": (",valid,", ",dev,"),
    "column": ("transcript", "words"),
    "more cells": ("Please call Stella.", "Please, call Stella."),
    "no speaker": ("s3_0.mkv,s3,", "s3_0.mkv,,"),
}
ANSWERS = {
    "shared speaker": r"s1 \(train and valid\).*expected others",
    "two ids": "two clips have the id s1_0.*rename one",
    "folder in id": "'s2/0' cannot be a file's name",
    "split": "1 of 4 clips are in no split: s3_0",
    "column": "no column transcript, unknown words; expected id",
    "more cells": "line 2 has another number of cells",
    "no speaker": "line 4 has no speaker",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_the_table_are_named(fault, corpus, tmp_path):
    change(corpus, *FAULTS[fault])
    with pytest.raises(ValueError, match=ANSWERS[fault]):
        prepare(corpus, tmp_path / "save")


def test_missing_corpora_are_named(corpus, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.*--video_folder"):
        prepare(tmp_path / "nowhere", tmp_path / "save")
    (corpus / "clips.csv").unlink()
    with pytest.raises(FileNotFoundError, match="clips.csv.*--reader"):
        prepare(corpus, tmp_path / "save")
    for reader in ("avse_grid.GridFolder", "avse_folder.VideoFolder"):
        name, _, kind = reader.partition(".")
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(
            FileNotFoundError, match="Found: nothing.*by --video_folder$"
        ):
            getattr(module(name), kind)()(tmp_path / "empty")


def test_grid_is_read_in_its_layouts(tmp_path):
    for path in (
        "s1/video/bbaf2n.mpg",
        "s12/bbaf2n.mpg",
        "s2/video/lwbz9a.mpg",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    (tmp_path / "s1" / "text").mkdir()
    (tmp_path / "s1" / "text" / "bbaf2n.txt").write_text("bin blue\nat f\n")
    (tmp_path / "alignments" / "s12").mkdir(parents=True)
    (tmp_path / "alignments" / "s12" / "bbaf2n.align").write_text(
        "0 9000 sil\n9000 12000 bin\n12000 12500 sp\n12500 20000 blue\n"
    )
    found = module("avse_grid").GridFolder()(tmp_path)
    assert [(clip.id, clip.speaker, clip.transcript) for clip in found] == [
        ("s1_bbaf2n", "s1", "bin blue at f"),
        ("s12_bbaf2n", "s12", "bin blue"),
        ("s2_lwbz9a", "s2", ""),
    ]


def test_folders_of_videos_are_read(tmp_path):
    reader = module("avse_folder").VideoFolder
    names = "SP01_001.mp4", "SP02_001.MOV", "SP03_001.wmv", "x.wav"
    for path in (f"video/{name}" for name in names):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "SP01_001.txt").write_text("今天\n", "utf-8")
    clips = reader(r"/(SP\d+)_", "../text", "../wav")(tmp_path)
    assert [(c.id, c.speaker, c.transcript) for c in clips] == [
        ("video_SP01_001", "SP01", "今天"),
        ("video_SP02_001", "SP02", ""),
        ("video_SP03_001", "SP03", ""),
    ]
    audio = tmp_path / "video" / ".." / "wav" / "SP01_001.wav"
    assert clips[0].audio == str(audio)
    with pytest.raises(ValueError, match="SP01_001.mp4: no speaker"):
        reader(r"(\d{9})")(tmp_path)
    with pytest.raises(ValueError, match="0 groups, expected one"):
        reader("SP")
    with pytest.raises(ValueError, match="no regular expression"):
        reader("(")


def test_speakers_are_split_by_name_and_by_fraction():
    table, split = module("avse_table"), module("avse_split")
    clips = [
        table.Clip(f"s{s}_{n}", "a.mpg", f"s{s}", "")
        for s in range(11)
        for n in range(2)
    ]
    parts = split.BySpeaker(valid="s1, s2", test=["s3"])(clips)
    assert {clip.speaker for clip in parts["valid"]} == {"s1", "s2"}
    assert [len(parts[n]) for n in split.SPLITS] == [16, 4, 2]
    with pytest.raises(ValueError, match="no clip of the speakers s77; found"):
        split.BySpeaker("s77", "s1")(clips)
    with pytest.raises(ValueError, match="s1 in validation and test"):
        split.BySpeaker("s1", "s1")(clips)
    drawn = [
        split.SpeakerFractions(0.2, 0.2, seed)(clips) for seed in (0, 0, 1)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    assert [len(drawn[0][n]) for n in split.SPLITS] == [14, 4, 4]
    split.require_disjoint(drawn[0])
    small = split.SpeakerFractions(0.01, 0.01)(clips)
    assert [len(small[n]) for n in split.SPLITS] == [18, 2, 2]
    with pytest.raises(ValueError, match="4 for validation.*7 for the test"):
        split.SpeakerFractions(0.4, 0.6)(clips)
    with pytest.raises(ValueError, match="valid is 0, expected a part"):
        split.SpeakerFractions(0, 0.5)
