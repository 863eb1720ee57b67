"""Tests of AISHELL-1's preparation on small generated trees."""

import doctest
import importlib
import io
import json
import logging
import os
import signal
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from speechbrain.dataio.dataset import DynamicItemDataset

RECIPE = Path(__file__).parents[1] / "recipes" / "AISHELL-1"
SPEAKERS = {"train": ["S0002", "S0003"], "dev": ["S0724"], "test": ["S0764"]}
WORDS = "而 对 楼市 {限购}"
MISSING = "BAC009S0003W0121"


@pytest.fixture(scope="module", autouse=True)
def recipe_folder():
    """Makes the recipe's modules importable, as running in its folder does."""
    sys.path.insert(0, str(RECIPE))
    yield
    sys.path.remove(str(RECIPE))


@pytest.fixture
def prepare():
    return importlib.import_module("aishell_prepare").prepare_aishell


@pytest.fixture
def archives():
    return importlib.import_module("aishell_archives")


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.INFO)
    return caplog


@pytest.fixture
def corpus(tmp_path):
    """A folder with data_aishell: two utterances a speaker."""
    return build(tmp_path / "corpus")


def build(folder):
    lines = []
    for split, speakers in SPEAKERS.items():
        for speaker in speakers:
            wavs = folder / "data_aishell" / "wav" / split / speaker
            wavs.mkdir(parents=True)
            for number in (121, 122):
                name = f"BAC009{speaker}W0{number}"
                write(wavs / f"{name}.wav")
                lines.append(f"{name} {WORDS}")
    transcript(folder).parent.mkdir()
    transcript(folder).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def write(path, rate=16000, samples=1600):
    # Noise, so that an archive of it is long enough to be cut.
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, samples)
    soundfile.write(path, noise, rate)


def transcript(folder):
    return folder / "data_aishell/transcript" / "aishell_transcript_v0.8.txt"


def wavs(folder, part="train"):
    return folder / "data_aishell" / "wav" / part


def pack(folder, split, speaker, inside=None):
    """Packs a speaker as the corpus is published; the folder goes."""
    path = wavs(folder, split) / speaker
    archive = folder / "data_aishell" / "wav" / f"{speaker}.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(path, inside or f"./{split}/{speaker}")
    for file in path.iterdir():
        file.unlink()
    path.rmdir()
    return archive


def pack_all(folder):
    packed = [
        pack(folder, split, speaker)
        for split, speakers in SPEAKERS.items()
        for speaker in speakers
    ]
    for split in SPEAKERS:
        wavs(folder, split).rmdir()
    return packed


def read(save):
    return {
        split: json.loads((save / f"{split}.json").read_text("utf-8"))
        for split in ("train", "valid_clean", "test_clean")
    }


def test_doctests_of_the_recipe(request):
    results = doctest.testmod(
        importlib.import_module("aishell_prepare"),
        extraglobs={"getfixture": request.getfixturevalue},
        optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS,
    )
    assert results.failed == 0 and results.attempted > 0


def test_annotates_the_published_layout(corpus, tmp_path, prepare):
    prepare(corpus, tmp_path / "save")
    splits = read(tmp_path / "save")
    assert list(splits["train"]) == [
        f"BAC009{speaker}W0{number}"
        for speaker in SPEAKERS["train"]
        for number in (121, 122)
    ]
    assert splits["valid_clean"]["BAC009S0724W0121"] == {
        "clean_wav": "{data_root}/data_aishell/wav/dev/S0724/"
        "BAC009S0724W0121.wav",
        "length": 0.1,
        "speaker": "S0724",
        "words": "而 对 楼市 {{限购}}",
    }
    assert len(splits["test_clean"]) == 2


def test_speechbrain_reads_it_with_braces(corpus, tmp_path, prepare):
    prepare(corpus, tmp_path / "save")
    dataset = DynamicItemDataset.from_json(
        tmp_path / "save" / "train.json", {"data_root": corpus}
    )
    entry = dataset.data["BAC009S0002W0121"]
    assert Path(entry["clean_wav"]).is_file()
    assert entry["words"] == WORDS


def test_data_aishell_itself_may_be_named(corpus, tmp_path, prepare):
    prepare(corpus / "data_aishell", tmp_path / "save")
    entry = read(tmp_path / "save")["train"]["BAC009S0002W0121"]
    path = "{data_root}/wav/train/S0002/BAC009S0002W0121.wav"
    assert entry["clean_wav"] == path


def test_missing_lines_and_recordings_are_told(corpus, tmp_path, prepare, log):
    lines = transcript(corpus).read_text("utf-8").splitlines()
    kept = [line for line in lines if not line.startswith(MISSING)]
    # An utterance's name without words is no transcript either.
    kept[0] = kept[0].split()[0]
    kept += [f"BAC009S9999W{number} 而" for number in range(3)]
    transcript(corpus).write_text("\n".join(kept), encoding="utf-8")
    prepare(corpus, tmp_path / "save")
    train = read(tmp_path / "save")["train"]
    assert list(train) == ["BAC009S0002W0122", "BAC009S0003W0122"]
    assert (
        "2 of 8 utterances have no transcript line and are left out: "
        f"BAC009S0002W0121, {MISSING}" in log.text
    )
    assert "3 transcript lines have no recording" in log.text


def test_beyond_ten_missing_lines_are_counted(corpus, tmp_path, prepare, log):
    for number in range(12):
        write(wavs(corpus) / "S0002" / f"BAC009S0002W02{number:02d}.wav")
    prepare(corpus, tmp_path / "save")
    assert "12 of 20 utterances" in log.text
    assert "BAC009S0002W0209, and 2 more" in log.text
    assert "BAC009S0002W0210" not in log.text
    listed = tmp_path / "save" / "without_transcript.txt"
    names = [f"BAC009S0002W02{number:02d}" for number in range(12)]
    assert listed.read_text().split() == names
    assert str(listed) in log.text


def test_no_list_is_left_of_what_has_its_lines_now(corpus, tmp_path, prepare):
    text = transcript(corpus).read_text("utf-8")
    lines = text.splitlines()
    transcript(corpus).write_text("\n".join(lines[1:]), encoding="utf-8")
    prepare(corpus, tmp_path / "save")
    listed = tmp_path / "save" / "without_transcript.txt"
    assert listed.read_text().split() == [lines[0].split()[0]]
    transcript(corpus).write_text(text, encoding="utf-8")
    prepare(corpus, tmp_path / "save")
    assert not listed.exists()


def test_a_split_without_any_line_is_refused(corpus, tmp_path, prepare):
    lines = transcript(corpus).read_text("utf-8").splitlines()
    kept = [line for line in lines if "S0724" not in line]
    transcript(corpus).write_text("\n".join(kept), encoding="utf-8")
    with pytest.raises(ValueError, match="valid_clean.json would be empty"):
        prepare(corpus, tmp_path / "save")


def test_a_mark_and_windows_line_ends_are_no_text(corpus, tmp_path, prepare):
    text = transcript(corpus).read_text("utf-8").replace("\n", "\r\n")
    transcript(corpus).write_bytes(text.encode("utf-8-sig"))
    prepare(corpus, tmp_path / "save")
    first = read(tmp_path / "save")["train"]["BAC009S0002W0121"]
    assert first["words"] == "而 对 楼市 {{限购}}"


def test_gbk_is_detected_and_said(corpus, tmp_path, prepare):
    text = transcript(corpus).read_text("utf-8")
    transcript(corpus).write_bytes(text.encode("gbk"))
    with pytest.raises(ValueError, match="line 1 .*looks like GBK") as error:
        prepare(corpus, tmp_path / "save")
    assert f"'{transcript(corpus)}'" in str(error.value)


def test_two_transcripts_of_an_utterance(corpus, tmp_path, prepare):
    same = f"BAC009S0002W0121 {WORDS}\n"
    with open(transcript(corpus), "a", encoding="utf-8") as file:
        file.write(same)
    prepare(corpus, tmp_path / "save")
    with open(transcript(corpus), "a", encoding="utf-8") as file:
        file.write("BAC009S0002W0122 另外\n")
    with pytest.raises(ValueError, match="two transcripts.*S0002W0122"):
        prepare(corpus, tmp_path / "save")


def test_two_recordings_of_an_utterance_are_named(corpus, tmp_path, prepare):
    twice = wavs(corpus) / "S0003" / "BAC009S0002W0121.wav"
    write(twice)
    with pytest.raises(ValueError, match="1 utterances have two") as error:
        prepare(corpus, tmp_path / "save")
    first = wavs(corpus) / "S0002" / "BAC009S0002W0121.wav"
    assert f"BAC009S0002W0121: {first} and {twice}" in str(error.value)


def test_a_speaker_of_two_splits_is_named(corpus, tmp_path, prepare):
    folder = wavs(corpus, "test") / "S0002"
    folder.mkdir()
    write(folder / "BAC009S0002W0999.wav")
    with pytest.raises(ValueError, match="S0002 .test_clean and train.") as e:
        prepare(corpus, tmp_path / "save")
    assert "S0003" not in str(e.value)


def test_bad_recordings_are_listed_or_left_out(corpus, tmp_path, prepare, log):
    folder = wavs(corpus) / "S0002"
    (folder / "BAC009S0002W0121.wav").write_bytes(b"no wav file")
    write(folder / "BAC009S0002W0122.wav", rate=48000)
    with pytest.raises(ValueError, match="2 bad recordings") as error:
        prepare(corpus, tmp_path / "save")
    assert "W0121.wav: not a readable wav file" in str(error.value)
    assert "W0122.wav: 48000 Hz, expected 16000 Hz" in str(error.value)
    assert not (tmp_path / "save" / "train.json").exists()
    prepare(corpus, tmp_path / "save", skip_bad=True)
    assert "BAC009S0003W0121" in read(tmp_path / "save")["train"]
    assert len(read(tmp_path / "save")["train"]) == 2
    assert "Left out 2 bad recordings" in log.text


def test_wrong_folders_are_answered_with_what_is_there(tmp_path, prepare):
    with pytest.raises(FileNotFoundError, match="does not exist.*data_folder"):
        prepare(tmp_path / "nowhere", tmp_path / "save")
    (tmp_path / "other" / "LibriSpeech").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match="Found: LibriSpeech") as error:
        prepare(tmp_path / "other", tmp_path / "save")
    assert "aishell_transcript_v0.8.txt" in str(error.value)
    corpus = build(tmp_path / "corpus")
    wavs(corpus, "dev").rename(corpus / "elsewhere")
    with pytest.raises(FileNotFoundError, match="dev/S.*Found: test, train"):
        prepare(corpus, tmp_path / "save")


def test_an_unchanged_preparation_is_not_repeated(
    corpus, tmp_path, prepare, monkeypatch, log
):
    save = tmp_path / "save"
    prepare(corpus, save)
    written = (save / "train.json").stat().st_ino
    monkeypatch.chdir(tmp_path)
    prepare("corpus", "save")
    assert (save / "train.json").stat().st_ino == written
    assert "is prepared with these settings already" in log.text


@pytest.mark.parametrize(
    "change", ["setting", "text", "new", "moved", "rewritten", "lost json"]
)
def test_a_changed_one_is_repeated(corpus, tmp_path, prepare, change):
    save = tmp_path / "save"
    prepare(corpus, save)
    before, written = read(save), (save / "train.json").stat().st_ino
    # Its number must not go to a new file.
    (save / "keep").hardlink_to(save / "train.json")
    if change == "text":
        text = transcript(corpus).read_text("utf-8").replace("楼市", "房子")
        transcript(corpus).write_text(text, encoding="utf-8")
    elif change == "new":
        with open(transcript(corpus), "a", encoding="utf-8") as file:
            file.write("BAC009S0002W0300 而\n")
        write(wavs(corpus) / "S0002" / "BAC009S0002W0300.wav")
    elif change == "moved":
        (wavs(corpus) / "S0003").rename(wavs(corpus, "dev") / "S0003")
    elif change == "rewritten":
        path = wavs(corpus) / "S0002" / "BAC009S0002W0121.wav"
        write(path, samples=3200)
    elif change == "lost json":
        (save / "test_clean.json").unlink()
    prepare(corpus, save, skip_bad=change == "setting")
    assert (save / "train.json").stat().st_ino != written
    assert (read(save) == before) == (change in ("setting", "lost json"))


def test_an_interrupted_preparation_counts_as_none(
    corpus, tmp_path, prepare, monkeypatch
):
    save = tmp_path / "save"
    prepare(corpus, save)
    module = importlib.import_module("cmkt_plugin.clean_speech")
    write_annotation = module.write_annotation

    def killed(path, annotation):
        if path.name == "valid_clean.json":
            raise KeyboardInterrupt
        write_annotation(path, annotation)

    monkeypatch.setattr(module, "write_annotation", killed)
    bad = wavs(corpus) / "S0002" / "BAC009S0002W0121.wav"
    sound, times = bad.read_bytes(), bad.stat()
    bad.write_bytes(b"")
    with pytest.raises(KeyboardInterrupt):
        prepare(corpus, save, skip_bad=True)
    monkeypatch.undo()
    # The corpus is as it was; train.json is not.
    bad.write_bytes(sound)
    os.utime(bad, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert "BAC009S0002W0121" not in read(save)["train"]
    prepare(corpus, save)
    assert "BAC009S0002W0121" in read(save)["train"]


@pytest.mark.parametrize("option", ["skip_prep", "skip_bad", "unpack"])
def test_bare_flags_are_refused(corpus, tmp_path, prepare, option):
    with pytest.raises(ValueError, match=f"write --{option} True"):
        prepare(corpus, tmp_path / "save", **{option: None})


def test_skip_prep_takes_what_is_there(tmp_path, prepare):
    with pytest.raises(FileNotFoundError, match="no train.json.*False"):
        prepare("nowhere", tmp_path, skip_prep=True)
    for split in ("train", "valid_clean", "test_clean"):
        (tmp_path / f"{split}.json").write_text("{}")
    prepare("nowhere", tmp_path, skip_prep=True)


def test_packed_speakers_are_unpacked_when_asked(
    corpus, tmp_path, prepare, log
):
    prepare(corpus, tmp_path / "before")
    packed = pack_all(corpus)
    with pytest.raises(FileNotFoundError, match="--unpack True") as error:
        prepare(corpus, tmp_path / "save")
    assert "in train, dev, test: 4 speakers are packed" in str(error.value)
    prepare(corpus, tmp_path / "save", unpack=True)
    assert read(tmp_path / "save") == read(tmp_path / "before")
    assert "Unpacked 4 speaker archives" in log.text
    assert all(archive.is_file() for archive in packed)
    assert not list(packed[0].parent.glob(".*"))
    # Nothing is packed any more, so nothing has to be asked for.
    prepare(corpus, tmp_path / "again")


def test_a_speaker_left_packed_is_named(corpus, tmp_path, prepare, log):
    pack(corpus, "train", "S0003")
    prepare(corpus, tmp_path / "save")
    assert len(read(tmp_path / "save")["train"]) == 2
    assert "1 speakers are packed, first S0003.tar.gz, left out" in log.text
    prepare(corpus, tmp_path / "save", unpack=True)
    assert len(read(tmp_path / "save")["train"]) == 4


@pytest.mark.parametrize("damage", ["cut", "bit", "text", "other folder"])
def test_a_bad_archive_is_named_or_left_out(
    corpus, tmp_path, prepare, damage, log
):
    if damage == "other folder":
        archive = pack(corpus, "train", "S0003", inside="S0003")
    else:
        archive = pack(corpus, "train", "S0003")
    content = bytearray(archive.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "bit":
        content[-8] ^= 1  # of the checksum, the last thing in the file
    elif damage == "text":
        content = b"404 not found"
    archive.write_bytes(content)
    with pytest.raises(ValueError, match="1 bad archives") as error:
        prepare(corpus, tmp_path / "save", unpack=True)
    assert f"{archive}: " in str(error.value)
    assert "Download them again" in str(error.value)
    assert not (wavs(corpus) / "S0003").exists()
    assert not list(archive.parent.glob(".*"))
    prepare(corpus, tmp_path / "save", unpack=True, skip_bad=True)
    assert len(read(tmp_path / "save")["train"]) == 2
    assert "Left out 1 bad archives" in log.text


@pytest.mark.parametrize("name", ["../../outside.wav", "train/S0003/link"])
def test_an_archive_cannot_write_elsewhere(corpus, archives, name):
    archive = pack(corpus, "train", "S0003")
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo(name)
        if name.endswith("link"):
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member, io.BytesIO())
    with pytest.raises(ValueError, match="S0003.tar.gz"):
        archives.unpack_speakers(archive.parent, unpack=True)
    assert not list(corpus.rglob("outside.wav"))
    assert not list(corpus.rglob("link"))


def test_a_full_disk_is_not_a_bad_archive(corpus, archives, monkeypatch):
    archive = pack(corpus, "train", "S0003")

    def full(self, folder, **options):
        (folder / "train").mkdir()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "extractall", full)
    with pytest.raises(OSError, match="No space left"):
        archives.unpack_speakers(archive.parent, unpack=True, skip_bad=True)
    assert not list(archive.parent.glob(".*"))


def test_a_killed_unpacking_leaves_nothing_half(
    corpus, tmp_path, prepare, archives
):
    prepare(corpus, tmp_path / "before")
    archive = pack(corpus, "train", "S0003")
    child = os.fork()
    if child == 0:
        try:
            die_after_one_file()
            archives.unpack_speaker(archive.parent, archive)
        finally:
            os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    (leftover,) = archive.parent.glob(".*.part")
    assert len(list(leftover.rglob("*.wav"))) == 1
    assert not (wavs(corpus) / "S0003").exists()
    prepare(corpus, tmp_path / "save", unpack=True)
    assert read(tmp_path / "save") == read(tmp_path / "before")
    assert not leftover.exists()


def die_after_one_file():
    makefile = tarfile.TarFile.makefile

    def killed(*args):
        makefile(*args)
        os.kill(os.getpid(), signal.SIGKILL)

    tarfile.TarFile.makefile = killed
