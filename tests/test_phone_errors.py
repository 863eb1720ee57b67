"""Phone errors of enhanced recordings against the clean ones."""

import csv
import json

import numpy as np
import pytest
import soundfile
from test_phone_recognition import cmkt, tone_corpus, tone_phones  # noqa: F401
from tone_speech import RATE, speak

from cmkt_plugin.phone_recognition.alignment import aligned, count_errors
from cmkt_plugin.phone_recognition.judge import Judge, open_judge
from cmkt_plugin.phone_recognition.phone_errors import describe
from cmkt_plugin.phone_recognition.rate_interval import rate_interval
from cmkt_plugin.phone_recognition.symbols import WrittenCharacters

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


def run(tone_phones, output, *more):  # noqa: F811
    """Judge folders; returns figures and the verb's result."""
    done = cmkt(
        *("phone-errors", "--recognizer", tone_phones, "--device", "cpu"),
        *("-o", output, *more),
    )
    assert output.with_name(f"{output.name}.json").is_file(), done.output
    found = json.loads(output.with_name(f"{output.name}.json").read_text())
    return found, done


def test_known_errors_are_counted(tone_phones, folders, tmp_path):  # noqa: F811
    found, done = run(
        tone_phones,
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
    assert rates[same] == 0
    assert rates[worse] == pytest.approx(0.2)
    assert found["systems"][worse]["substitutions"] == 1
    assert found["systems"][worse]["deletions"] == 1
    assert found["systems"][worse]["insertions"] == 0
    assert rates[noisy] == 1 and found["empty"][noisy] == 3
    assert found["empty"][worse] == found["empty"]["clean"] == 0
    differences = found["differences"]
    assert list(differences) == [noisy, same]
    assert differences[noisy][worse]["mean"] == pytest.approx(-0.8)
    assert differences[same][worse]["mean"] == pytest.approx(0.2)
    matrix = tmp_path / "out" / f"x_confusions_{_safe(worse)}.csv"
    with open(matrix, newline="", encoding="utf-8") as file:
        rows = {row["clean"]: row for row in csv.DictReader(file)}
    assert rows["i"] == {"clean": "i", "": "0", "a": "0", "i": "2", "u": "1"}
    assert rows["u"][""] == "1" and rows["u"]["u"] == "2"
    with open(tmp_path / "out" / "x.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["system"] == worse]
    assert [int(row["deletions"]) for row in rows] == [0, 0, 1]


def _safe(name):
    return name.replace("-", "_").replace("/", "_")


def test_its_own_error_rate_stands_beside_every_figure(
    tone_phones,  # noqa: F811
    folders,
    tmp_path,
):
    mixtures = tmp_path / "mixtures.csv"
    mixtures.write_text(
        "file,snr_db,noise\np1_1,-5,hum\np1_2,-5,hum\np2_1,5,babble\n"
    )
    record = json.loads((tone_phones / "phones.json").read_text())
    record["held_out"]["test"]["phone_error_rate"] = 0.0765  # to be found
    marked = tmp_path / "phones"
    marked.mkdir()
    (marked / "phones.json").write_text(json.dumps(record))
    weights = (tone_phones / "model.safetensors").read_bytes()
    (marked / "model.safetensors").write_bytes(weights)
    found, done = run(
        marked,
        tmp_path / "x",
        *("--noisy", folders["silent"], "--mixtures", mixtures),
        *(folders["clean"], folders["worse"], folders["clean"]),
    )
    levels = found["groups"]["SNR"]
    assert [given["utterances"] for given in levels.values()] == [2, 1]
    text = (tmp_path / "x.md").read_text()
    figures = text[: text.index("## Most frequent")].splitlines()
    rows = [line for line in figures if line.startswith("| ")]
    rows = [line for line in rows if "---" not in line and "own" not in line]
    assert len(rows) > 10
    assert all(row.endswith("| 0.077 |") for row in rows)
    assert "own error rate: 0.077" in text[text.index("## Most frequent") :]
    assert str(tmp_path) not in text + json.dumps(found)


def test_recordings_without_a_partner_are_named(
    tone_phones,  # noqa: F811
    folders,
    tmp_path,
):
    (folders["worse"] / "p1_2.wav").unlink()
    found, done = run(
        tone_phones, tmp_path / "x", folders["clean"], folders["worse"]
    )
    assert done.exit_code == 1
    assert "p1_2" in done.output
    assert found["utterances"] == 2 and len(found["faults"]) == 1


def test_a_yaml_opens_any_recogniser_and_its_errors_are_measured(
    tone_phones,  # noqa: F811
    tone_corpus,  # noqa: F811
    folders,
    tmp_path,
):
    yaml = tmp_path / "judge.yaml"
    yaml.write_text(
        "recognizer: !new:"
        "cmkt_plugin.phone_recognition.recognizer.PhoneRecognizer\n"
        f"    source: {tone_phones}\n"
        "    device: cpu\n"
        "symbols: !new:cmkt_plugin.phone_recognition.symbols.SpokenPhones\n"
        "    g2p: null\n"
    )
    given = [folders["clean"], folders["worse"]]
    refused = cmkt("phone-errors", "--recognizer", yaml, *given)
    assert refused.exit_code == 1 and "--annotation" in refused.output
    found, done = run(
        yaml,
        tmp_path / "x",
        *("--annotation", tone_corpus / "test.json"),
        *("--data-root", tone_corpus, *given),
    )
    own = found["recognizer"]["held_out"]
    assert own["speech"] == "test.json" and own["utterances"] == 9
    yaml.write_text("recognizer: 1\n")
    with pytest.raises(ValueError, match="judge.yaml.*symbols"):
        open_judge(yaml)


class Writer:
    """A recogniser that writes words: what it hears is given."""

    name, revision = "writer", "1"

    def transcribe(self, waveforms):
        """The same text for all."""
        return ["We Call" for _ in waveforms]


def test_a_recogniser_of_characters_is_judged_by_them(tone_corpus, tmp_path):  # noqa: F811
    entries = json.loads((tone_corpus / "test.json").read_text())
    for entry in entries.values():
        del entry["phones"]
        entry["words"] = "we cal it."  # wecalit; heard wecall
    path = tmp_path / "test.json"
    path.write_text(json.dumps(entries))
    judge = Judge(Writer(), WrittenCharacters())
    judge.measure(path, {"data_root": tone_corpus})
    own = judge.require_held_out()
    assert own["phone_error_rate"] == pytest.approx(2 / 7)


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
