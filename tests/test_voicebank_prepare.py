"""Tests of VoiceBank-DEMAND's preparation on small generated trees."""

import doctest
import errno
import importlib
import json
import logging
import os
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from speechbrain.dataio.dataset import DynamicItemDataset

RECIPE = Path(__file__).parents[1] / "recipes" / "Voicebank"
MODULES = ("voicebank_prepare", "voicebank_annotation", "voicebank_folders")
TRAIN = ("p226_001", "p226_002", "p287_001", "p227_001", "p228_001")
TEST = ("p232_001", "p257_001")


@pytest.fixture(scope="module", autouse=True)
def recipe_folder():
    """Makes the recipe's modules importable, as running in its folder does."""
    sys.path.insert(0, str(RECIPE))
    yield
    sys.path.remove(str(RECIPE))


@pytest.fixture
def prepare():
    return importlib.import_module("voicebank_prepare").prepare_voicebank


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.INFO)
    return caplog


def wave(name, rate, seconds=0.1):
    time_axis = np.arange(int(rate * seconds)) / rate
    return 0.3 * np.sin(2 * np.pi * (200 + len(name)) * time_axis)


def build(folder, rate=16000, speakers=28, train=TRAIN, suffix=None):
    """Writes a tree as DataShare's archives (48 kHz) or the 16 kHz one."""
    suffix = ("_16k" if rate == 16000 else "") if suffix is None else suffix
    for subset, names in (
        (f"trainset_{speakers}spk", train),
        ("testset", TEST),
    ):
        (folder / f"{subset}_txt").mkdir(parents=True, exist_ok=True)
        for name in names:
            (folder / f"{subset}_txt" / f"{name}.txt").write_text(f"Say {name}")
        for kind in ("clean", "noisy"):
            wavs = folder / f"{kind}_{subset}_wav{suffix}"
            wavs.mkdir(exist_ok=True)
            for name in names:
                path = wavs / f"{name}.wav"
                soundfile.write(path, wave(name, rate), rate)
    return folder


def read(save):
    return {
        split: json.loads((save / f"{split}.json").read_text("utf-8"))
        for split in ("train", "valid", "test")
    }


@pytest.mark.parametrize("module", MODULES)
def test_doctests_of_the_recipe(module, request):
    tested = importlib.import_module(module)
    results = doctest.testmod(
        tested,
        extraglobs={"getfixture": request.getfixturevalue},
        optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS,
    )
    assert results.failed == 0
    assert results.attempted > 0 or module == "voicebank_folders"


def test_annotates_the_16k_folders(tmp_path, prepare):
    data, save = build(tmp_path / "data"), tmp_path / "save"
    prepare(data, save)
    splits = read(save)
    assert list(splits["train"]) == ["p227_001", "p228_001"]
    assert list(splits["valid"]) == ["p226_001", "p226_002", "p287_001"]
    assert list(splits["test"]) == list(TEST)
    assert splits["test"]["p232_001"] == {
        "noisy_wav": "{data_root}/noisy_testset_wav_16k/p232_001.wav",
        "clean_wav": "{data_root}/clean_testset_wav_16k/p232_001.wav",
        "length": 0.1,
        "speaker": "p232",
        "words": "Say p232_001",
    }


def test_chooses_between_28_and_56_speakers(tmp_path, prepare):
    data = build(tmp_path / "both")
    build(data, speakers=56, train=("p234_001", "p238_001"))
    prepare(data, tmp_path / "default")
    assert "p227_001" in read(tmp_path / "default")["train"]
    prepare(data, tmp_path / "56", valid_speakers="p234", speakers=56)
    assert list(read(tmp_path / "56")["train"]) == ["p238_001"]
    alone = build(tmp_path / "alone", speakers=56, train=("p1_1", "p2_1"))
    prepare(alone, tmp_path / "found", valid_speakers=["p1"])
    assert list(read(tmp_path / "found")["train"]) == ["p2_1"]
    with pytest.raises(FileNotFoundError, match="clean_trainset_28spk_wav"):
        prepare(alone, tmp_path / "none", speakers=28)
    with pytest.raises(ValueError, match="30, expected 28 or 56"):
        prepare(alone, tmp_path / "none", speakers=30)


def test_resamples_48k_once_beside_the_originals(tmp_path, prepare):
    data, save = build(tmp_path / "data", rate=48000), tmp_path / "save"
    prepare(data, save)
    resampled = data / "noisy_trainset_28spk_wav_16k" / "p227_001.wav"
    waveform, rate = soundfile.read(resampled)
    assert rate == 16000 and len(waveform) == 1600
    # Away from the edges the tone must be the tone sampled at 16 kHz.
    difference = waveform - wave("p227_001", 16000)
    assert np.abs(difference[100:-100]).max() < 1e-2
    assert read(save)["train"]["p227_001"]["length"] == 0.1
    written = resampled.stat().st_mtime_ns
    prepare(data, tmp_path / "other")
    assert resampled.stat().st_mtime_ns == written


def test_completes_a_resampling_that_was_killed(tmp_path, prepare):
    data = build(tmp_path / "data", rate=48000)
    prepare(data, tmp_path / "first")
    folder = data / "clean_trainset_28spk_wav_16k"
    whole, kept = folder / "p227_001.wav", folder / "p228_001.wav"
    content, written = whole.read_bytes(), kept.stat().st_mtime_ns
    whole.unlink()
    old, fresh = (folder / f".{n}_001.wav.9.part" for n in ("p227", "p228"))
    for leftover in (old, fresh):
        leftover.write_bytes(content[:999])
    os.utime(old, (time.time() - 99999,) * 2)
    prepare(data, tmp_path / "second")
    assert whole.read_bytes() == content
    assert kept.stat().st_mtime_ns == written
    # A fresh one may be another machine's that is at work.
    assert fresh.exists() and not old.exists()
    assert read(tmp_path / "second") == read(tmp_path / "first")


def test_resamples_only_what_is_missing(tmp_path, prepare):
    data = build(tmp_path / "data", rate=48000)
    prepare(data, tmp_path / "first")
    clean, noisy = (
        data / f"{kind}_trainset_28spk_wav_16k" for kind in ("clean", "noisy")
    )
    (noisy / "p227_001.wav").unlink()
    stamps = {p: p.stat().st_ino for p in (*clean.iterdir(), *noisy.iterdir())}
    prepare(data, tmp_path / "second")
    assert stamps == {path: path.stat().st_ino for path in stamps}
    assert "p227_001" in read(tmp_path / "second")["train"]


def test_bad_originals_and_bad_resampled_files_are_one_error(tmp_path, prepare):
    data = build(tmp_path / "data", rate=48000)
    prepare(data, tmp_path / "save")
    resampled = data / "noisy_testset_wav_16k" / "p232_001.wav"
    resampled.write_bytes(resampled.read_bytes()[:1000])
    for kind in ("clean", "noisy"):
        folder = data / f"{kind}_trainset_28spk_wav"
        (folder / "p226_009.wav").write_bytes(b"no wav file")
    with pytest.raises(ValueError, match="2 bad recordings") as error:
        prepare(data, tmp_path / "save")
    assert f"{resampled}: truncated" in str(error.value)
    # The way out that the message names.
    resampled.unlink()
    prepare(data, tmp_path / "save", skip_bad=True)
    assert "p232_001" in read(tmp_path / "save")["test"]


def test_a_stale_half_of_a_pair_is_refused(tmp_path, prepare):
    data = build(tmp_path / "data", rate=48000)
    prepare(data, tmp_path / "save")
    (data / "noisy_testset_wav_16k" / "p232_001.wav").unlink()
    stale = data / "clean_testset_wav_16k" / "p232_001.wav"
    soundfile.write(stale, wave("p", 16000, seconds=0.2), 16000)
    with pytest.raises(ValueError, match="1600 samples, expected 3200"):
        prepare(data, tmp_path / "save")


def test_a_full_disk_leaves_no_part_of_a_file(tmp_path, prepare, monkeypatch):
    data = build(tmp_path / "data", rate=48000)

    def full(path, content):
        with open(path, "wb") as file:
            file.write(content[:100])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left on device: .*_16k/p"):
        prepare(data, tmp_path / "save")
    assert not list(data.glob("*_16k/*")) and not list(data.glob("*_16k/.*"))


def test_resamples_in_save_folder_if_data_is_read_only(
    tmp_path, prepare, monkeypatch
):
    data, save = build(tmp_path / "data", rate=48000), tmp_path / "save"
    monkeypatch.setattr(os, "access", lambda *_: False)
    prepare(data, save)
    assert not list(data.glob("*_16k"))
    wav = read(save)["train"]["p227_001"]["noisy_wav"]
    assert Path(wav).parent == save / "noisy_trainset_28spk_wav_16k"
    assert soundfile.info(wav).frames == 1600


def test_folder_without_suffix_may_hold_16k(tmp_path, prepare):
    data = build(tmp_path / "data", suffix="")
    prepare(data, tmp_path / "save")
    wav = read(tmp_path / "save")["test"]["p232_001"]["clean_wav"]
    assert wav == "{data_root}/clean_testset_wav/p232_001.wav"
    assert not list(data.glob("*_16k"))


def test_accepts_nested_folders(tmp_path, prepare):
    data = build(tmp_path / "data")
    for folder in list(data.iterdir()):
        folder.rename(tmp_path / "inner")
        folder.mkdir()
        (tmp_path / "inner").rename(folder / folder.name)
    prepare(data, tmp_path / "save")
    entry = read(tmp_path / "save")["test"]["p232_001"]
    inner = "clean_testset_wav_16k/clean_testset_wav_16k"
    assert entry["clean_wav"] == f"{{data_root}}/{inner}/p232_001.wav"
    assert entry["words"] == "Say p232_001"


def test_transcripts_may_be_missing(tmp_path, prepare, log):
    data, save = build(tmp_path / "data"), tmp_path / "save"
    shutil.rmtree(data / "testset_txt")
    texts = data / "trainset_28spk_txt"
    (texts / "p226_001.txt").unlink()
    (texts / "p287_001.txt").write_bytes("caf\u00e9".encode("latin-1"))
    (texts / "p227_001.txt").write_bytes(b"\xef\xbb\xbf caf\xc3\xa9 \r\n{a} ")
    prepare(data, save)
    assert "1 of 5 utterances have no transcript" in log.text
    assert "2 of 2 utterances have no transcript" in log.text
    splits = read(save)
    assert splits["valid"]["p226_001"]["words"] == ""
    assert splits["test"]["p232_001"]["words"] == ""
    loaded = DynamicItemDataset.from_json(
        save / "train.json", {"data_root": str(data)}
    ).data["p227_001"]
    assert loaded["words"] == "caf\u00e9 {a}"
    assert Path(loaded["noisy_wav"]).is_file()


def test_transcripts_of_another_encoding_are_told(tmp_path, prepare, log):
    data, save = build(tmp_path / "data"), tmp_path / "save"
    texts = data / "trainset_28spk_txt"
    for name in ("p227_001", "p228_001"):
        (texts / f"{name}.txt").write_bytes("而 对".encode("gbk"))
    prepare(data, save)
    assert read(save)["train"]["p227_001"]["words"] == ""
    assert "2 of 5 transcripts" in log.text
    told = "p227_001.txt: line 1 is not UTF-8, it looks like GBK; convert it"
    assert told in log.text and "iconv" in log.text
    assert "have no transcript" not in log.text


def damage(data, rate):
    """Spoils one training utterance after another in a way of its own."""
    suffix = "_16k" if rate == 16000 else ""
    clean, noisy = (
        data / f"{kind}_trainset_28spk_wav{suffix}"
        for kind in ("clean", "noisy")
    )
    sound = wave("p", rate)
    soundfile.write(clean / "p226_001.wav", sound[:0], rate)
    (noisy / "p226_002.wav").write_bytes(b"no wav file")
    for folder in (clean, noisy):
        whole = (folder / "p287_001.wav").read_bytes()
        (folder / "p287_001.wav").write_bytes(whole[:1000])
    soundfile.write(noisy / "p227_001.wav", sound[:-1], rate)
    soundfile.write(clean / "p300_001.wav", sound, rate)
    soundfile.write(noisy / "p301_001.wav", sound, rate)
    soundfile.write(noisy / "p302_001.wav", sound, 2 * rate)
    soundfile.write(clean / "p302_001.wav", sound, rate)
    soundfile.write(noisy / "p303_001.wav", np.stack([sound] * 2, 1), rate)
    soundfile.write(clean / "p303_001.wav", sound, rate)


@pytest.mark.parametrize("rate", [16000, 48000])
def test_lists_all_bad_recordings_in_one_error(tmp_path, prepare, log, rate):
    data, save = build(tmp_path / "data", rate=rate), tmp_path / "save"
    damage(data, rate=rate)
    soundfile.write(data / "keep.wav", wave("p", rate), rate)
    for name in ("p226_009", "p287_009", "p228_009"):
        for folder in data.glob("*_trainset_28spk_wav*"):
            shutil.copy(data / "keep.wav", folder / f"{name}.wav")
    with pytest.raises(ValueError) as error:
        prepare(data, save)
    message = str(error.value)
    assert message.startswith("8 bad recordings:")
    count = int(rate * 0.1)
    for line in (
        "p226_001.wav: 0 samples, expected at least one",
        "p226_002.wav: not a readable wav file",
        f"p287_001.wav: truncated: 956 bytes of samples, expected {2 * count}",
        f"p227_001.wav: {count - 1} samples, expected {count} as in",
        "p300_001.wav: no noisy file of that name",
        "p301_001.wav: no clean file of that name",
        f"p302_001.wav: {2 * rate} Hz, expected {rate}",
        "p303_001.wav: 2 channels, expected 1",
        "--skip_bad True",
    ):
        assert line in message
    # Nothing is written, and no time is spent on resampling.
    assert not list(save.glob("*.json"))
    if rate == 48000:
        assert not list(data.glob("*_16k"))
    prepare(data, save, skip_bad=True)
    splits = read(save)
    assert list(splits["train"]) == ["p228_001", "p228_009"]
    assert list(splits["valid"]) == ["p226_009", "p287_009"]
    assert "Left out 8 bad recordings" in log.text


def test_bad_files_beyond_ten_are_counted(tmp_path, prepare):
    names = [f"p226_{number:03d}" for number in range(12)]
    data = build(tmp_path / "data", train=(*names, "p227_001"))
    for name in names:
        (data / "clean_trainset_28spk_wav_16k" / f"{name}.wav").write_bytes(b"")
    with pytest.raises(ValueError, match="12 bad recordings") as error:
        prepare(data, tmp_path / "save", valid_speakers=["p226"])
    assert "p226_009.wav" in str(error.value)
    assert "p226_010.wav" not in str(error.value)
    assert "and 2 more" in str(error.value)
    with pytest.raises(ValueError, match="valid.json would be empty"):
        prepare(data, tmp_path / "save", ["p226"], skip_bad=True)


def test_a_wrong_rate_is_refused(tmp_path, prepare):
    data = build(tmp_path / "data", rate=8000, suffix="")
    with pytest.raises(ValueError, match="8000 Hz, expected 16000 Hz"):
        prepare(data, tmp_path / "save")
    data = build(tmp_path / "high", rate=22050, suffix="_16k")
    with pytest.raises(ValueError, match="22050 Hz, expected 16000 Hz"):
        prepare(data, tmp_path / "save")


def test_a_wrong_folder_is_answered_with_what_is_there(tmp_path, prepare):
    with pytest.raises(FileNotFoundError, match="does not exist.*data_folder"):
        prepare(tmp_path / "nowhere", tmp_path / "save")
    (tmp_path / "data" / "LibriSpeech").mkdir(parents=True)
    with pytest.raises(FileNotFoundError) as error:
        prepare(tmp_path / "data", tmp_path / "save")
    assert "noisy_trainset_28spk_wav" in str(error.value)
    assert "Found: LibriSpeech" in str(error.value)
    data = build(tmp_path / "no_test")
    shutil.rmtree(data / "clean_testset_wav_16k")
    with pytest.raises(FileNotFoundError, match="clean_testset_wav"):
        prepare(data, tmp_path / "save")


@pytest.mark.parametrize(
    "speakers, problem",
    [
        (["p226", "p999"], "no recording is of p999"),
        ([], "at least one"),
        (["p226", "p227", "p228", "p287"], "left for training"),
    ],
)
def test_validation_speakers_must_exist(tmp_path, prepare, speakers, problem):
    data = build(tmp_path / "data", rate=48000)
    with pytest.raises(ValueError, match=problem) as error:
        prepare(data, tmp_path / "save", valid_speakers=speakers)
    assert "among: p226, p227, p228, p287" in str(error.value)
    assert not list(data.glob("*_16k"))


def test_speakers_come_as_list_or_with_commas(tmp_path, prepare):
    data = build(tmp_path / "data")
    prepare(data, tmp_path / "save", valid_speakers="p227, p228")
    assert list(read(tmp_path / "save")["valid"]) == ["p227_001", "p228_001"]


@pytest.mark.parametrize("option", ["skip_bad", "skip_prep"])
def test_bare_flags_are_refused(tmp_path, prepare, option):
    from hyperpyyaml import load_hyperpyyaml
    from speechbrain import parse_arguments

    overrides = parse_arguments(["train.yaml", f"--{option}"])[2]
    hparams = load_hyperpyyaml(f"{option}: False", overrides)
    with pytest.raises(ValueError, match=f"write --{option} True"):
        prepare(build(tmp_path / "data"), tmp_path / "save", **hparams)


def test_skip_prep_needs_annotations(tmp_path, prepare):
    data, save = build(tmp_path / "data"), tmp_path / "save"
    with pytest.raises(FileNotFoundError, match="--skip_prep False"):
        prepare(data, save, skip_prep=True)
    prepare(data, save)
    (save / "train.json").write_text("{}")
    prepare(data, save, skip_prep=True)
    assert (save / "train.json").read_text() == "{}"


def test_same_preparation_is_not_repeated(tmp_path, prepare, monkeypatch):
    data, save = build(tmp_path / "data", rate=48000), tmp_path / "save"
    prepare(data, save)
    written = (save / "train.json").stat().st_mtime_ns
    monkeypatch.chdir(tmp_path)
    prepare("data", "save")
    assert (save / "train.json").stat().st_mtime_ns == written


@pytest.mark.parametrize(
    "change",
    ["speakers", "text", "new pair", "lost 16k", "lost json", "killed"],
)
def test_changed_preparation_is_repeated(tmp_path, prepare, change):
    data, save = build(tmp_path / "data", rate=48000), tmp_path / "save"
    prepare(data, save)
    written = (save / "train.json").stat().st_mtime_ns
    text = data / "trainset_28spk_txt" / "p227_001.txt"
    lost = data / "clean_testset_wav_16k" / "p232_001.wav"
    options = {}
    if change == "speakers":
        options = {"valid_speakers": ["p226"]}
    elif change == "text":
        text.write_text(text.read_text().replace("Say", "Yas"))
    elif change == "new pair":
        for folder in data.glob("*_trainset_28spk_wav"):
            shutil.copy(folder / "p227_001.wav", folder / "p227_002.wav")
    elif change == "lost 16k":
        lost.unlink()
    elif change == "lost json":
        (save / "test.json").unlink()
    else:
        (save / "preparation.json").unlink()
    prepare(data, save, **options)
    assert (save / "train.json").stat().st_mtime_ns != written
    train = read(save)["train"]
    assert ("p287_001" in train) == (change == "speakers")
    assert ("p227_002" in train) == (change == "new pair")
    assert train["p227_001"]["words"].startswith(
        "Yas" if change == "text" else "Say"
    )
    assert lost.is_file()


def test_an_interrupted_preparation_counts_as_none(
    tmp_path, prepare, monkeypatch
):
    data, save = build(tmp_path / "data"), tmp_path / "save"
    prepare(data, save)
    module = importlib.import_module("voicebank_prepare")
    write = module.write_annotation

    def killed(path, annotation):
        if path.name == "valid.json":
            raise KeyboardInterrupt
        write(path, annotation)

    monkeypatch.setattr(module, "write_annotation", killed)
    with pytest.raises(KeyboardInterrupt):
        prepare(data, save, valid_speakers=["p226"])
    monkeypatch.undo()
    # train.json is of the new settings; going back must not believe it.
    assert "p287_001" in read(save)["train"]
    prepare(data, save)
    assert "p287_001" not in read(save)["train"]
