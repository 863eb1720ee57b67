"""Phone errors of enhanced recordings against the clean ones."""

import csv
import json

import numpy as np
import pytest
import soundfile
import tiny_asr
import torch
from click.testing import CliRunner
from tone_speech import RATE, ToneRecognizer, speak, write_corpus

from cmkt_plugin.cli import main
from cmkt_plugin.phone_recognition.alignment import aligned, count_errors
from cmkt_plugin.phone_recognition.confusion_csv import write_confusions
from cmkt_plugin.phone_recognition.judge import (
    Judge,
    open_judge,
    open_recognizer,
)
from cmkt_plugin.phone_recognition.labelled_speech import read_labelled
from cmkt_plugin.phone_recognition.phone_errors import describe
from cmkt_plugin.phone_recognition.rate_interval import rate_interval
from cmkt_plugin.phone_recognition.symbols import (
    SpokenPhones,
    WrittenCharacters,
)

YAML = """\
recognizer: !new:tone_speech.ToneRecognizer
symbols: !new:cmkt_plugin.phone_recognition.symbols.SpokenPhones
    g2p: null
"""
CLEAN = {
    "p1_1": ["a", "i", "u", "a"],
    "p1_2": ["i", "i", "a"],
    "p2_1": ["u", "a", "u"],
}
# One i heard as u, one u deleted: two errors in ten phones.
WORSE = {
    "p1_1": ["a", "u", "u", "a"],
    "p1_2": ["i", "i", "a"],
    "p2_1": ["", "a", "u"],
}


def write_system(folder, utterances):
    """Recordings of tones; "" is a phone's length of silence."""
    folder.mkdir()
    draw = np.random.default_rng(0)
    for name, phones in utterances.items():
        parts = [speak([p], draw) if p else np.zeros(2880) for p in phones]
        parts = [np.resize(part, 2880) for part in parts]
        soundfile.write(folder / f"{name}.wav", np.concatenate(parts), RATE)
    return folder


@pytest.fixture
def folders(tmp_path):
    """Folders of clean recordings, of worse and of silent ones."""
    silent = {name: [""] * len(phones) for name, phones in CLEAN.items()}
    return {
        name: write_system(tmp_path / name, utterances)
        for name, utterances in {
            "clean": CLEAN,
            "worse": WORSE,
            "silent": silent,
        }.items()
    }


@pytest.fixture
def judge(tmp_path):
    """Options of a recogniser that errs in an eighth of an annotation."""
    (tmp_path / "judge.yaml").write_text(YAML)
    path = write_corpus(tmp_path / "corpus", "test", 4, seed=0)
    entries = json.loads(path.read_text())
    for entry, phones in zip(entries.values(), ("a i", "a a", "u i", "i u")):
        draw = np.random.default_rng(0)
        wave = entry["clean_wav"].format(data_root=tmp_path / "corpus")
        soundfile.write(wave, speak(phones.split(), draw), RATE)
        entry["phones"] = phones
    entry["phones"] = "i a"  # not what was spoken
    path.write_text(json.dumps(entries))
    return [
        *("--recognizer", tmp_path / "judge.yaml", "--annotation", path),
        *("--data-root", tmp_path / "corpus"),
    ]


def run(judge, output, *more):
    """Judge folders; returns figures and the verb's result."""
    arguments = ["phone-errors", *judge, "-o", output, *more]
    done = CliRunner().invoke(main, [str(a) for a in arguments])
    assert output.with_name(f"{output.name}.json").is_file(), done.output
    found = json.loads(output.with_name(f"{output.name}.json").read_text())
    return found, done


def test_known_errors_are_counted(judge, folders, tmp_path):
    found, done = run(
        judge,
        tmp_path / "out" / "x",
        *("--noisy", folders["silent"], folders["clean"]),
        *(folders["clean"], folders["worse"]),
    )
    assert done.exit_code == 0
    noisy, same, worse = found["systems"]
    rates = {
        name: given["phone_error_rate"]["mean"]
        for name, given in found["systems"].items()
    }
    assert rates == {noisy: 1, same: 0, worse: pytest.approx(0.2)}
    assert found["systems"][worse]["substitutions"] == 1
    assert found["systems"][worse]["deletions"] == 1
    assert found["systems"][worse]["insertions"] == 0
    assert found["empty"] == {"clean": 0, noisy: 3, same: 0, worse: 0}
    differences = found["differences"]
    assert list(differences) == [noisy, same]
    assert differences[noisy][worse]["mean"] == pytest.approx(-0.8)
    assert differences[same][worse]["mean"] == pytest.approx(0.2)
    assert found["confusions"] == [
        {"clean": "i", "heard": "u", "times": {noisy: 0, same: 0, worse: 1}}
    ]


def test_tables_of_confusions_and_recordings(judge, folders, tmp_path):
    found, _ = run(judge, tmp_path / "x", folders["clean"], folders["worse"])
    (worse,) = found["systems"]
    safe = worse.replace("-", "_").replace("/", "_")
    with open(tmp_path / f"x_confusions_{safe}.csv", newline="") as file:
        rows = {row["clean"]: row for row in csv.DictReader(file)}
    assert rows["i"] == {"clean": "i", "": "0", "a": "0", "i": "2", "u": "1"}
    assert rows["u"] == {"clean": "u", "": "1", "a": "0", "i": "0", "u": "2"}
    with open(tmp_path / "x.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["speaker"] for row in rows] == ["p1", "p1", "p2"]
    assert [int(row["deletions"]) for row in rows] == [0, 0, 1]


def test_no_confusions_are_written_over_others(tmp_path):
    counts = {name: {("a", "b"): n} for n, name in enumerate(("x-1", "x_1"))}
    write_confusions(counts, tmp_path / "y")
    found = [path.read_text() for path in tmp_path.glob("y_confusions_*.csv")]
    assert len(set(found)) == 2


def test_its_own_error_rate_stands_beside_every_figure(
    judge, folders, tmp_path
):
    mixtures = tmp_path / "mixtures.csv"
    mixtures.write_text(
        "file,snr_db,noise\np1_1,-5,hum\np1_2,-5,hum\np2_1,5,babble\n"
    )
    found, _ = run(
        judge,
        tmp_path / "x",
        *("--noisy", folders["silent"], "--mixtures", mixtures),
        *(folders["clean"], folders["worse"], folders["clean"]),
    )
    own = found["recognizer"]["held_out"]
    assert own["phone_error_rate"] == 0.125 and own["speech"] == "test.json"
    levels = found["groups"]["SNR"]
    assert [given["utterances"] for given in levels.values()] == [2, 1]
    text = (tmp_path / "x.md").read_text()
    figures = text[: text.index("## Most frequent")].splitlines()
    rows = [line for line in figures if line.startswith("| ")]
    rows = [r for r in rows if "---" not in r and "recogniser's" not in r]
    assert len(rows) == 3 + 2 + 1 + 3 * (2 + 2 + 2)
    assert all(row.endswith("| 0.125 |") for row in rows)
    assert "own error rate: 0.125" in text[text.index("## Most frequent") :]
    assert str(tmp_path) not in text + json.dumps(found)


def test_without_its_own_error_rate_nothing_is_told(judge, folders):
    arguments = ["phone-errors", *judge[:2], folders["clean"]]
    done = CliRunner().invoke(
        main, [str(a) for a in (*arguments, folders["worse"])]
    )
    assert done.exit_code == 1 and "--annotation" in done.output


def test_recordings_without_a_partner_are_named(judge, folders, tmp_path):
    (folders["worse"] / "p1_2.wav").unlink()
    found, done = run(judge, tmp_path / "x", folders["clean"], folders["worse"])
    assert done.exit_code == 1 and "p1_2" in done.output
    assert found["utterances"] == 2 and len(found["faults"]) == 1
    assert str(tmp_path) not in found["faults"][0]


def test_speech_that_nobody_hears_is_refused(judge, folders):
    given = ["phone-errors", *judge, folders["silent"], folders["worse"]]
    done = CliRunner().invoke(main, [str(a) for a in given])
    assert done.exit_code == 1
    assert "nothing was recognised in 3 clean recordings" in done.output


def test_a_yaml_without_symbols_is_refused(tmp_path):
    (tmp_path / "judge.yaml").write_text("recognizer: 1\n")
    with pytest.raises(ValueError, match="judge.yaml: expected .*symbols"):
        open_judge(tmp_path / "judge.yaml")


class Writer(ToneRecognizer):
    """A recogniser that writes words: what it hears is given."""

    def transcribe(self, waveforms):
        """The same text for all."""
        return ["We Call" for _ in waveforms]


def test_a_recogniser_of_characters_is_judged_by_them(tmp_path):
    path = write_corpus(tmp_path, "test", 2, seed=0)
    entries = json.loads(path.read_text())
    for entry in entries.values():
        entry["words"] = "we cal it."  # "wecalit"; heard "wecall"
    path.write_text(json.dumps(entries))
    judge = Judge(Writer(), WrittenCharacters())
    judge.measure(path, {"data_root": tmp_path})
    own = judge.require_held_out()
    assert own["phone_error_rate"] == pytest.approx(2 / 7)


@pytest.mark.parametrize(
    "symbols, key, expected",
    [
        (WrittenCharacters(), "phones", "words"),
        (SpokenPhones(g2p=None), "words", "phones"),
    ],
)
def test_annotations_of_other_symbols_are_named(
    symbols, key, expected, tmp_path
):
    path = write_corpus(tmp_path, "test", 1, seed=0)
    path.write_text(path.read_text().replace('"phones"', f'"{key}"'))
    (name,) = json.loads(path.read_text())
    with pytest.raises(ValueError, match=f"{name}: .*expected {expected}"):
        read_labelled([path], {"data_root": tmp_path}, symbols.spell)


@pytest.mark.parametrize("interface", ["pipeline", "EncoderASR"])
def test_a_yaml_opens_what_transcribes(interface, tmp_path):
    """Untrained ones, so that nothing but their way into a judge is tested."""
    folder = tmp_path / "asr"
    if interface == "pipeline":
        tiny_asr.make_wav2vec2(folder)
    else:
        tiny_asr.train_ctc(folder, [torch.randn(16000)], ["aiu"], steps=1)
    (tmp_path / "judge.yaml").write_text(
        "recognizer: !apply:"
        "cmkt_plugin.phone_recognition.judge.open_recognizer\n"
        f"    interface: {interface}\n    source: {folder}\n"
        "    device: cpu\n"
        "symbols: !new:"
        "cmkt_plugin.phone_recognition.symbols.WrittenCharacters\n"
    )
    path = write_corpus(tmp_path, "test", 2, seed=0)
    path.write_text(path.read_text().replace('"phones"', '"words"'))
    judge = open_judge(tmp_path / "judge.yaml")
    with pytest.raises(ValueError, match="--annotation"):
        judge.require_held_out()
    judge.measure(path, {"data_root": tmp_path})
    assert judge.require_held_out()["phone_error_rate"] > 0.5
    with pytest.raises(ValueError, match="expected EncoderASR, "):
        open_recognizer("ASR", folder)


@pytest.mark.parametrize(
    ("clean", "heard", "expected"),
    [
        ("abc", "abc", (0, 0, 0)),
        ("abc", "axc", (1, 0, 0)),
        ("abc", "", (0, 3, 0)),
        ("", "ab", (0, 0, 2)),
        ("abcd", "bcde", (0, 1, 1)),
    ],
)
def test_errors_of_closed_forms(clean, heard, expected):
    counts = count_errors(aligned(list(clean), list(heard)))
    assert tuple(counts.values()) == (len(clean), *expected)


def test_the_interval_is_of_the_ratio_of_sums():
    # Speakers of very different length: a mean over utterances would be 0.5.
    found = rate_interval(["a", "b"], [0, 100], [900, 100])
    assert found["mean"] == pytest.approx(0.1)
    assert found["low"] == 0 and found["high"] == 1
    alike = rate_interval(["a", "b", "c"], [1, 2, 3], [10, 20, 30])
    assert alike["low"] == pytest.approx(0.1) == alike["high"]
    assert rate_interval(["a"], [1], [10])["low"] is None


def test_differences_are_paired():
    """A constant difference is certain, whatever the rates themselves do."""
    base, worse = {}, {}
    for number in range(6):
        right = [("a", "a")] * (number + 1)
        wrong = [("a", "b")] * (5 - number)
        base[f"p{number}"] = [*right, *wrong, ("a", "a")]
        worse[f"p{number}"] = [*right, *wrong, ("a", "")]
    found = describe(
        {"base": base, "worse": worse}, {u: u for u in base}, ["base"]
    )
    difference = found["differences"]["base"]["worse"]
    assert difference["low"] == difference["high"] == pytest.approx(1 / 7)
    rate = found["systems"]["worse"]["phone_error_rate"]
    assert rate["low"] < rate["mean"] < rate["high"]
