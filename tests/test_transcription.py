"""`cmkt transcribe`: texts of real utterances; killed, resumed, refused."""

import csv
import json
import multiprocessing
import os
import random
import signal
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import tiny_asr
import torch
from click.testing import CliRunner

from cmkt_plugin import recognizers
from cmkt_plugin.batch_recognition import longest_first
from cmkt_plugin.cli import main
from cmkt_plugin.mixing.pairs import fixed_pair
from cmkt_plugin.partial_transcripts import PartialTranscripts
from cmkt_plugin.transcript_file import read_transcripts
from cmkt_plugin.transcription import transcribe
from cmkt_plugin.verbs.transcribe import INTERFACES

ROOT = Path(__file__).parents[1]
HUMAN = ROOT.parent / "shared" / "corpora"


class Listener:
    """Knows an utterance by its number of samples; keeps what it heard."""

    name, revision, interface = "listener", "1", "EncoderASR"

    def __init__(self, texts):
        self.texts = texts
        self.heard = []

    def transcribe(self, waveforms):
        self.heard.append(waveforms)
        texts = [self.texts[len(waveform)] for waveform in waveforms]
        if None in texts:
            raise RuntimeError("cannot hear it")
        return texts


@pytest.fixture
def corpus(tmp_path):
    """Eight utterances of noise, of 0.1 s to 0.8 s, and their annotation."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    rng = np.random.default_rng(0)
    order = [3, 1, 8, 5, 2, 7, 4, 6]
    entries = {}
    for tenths in order:
        for kind in ("clean", "noisy"):
            wav = 0.1 * rng.standard_normal(1600 * tenths)
            sf.write(folder / f"{kind}_{tenths}.wav", wav, 16000)
        entries[f"u{tenths}"] = {
            "clean_wav": f"{{data_root}}/clean_{tenths}.wav",
            "noisy_wav": f"{{data_root}}/noisy_{tenths}.wav",
            "length": tenths / 10,
            "speaker": "s",
            "words": "",
        }
    write(tmp_path, entries)
    return tmp_path


def write(corpus, entries):
    (corpus / "train.json").write_text(json.dumps(entries))


def entries_of(corpus):
    return json.loads((corpus / "train.json").read_text())


def texts_by_length(**other):
    """What the listener says to each utterance, e.g. ``u3="three"``."""
    names = {f"u{tenths}": f"text {tenths}" for tenths in range(1, 9)}
    return {1600 * int(n[1:]): text for n, text in {**names, **other}.items()}


def run(corpus, listener, side="clean", **options):
    return transcribe(
        corpus / "train.json",
        {"data_root": str(corpus / "corpus")},
        side,
        listener,
        corpus / "asr.txt",
        **{"batch_seconds": 1.4, **options},
    )


def cmkt(corpus, *options):
    given = ["transcribe", corpus / "train.json", "-o", corpus / "asr.txt"]
    given += ["--data-root", corpus / "corpus", "--device", "cpu", *options]
    return CliRunner().invoke(main, [str(word) for word in given])


@pytest.fixture
def heard_by(monkeypatch):
    """Has the command use a listener."""

    def use(listener):
        monkeypatch.setitem(
            recognizers.RECOGNIZERS, "EncoderASR", lambda *_: listener
        )
        return listener

    return use


def embedded():
    folder = ROOT / "recipes" / "demo" / "corpus"
    with open(folder / "corpus.csv", newline="", encoding="utf-8") as file:
        return folder, list(csv.DictReader(file))[:5]


def human():
    if not (HUMAN / "en.csv").exists():
        pytest.skip(f"no human speech here: {HUMAN} does not exist")
    with open(HUMAN / "en.csv", newline="", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if float(r["seconds"]) < 3]
    return HUMAN, random.Random(0).sample(rows, 5)


@pytest.mark.parametrize("source", [embedded, human])
def test_trained_recognizer_gives_the_transcripts(source, tmp_path):
    folder, rows = source()
    waveforms = [sf.read(folder / r["file"], dtype="float32")[0] for r in rows]
    texts = [row["transcript"] for row in rows]
    model = tiny_asr.train_ctc(
        tmp_path / "ctc", list(map(torch.from_numpy, waveforms)), texts
    )
    entries = {
        f"u{number}": {
            "clean_wav": f"{{data_root}}/{row['file']}",
            "length": len(waveform) / 16000,
            "speaker": "s",
            "words": "",
        }
        for number, (row, waveform) in enumerate(zip(rows, waveforms))
    }
    write(tmp_path, entries)
    (tmp_path / "corpus").symlink_to(folder)
    done = cmkt(tmp_path, "--model", model)
    assert done.exit_code == 0, done.output
    header, found = read_transcripts(tmp_path / "asr.txt")
    assert list(found.values()) == texts and list(found) == list(entries)
    assert header["model"] == "ctc" and header["interface"] == "EncoderASR"
    assert header["revision"].startswith("sha256:")
    assert (header["side"], header["utterances"]) == ("clean", "5")
    assert str(tmp_path) not in (tmp_path / "asr.txt").read_text()


def test_longest_come_first_and_order_is_the_annotations(corpus):
    listener = Listener(texts_by_length())
    done = run(corpus, listener)
    heard = [[len(w) // 1600 for w in batch] for batch in listener.heard]
    assert heard == [[8], [7, 6], [5, 4], [3, 2, 1]]
    header, found = read_transcripts(corpus / "asr.txt")
    assert found == {u: f"text {u[1:]}" for u in entries_of(corpus)}
    assert list(found) == list(entries_of(corpus)) and found == done.texts
    assert not (corpus / "asr.txt.partial").exists()


def test_batches_are_within_their_limits():
    rng = random.Random(0)
    lengths = {str(n): rng.uniform(0.5, 20) for n in range(300)}
    batches = longest_first(lengths, 30.0, 8)
    flat = [name for batch in batches for name in batch]
    assert sorted(flat) == sorted(lengths)
    assert all(len(b) <= 8 and lengths[b[0]] * len(b) <= 30 for b in batches)
    assert max(map(len, batches)) == 8
    assert [lengths[n] for n in flat] == sorted(lengths.values())[::-1]
    assert longest_first({"a": 40.0, "b": 41.0}, 30.0, 8) == [["b"], ["a"]]


@pytest.mark.parametrize("side", ["clean", "noisy"])
def test_side_of_recorded_pairs(corpus, side):
    listener = Listener(texts_by_length())
    run(corpus, listener, side)
    (longest,) = listener.heard[0]
    expected, _ = sf.read(corpus / f"corpus/{side}_8.wav", dtype="float32")
    assert np.array_equal(longest, expected)
    assert read_transcripts(corpus / "asr.txt")[0]["side"] == side


def test_noisy_side_of_a_manifest_is_rendered(corpus):
    mixture = {"snr": 3.0, "noise": "{noise_root}/noisy_8.wav"}
    entries = entries_of(corpus)
    for entry in entries.values():
        entry["mixture"] = mixture
        del entry["noisy_wav"]
    write(corpus, entries)
    listener = Listener(texts_by_length())
    folder = str(corpus / "corpus")
    transcribe(
        corpus / "train.json",
        {"data_root": folder, "noise_root": folder},
        "noisy",
        listener,
        corpus / "asr.txt",
    )
    expected, _ = fixed_pair(
        f"{folder}/clean_8.wav", {**mixture, "noise": f"{folder}/noisy_8.wav"}
    )
    clean, _ = sf.read(f"{folder}/clean_8.wav", dtype="float32")
    assert listener.heard[0][0].equal(expected)
    assert not np.allclose(expected, clean, atol=0.01)


@pytest.mark.parametrize("kind", ["clean", "noisy", "mixture"])
def test_other_rates_are_resampled(corpus, kind):
    folder, entries = corpus / "corpus", entries_of(corpus)
    if kind == "mixture":
        for entry in entries.values():
            del entry["noisy_wav"]
            noise = str(folder / "noisy_8.wav")
            entry["mixture"] = {"snr": 3.0, "noise": noise}
        write(corpus, entries)
    tone = 0.1 * np.sin(np.arange(38400) / 48000 * 2 * np.pi * 440)
    for side in ("clean", "noisy"):
        sf.write(folder / f"{side}_8.wav", tone, 48000)
    listener = Listener(texts_by_length())
    done = run(corpus, listener, "clean" if kind == "clean" else "noisy")
    assert len(done.texts) == 8 and not done.failed
    (heard,) = listener.heard[0]
    spectrum = torch.fft.rfft(heard[:12800]).abs()
    assert spectrum.argmax() == round(440 * 12800 / 16000)


def test_root_that_was_not_given_is_named(corpus, heard_by):
    entries = entries_of(corpus)
    for entry in entries.values():
        del entry["noisy_wav"]
        entry["mixture"] = {"snr": 3.0, "noise": "{noise_root}/noisy_8.wav"}
    write(corpus, entries)
    heard_by(Listener(texts_by_length()))
    done = cmkt(corpus, "--model", "m", "--side", "noisy")
    assert done.exit_code == 1 and "{noise_root}" in done.output
    assert not (corpus / "asr.txt").exists()
    # The clean side does not need it.
    assert cmkt(corpus, "--model", "m").exit_code == 0


def test_noisy_side_of_clean_speech_is_refused(corpus):
    entries = entries_of(corpus)
    for entry in entries.values():
        del entry["noisy_wav"]
    write(corpus, entries)
    with pytest.raises(ValueError, match="clean speech only.*cmkt manifest"):
        run(corpus, Listener(texts_by_length()), "noisy")
    assert len(run(corpus, Listener(texts_by_length())).texts) == 8


class Killed(Listener):
    """Kills its process when it is given the third batch."""

    def transcribe(self, waveforms):
        if len(self.heard) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().transcribe(waveforms)


def without_date(path):
    lines = path.read_text().splitlines()
    return [line for line in lines if not line.startswith("# date:")]


@pytest.mark.parametrize("half_written", [b"", b'{"u5": "tex'])
def test_killed_and_resumed_gives_the_same_file(corpus, half_written):
    run(corpus, Listener(texts_by_length()))
    whole = without_date(corpus / "asr.txt")
    (corpus / "asr.txt").unlink()

    process = multiprocessing.get_context("fork").Process(
        target=run, args=(corpus, Killed(texts_by_length()))
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not (corpus / "asr.txt").exists()
    with open(corpus / "asr.txt.partial", "ab") as file:
        file.write(half_written)

    resumed = Listener(texts_by_length())
    run(corpus, resumed)
    heard = [[len(w) // 1600 for w in batch] for batch in resumed.heard]
    assert heard == [[5, 4], [3, 2, 1]]
    assert without_date(corpus / "asr.txt") == whole
    assert not (corpus / "asr.txt.partial").exists()


@pytest.fixture
def begun(corpus):
    """A corpus of which two batches are done."""
    listener = Listener(texts_by_length())

    def interrupted(waveforms):
        if len(listener.heard) == 2:
            raise KeyboardInterrupt
        return Listener.transcribe(listener, waveforms)

    listener.transcribe = interrupted
    with pytest.raises(KeyboardInterrupt):
        run(corpus, listener)
    return corpus


@pytest.mark.parametrize(
    "change", ["name", "revision", "interface", "side", "annotation"]
)
def test_resuming_with_something_else_is_refused(begun, change):
    before = (begun / "asr.txt.partial").read_bytes()
    listener = Listener(texts_by_length())
    if change == "annotation":
        write(begun, {**entries_of(begun), "u9": {}})
    elif change != "side":
        setattr(listener, change, "other")
    side = "noisy" if change == "side" else "clean"
    said = "model" if change == "name" else change
    with pytest.raises(ValueError, match=f"partial was begun .* {said} '"):
        run(begun, listener, side)
    assert (begun / "asr.txt.partial").read_bytes() == before
    assert not listener.heard


def test_half_written_line_does_not_spoil_the_next(tmp_path):
    path = tmp_path / "asr.txt.partial"
    PartialTranscripts(path, {"model": "a"}).add({"u1": "one"})
    with open(path, "ab") as file:
        file.write(b'{"u2": "tw')
    resumed = PartialTranscripts(path, {"model": "a"})
    assert resumed.texts == {"u1": "one"}
    resumed.add({"u3": "three"})
    found = PartialTranscripts(path, {"model": "a"}).texts
    assert found == {"u1": "one", "u3": "three"}


def test_kill_in_the_first_line_begins_anew(tmp_path):
    path = tmp_path / "asr.txt.partial"
    path.write_bytes(b'{"mod')
    PartialTranscripts(path, {"model": "a"}).add({"u1": "one"})
    assert PartialTranscripts(path, {"model": "a"}).texts == {"u1": "one"}


def test_damaged_partial_file_is_refused(begun):
    with open(begun / "asr.txt.partial", "a") as file:
        file.write("\0\0\n")
    with pytest.raises(ValueError, match="partial is damaged .* delete it"):
        run(begun, Listener(texts_by_length()))


def test_whole_output_is_left_alone(corpus, heard_by):
    run(corpus, Listener(texts_by_length()))
    before = (corpus / "asr.txt").read_bytes()
    listener = heard_by(Listener(texts_by_length(u8="other")))
    done = cmkt(corpus, "--model", "m")
    assert done.exit_code == 1 and "exists and is whole" in done.output
    assert (corpus / "asr.txt").read_bytes() == before and not listener.heard


def test_empty_texts_are_kept_counted_and_named(corpus, heard_by):
    heard_by(Listener(texts_by_length(u2="", u7=" \n")))
    done = cmkt(corpus, "--model", "m")
    assert done.exit_code == 0
    assert "2 of 8 texts are empty: u2, u7" in done.output
    header, found = read_transcripts(corpus / "asr.txt")
    assert header["empty"] == "2"
    assert [name for name, text in found.items() if not text] == ["u2", "u7"]


def test_nothing_but_empty_texts_is_an_error(corpus, heard_by):
    heard_by(Listener(dict.fromkeys(texts_by_length(), "")))
    done = cmkt(corpus, "--model", "m")
    assert done.exit_code == 1 and "empty text for all of 8" in done.output
    # Nothing stays in the way of another model.
    assert not list(corpus.glob("asr.txt*"))


def test_bad_ones_are_named_and_the_rest_goes_on(corpus, heard_by):
    (corpus / "corpus/clean_1.wav").write_bytes(b"no audio")
    (corpus / "corpus/clean_2.wav").unlink()
    sf.write(corpus / "corpus/clean_4.wav", np.zeros((6400, 2)), 16000)
    sf.write(corpus / "corpus/clean_5.wav", np.zeros(0), 16000)
    nan = np.full(9600, np.nan, dtype=np.float32)
    sf.write(corpus / "corpus/clean_6.wav", nan, 16000, subtype="FLOAT")
    heard_by(Listener(texts_by_length(u7=None)))
    done = cmkt(corpus, "--model", "m", "--batch-seconds", 100)
    assert done.exit_code == 1 and "6 failed: run again" in done.output
    for name, reason in {
        "u1": "",
        "u2": "",
        "u4": "ValueError: expected one channel .* (6400, 2)",
        "u5": "ValueError: expected one channel .* (0,)",
        "u6": "ValueError: .* no finite numbers",
        "u7": "RuntimeError: cannot hear it",
    }.items():
        start, _, end = reason.partition(" .* ")
        (line,) = [
            line
            for line in done.output.splitlines()
            if line.startswith(f"Error: {name}: {start}")
        ]
        assert line.endswith(end)
    header, found = read_transcripts(corpus / "asr.txt")
    assert list(found) == ["u3", "u8"]
    assert (header["utterances"], header["failed"]) == ("2", "6")


def test_failed_ones_are_tried_again(corpus, heard_by):
    heard_by(Listener(texts_by_length(u7=None)))
    assert cmkt(corpus, "--model", "m").exit_code == 1
    again = heard_by(Listener(texts_by_length()))
    assert cmkt(corpus, "--model", "m").exit_code == 0
    assert [[len(w) // 1600 for w in batch] for batch in again.heard] == [[7]]
    header, found = read_transcripts(corpus / "asr.txt")
    assert list(found) == list(entries_of(corpus)) and header["failed"] == "0"
    assert not (corpus / "asr.txt.partial").exists()


def test_failing_on_all_is_an_error(corpus, heard_by):
    heard_by(Listener(dict.fromkeys(texts_by_length())))
    done = cmkt(corpus, "--model", "m")
    assert done.exit_code == 1 and "8 failed" in done.output
    assert "cannot hear it" in done.output
    assert not list(corpus.glob("asr.txt*"))


def test_answer_of_another_length_is_not_taken(corpus):
    listener = Listener(texts_by_length())
    listener.transcribe = lambda waveforms: ["text"]
    done = run(corpus, listener, batch_seconds=100)
    assert done.texts == dict.fromkeys(entries_of(corpus), "text")
    listener.transcribe = lambda waveforms: []
    (corpus / "asr.txt").unlink()
    with pytest.raises(ValueError, match="8 failed"):
        run(corpus, listener)


def test_odd_id_is_refused_before_the_work(corpus):
    entries = entries_of(corpus)
    write(corpus, {**entries, "a\tb": entries["u1"]})
    listener = Listener(texts_by_length())
    with pytest.raises(ValueError, match="cannot be written"):
        run(corpus, listener)
    assert not listener.heard


def test_bad_annotation_and_side(corpus):
    with pytest.raises(ValueError, match="side: .* found 'loud'"):
        run(corpus, Listener({}), "loud")
    write(corpus, {})
    with pytest.raises(ValueError, match="has no utterance"):
        run(corpus, Listener({}))


def test_command_offers_every_interface():
    assert list(recognizers.RECOGNIZERS) == INTERFACES
    text = CliRunner().invoke(main, ["transcribe", "--help"]).output
    assert "use only models that you trust" in " ".join(text.split())
