"""Tests of LibriSpeech's preparation on small generated trees."""

import doctest
import importlib
import json
import logging
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

RECIPE = Path(__file__).parents[1] / "recipes" / "LibriSpeech"
SPEAKERS = {
    "train-clean-100": ["103", "1034"],
    "train-clean-360": ["14"],
    "dev-clean": ["84"],
    "test-clean": ["61"],
}
FIRST = "103-1240-0000"


@pytest.fixture(scope="module", autouse=True)
def recipe_folder():
    """Makes the recipe's modules importable, as running in its folder does."""
    sys.path.insert(0, str(RECIPE))
    yield
    sys.path.remove(str(RECIPE))


@pytest.fixture
def prepare():
    module = importlib.import_module("librispeech_prepare")
    return module.prepare_librispeech


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.INFO)
    return caplog


@pytest.fixture
def corpus(tmp_path):
    """A folder with the parts: two chapters a speaker, two utterances each."""
    for part, speakers in SPEAKERS.items():
        for speaker in speakers:
            for chapter in ("1240", "1241"):
                folder = tmp_path / "corpus" / part / speaker / chapter
                folder.mkdir(parents=True)
                names = [f"{speaker}-{chapter}-000{n}" for n in range(2)]
                for name in names:
                    write(folder / f"{name}.flac")
                lines = [f"{name} GO {{DO}} YOU HEAR\n" for name in names]
                text = folder / f"{speaker}-{chapter}.trans.txt"
                text.write_text("".join(lines))
    (tmp_path / "corpus" / "SPEAKERS.TXT").write_text("84 | F | dev-clean")
    return tmp_path / "corpus"


def write(path, rate=16000, channels=1, samples=16000):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (samples, channels))
    soundfile.write(path, noise, rate)


def chapter(corpus, name=FIRST, part="train-clean-100"):
    return corpus / part / name.split("-")[0] / name.split("-")[1]


def read(save):
    return {
        split: json.loads((save / f"{split}.json").read_text("utf-8"))
        for split in ("train", "valid_clean", "test_clean")
    }


def test_doctests_of_the_recipe(request):
    results = doctest.testmod(
        importlib.import_module("librispeech_prepare"),
        extraglobs={"getfixture": request.getfixturevalue},
        optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS,
    )
    assert results.failed == 0 and results.attempted > 0


def test_annotates_the_published_layout(corpus, tmp_path, prepare):
    prepare(corpus, tmp_path / "save")
    splits = read(tmp_path / "save")
    assert list(splits["train"]) == [
        f"{speaker}-{chapter}-000{number}"
        for speaker in ("103", "1034")
        for chapter in ("1240", "1241")
        for number in range(2)
    ]
    assert splits["valid_clean"]["84-1240-0000"] == {
        "clean_wav": "{data_root}/dev-clean/84/1240/84-1240-0000.flac",
        "length": 1.0,
        "speaker": "84",
        "words": "GO {{DO}} YOU HEAR",
    }
    assert len(splits["test_clean"]) == 4


def test_the_parts_may_lie_in_librispeech(corpus, tmp_path, prepare):
    outer = tmp_path / "outer"
    outer.mkdir()
    corpus.rename(outer / "LibriSpeech")
    prepare(outer, tmp_path / "save")
    entry = read(tmp_path / "save")["train"][FIRST]
    assert entry["clean_wav"] == (
        f"{{data_root}}/LibriSpeech/train-clean-100/103/1240/{FIRST}.flac"
    )


@pytest.mark.parametrize(
    "parts",
    [
        ["train-clean-100", "train-clean-360"],
        "train-clean-100, train-clean-360",
    ],
)
def test_parts_are_chosen(corpus, tmp_path, prepare, parts):
    prepare(corpus, tmp_path / "save")
    # Another choice is another preparation.
    prepare(corpus, tmp_path / "save", train_splits=parts)
    train = read(tmp_path / "save")["train"]
    assert {entry["speaker"] for entry in train.values()} == {
        "103",
        "1034",
        "14",
    }


@pytest.mark.parametrize("parts", [[], None, ""])
def test_no_part_is_refused(corpus, tmp_path, prepare, parts):
    with pytest.raises(ValueError, match="write --valid_splits"):
        prepare(corpus, tmp_path / "save", valid_splits=parts)


def test_a_part_that_is_not_there_is_named(corpus, tmp_path, prepare):
    with pytest.raises(FileNotFoundError, match="LibriSpeech's dev-other") as e:
        prepare(corpus, tmp_path / "save", valid_splits=["dev-other"])
    assert "(valid_splits)" in str(e.value)
    assert "Found: SPEAKERS.TXT, dev-clean" in str(e.value)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        prepare(tmp_path / "nowhere", tmp_path / "save")


def test_one_part_in_two_splits_shares_its_speakers(corpus, tmp_path, prepare):
    with pytest.raises(ValueError, match="found 2 .*: 103 .test_clean and"):
        prepare(corpus, tmp_path / "save", test_splits=["train-clean-100"])


def test_a_shared_speaker_is_named(corpus, tmp_path, prepare):
    folder = corpus / "dev-clean" / "103"
    folder.mkdir()
    chapter(corpus, "103-1241").rename(folder / "1241")
    with pytest.raises(ValueError, match="103 .train and valid_clean."):
        prepare(corpus, tmp_path / "save")


def test_two_recordings_of_an_utterance_are_named(corpus, tmp_path, prepare):
    write(chapter(corpus, "1034-1240-0000") / f"{FIRST}.flac")
    with pytest.raises(ValueError, match="1 utterances have two") as error:
        prepare(corpus, tmp_path / "save")
    assert f"{FIRST}: {chapter(corpus) / FIRST}.flac and" in str(error.value)


def test_missing_lines_and_recordings_are_told(corpus, tmp_path, prepare, log):
    # A chapter without its file, and a line too many in another one.
    (chapter(corpus) / "103-1240.trans.txt").unlink()
    other = chapter(corpus, "103-1241-0000") / "103-1241.trans.txt"
    other.write_text(other.read_text() + "103-1241-0009 GO\n")
    prepare(corpus, tmp_path / "save")
    assert len(read(tmp_path / "save")["train"]) == 6
    assert "2 of 16 utterances have no transcript line" in log.text
    assert "left out: 103-1240-0000, 103-1240-0001;" in log.text
    assert "1 transcript lines have no recording" in log.text


def test_another_encoding_is_named(corpus, tmp_path, prepare):
    text = chapter(corpus) / "103-1240.trans.txt"
    text.write_bytes(f"{FIRST} 而 对 楼市\n".encode("gbk"))
    with pytest.raises(ValueError, match="103-1240.trans.txt.*like GBK"):
        prepare(corpus, tmp_path / "save")


def test_bad_recordings_are_listed_or_left_out(corpus, tmp_path, prepare, log):
    folder = chapter(corpus)
    cut, stereo = folder / f"{FIRST}.flac", folder / "103-1240-0001.flac"
    content = cut.read_bytes()
    # The header is whole: it has the length that was recorded.
    cut.write_bytes(content[: len(content) // 2])
    write(stereo, channels=2)
    other = chapter(corpus, "103-1241-0000")
    write(other / "103-1241-0000.flac", rate=48000)
    (other / "103-1241-0001.flac").write_bytes(b"no flac file")
    with pytest.raises(ValueError, match="4 bad recordings") as error:
        prepare(corpus, tmp_path / "save")
    message = str(error.value)
    assert f"{cut}: truncated: the last of 16000 samples is not" in message
    assert f"{stereo}: 2 channels, expected 1" in message
    assert "0000.flac: 48000 Hz, expected 16000 Hz" in message
    assert "0001.flac: not a readable flac file" in message
    prepare(corpus, tmp_path / "save", skip_bad=True)
    assert len(read(tmp_path / "save")["train"]) == 4
    assert "Left out 4 bad recordings" in log.text


def test_an_unchanged_preparation_is_not_repeated(
    corpus, tmp_path, prepare, log
):
    save = tmp_path / "save"
    prepare(corpus, save)
    written = (save / "train.json").stat().st_ino
    (save / "kept").hardlink_to(save / "train.json")
    prepare(corpus, save)
    assert (save / "train.json").stat().st_ino == written
    text = chapter(corpus) / "103-1240.trans.txt"
    text.write_text(text.read_text().replace("HEAR", "SEE IT"))
    prepare(corpus, save)
    assert "SEE IT" in read(save)["train"][FIRST]["words"]


@pytest.mark.parametrize("option", ["skip_prep", "skip_bad"])
def test_bare_flags_are_refused(corpus, tmp_path, prepare, option):
    with pytest.raises(ValueError, match=f"write --{option} True"):
        prepare(corpus, tmp_path / "save", **{option: None})


def test_skip_prep_needs_annotations(corpus, tmp_path, prepare):
    with pytest.raises(FileNotFoundError, match="no train.json"):
        prepare(corpus, tmp_path / "save", skip_prep=True)
    prepare(corpus, tmp_path / "save")
    prepare("nowhere", tmp_path / "save", skip_prep=True)
