"""``cmkt evaluate``: pairs, scores, comparisons and what is left out."""

import csv
import json
import shutil

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from locked_folder import lock
from noisy_pairs import make_pair
from test_export import make_run

from cmkt_plugin.cli import main
from cmkt_plugin.evaluation import evaluate as evaluation
from cmkt_plugin.evaluation.pairs import find_pairs, speakers_of
from cmkt_plugin.loading.model_source import open_model
from cmkt_plugin.metrics import METRICS, score

NAMES = [f"{speaker}_{n}" for speaker in ("p1", "p2", "p3") for n in "12"]

PLAIN = "plain/1"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs of different weights."""
    folder = tmp_path_factory.mktemp("runs")
    for number, name in enumerate(("plain", "cmkt")):
        (folder / name).mkdir()
        make_run(folder / name / "1", "gru", scores=(1.0 + number,))
    return folder / "plain" / "1", folder / "cmkt" / "1"


@pytest.fixture
def corpus(tmp_path):
    """Folders noisy and clean of 16-bit wav files, and their mixtures.csv."""
    rows = ["file,snr_db,noise"]
    for number, name in enumerate(NAMES):
        noisy, clean = make_pair(number, 0.8)
        write(tmp_path / "noisy" / f"{name}.wav", noisy)
        write(tmp_path / "clean" / f"{name}.wav", clean)
        rows.append(f"{name},{5 * (number % 2)},hum")
    (tmp_path / "mixtures.csv").write_text("\n".join(rows))
    return tmp_path


def write(path, wave, rate=16000):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, wave, rate)


def evaluate(corpus, *words):
    given = ("--noisy", corpus / "noisy", "--clean", corpus / "clean")
    words = ("evaluate", *words, *given, "--jobs", 1, "--device", "cpu")
    return CliRunner().invoke(main, [str(word) for word in words])


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_scores_are_those_of_the_enhanced_samples(corpus, runs):
    out = corpus / "results" / "v1.csv"
    done = evaluate(corpus, runs[0], "-o", out)
    assert done.exit_code == 0, done.output
    header = out.read_text().splitlines()[0]
    assert header == f"id,speaker,{','.join(METRICS)},note"
    model = open_model(runs[0], "cpu")
    for table, enhance in (
        ("v1.csv", lambda noisy: model.enhance_array(noisy, 16000)),
        ("v1_noisy.csv", lambda noisy: noisy),
    ):
        rows = read(out.with_name(table))
        assert [row["id"] for row in rows] == NAMES
        assert [row["speaker"] for row in rows] == [n[:2] for n in NAMES]
        noisy, clean = (
            soundfile.read(corpus / kind / "p2_1.wav", dtype="float32")[0]
            for kind in ("noisy", "clean")
        )
        expected = score(enhance(noisy), clean)[0]
        found = {metric: float(rows[2][metric]) for metric in METRICS}
        assert found == pytest.approx(expected, rel=1e-4)
    text = (corpus / "results" / "v1.md").read_text()
    assert text == f"# v1\n\n{done.stdout}".rstrip("\n") + "\n"
    found = json.loads((corpus / "results" / "v1.json").read_text())
    for name, table in (
        ("noisy input", "v1_noisy.csv"),
        (PLAIN, "v1.csv"),
    ):
        scores = [float(row["pesq"]) for row in read(out.with_name(table))]
        mean = found["scores"][name]["pesq"]["mean"]
        assert mean == pytest.approx(np.mean(scores))
        assert f"| {name} | 6 | {mean:.3f} |" in text
    assert found["provenance"]["command"] and len(found["models"]) == 1
    assert str(corpus) not in text + json.dumps(found)


def test_intervals_are_paired_and_over_speakers(corpus, runs):
    done = evaluate(corpus, runs[0], "-o", corpus / "v1.csv")
    found = json.loads((corpus / "v1.json").read_text())
    difference = found["differences"]["noisy input"][PLAIN]["si_sdr"]
    pairs = [
        float(enhanced["si_sdr"]) - float(noisy["si_sdr"])
        for enhanced, noisy in zip(
            read(corpus / "v1.csv"), read(corpus / "v1_noisy.csv")
        )
    ]
    assert difference["mean"] == pytest.approx(np.mean(pairs))
    assert difference["low"] < difference["mean"] < difference["high"]
    assert difference["speakers"] == 3 and difference["count"] == 6
    assert "resample speakers only" in done.stdout
    # Every utterance its own speaker.
    evaluate(corpus, runs[0], "-o", corpus / "v2.csv", "--speaker", ".*")
    found = json.loads((corpus / "v2.json").read_text())
    other = found["differences"]["noisy input"][PLAIN]["si_sdr"]
    assert other["speakers"] == 6 and other["low"] != difference["low"]


def test_several_models_are_compared_with_the_first(corpus, runs):
    out = corpus / "both.csv"
    done = evaluate(corpus, *runs, "-o", out)
    assert done.exit_code == 0, done.output
    rows = read(out)
    names = [PLAIN, "cmkt/1"]
    assert [row["model"] for row in rows] == 6 * names[:1] + 6 * names[1:]
    found = json.loads((corpus / "both.json").read_text())
    assert list(found["differences"]) == ["noisy input", PLAIN]
    assert list(found["differences"]["noisy input"]) == names
    (name,) = found["differences"][PLAIN]
    difference = found["differences"][PLAIN][name]["stoi"]
    stoi = np.array([float(row["stoi"]) for row in rows])
    assert difference["mean"] == pytest.approx(np.mean(stoi[6:] - stoi[:6]))
    assert difference["mean"] != 0
    assert "Difference to `plain/1`" in done.stdout
    assert found["models"][PLAIN] != found["models"]["cmkt/1"]


def test_groups_of_mixtures(corpus, runs):
    mixtures = corpus / "mixtures.csv"
    out = corpus / "v1.csv"
    done = evaluate(corpus, runs[0], "--mixtures", mixtures, "-o", out)
    assert done.exit_code == 0, done.output
    groups = json.loads((corpus / "v1.json").read_text())["groups"]
    assert list(groups) == ["SNR", "noise", "noise and SNR"]
    assert list(groups["SNR"]) == ["0 dB", "5 dB"]
    level = groups["SNR"]["5 dB"]
    assert level["utterances"] == 3
    scores = [float(row["pesq"]) for row in read(out)[1::2]]
    found = level["runs"][PLAIN]["scores"]["pesq"]["mean"]
    assert found == pytest.approx(np.mean(scores))
    assert "pesq" in level["runs"][PLAIN]["difference"]
    assert "## By SNR" in done.stdout and "| 5 dB | 3 | plain/1 |" in (
        done.stdout
    )


def test_mixtures_of_another_corpus_are_refused_at_once(
    corpus, runs, monkeypatch
):
    monkeypatch.setattr(evaluation, "score_pairs", None)  # nothing is scored
    other = corpus / "other.csv"
    other.write_text("file,snr_db,noise\np9_1,5,hum\n")
    done = evaluate(corpus, runs[0], "--mixtures", other)
    assert done.exit_code == 1 and not done.stdout
    assert "do not list 6 of 6" in done.stderr


def test_what_is_not_scored_is_named(corpus, runs):
    (corpus / "clean" / "p1_1.wav").unlink()
    (corpus / "noisy" / "p1_2.wav").unlink()
    write(corpus / "noisy" / "p2_1.wav", np.ones(99) / 2)
    bad = np.full(12800, np.nan)
    soundfile.write(corpus / "noisy" / "p2_2.wav", bad, 16000, "FLOAT")
    out = corpus / "v1.csv"
    done = evaluate(corpus, runs[0], "-o", out)
    assert done.exit_code == 1 and done.stdout
    told = [line for line in done.stderr.splitlines() if "Error" in line]
    assert len(told) == 4
    assert "clean/p1_2.wav: no noisy file of that name" in told[0]
    assert "noisy/p1_1.wav: no clean file of that name" in told[1]
    assert "p2_1.wav: 99 samples, expected 12800 as in" in told[2]
    assert told[3].startswith("Error: plain/1: p2_2: ") and "nan" in told[3]
    assert [row["id"] for row in read(out)] == NAMES[4:]
    faults = json.loads((corpus / "v1.json").read_text())["faults"]
    assert len(faults) == 4 and str(corpus) not in str(faults)
    assert "99 samples, expected 12800 as in p2_1.wav" in faults[2]


def test_a_model_that_enhances_nothing(corpus, runs, monkeypatch):
    def fail(*arguments, **options):
        raise RuntimeError("out of memory")

    whole, broken = (open_model(run, "cpu") for run in runs)
    broken.enhance_array = fail
    opened = {str(runs[0]): whole, str(runs[1]): broken}
    monkeypatch.setattr(
        "cmkt_plugin.loading.model_source.open_model",
        lambda source, **_: opened[str(source)],
    )
    out = corpus / "v1.csv"
    for models in (runs, runs[1:]):
        mixtures = ("--mixtures", corpus / "mixtures.csv")
        done = evaluate(corpus, *models, "-o", out, *mixtures)
        assert done.exit_code == 1, done.output
        assert done.stderr.count(": out of memory\n") == 6
        *_, name = ("plain/1", "cmkt/1")[-len(models) :]
        assert f"| {name} | 0 | {' | '.join(7 * '–')} |" in done.stdout
        assert "| noisy input | 6 | 1." in done.stdout
        rows = read(out)
        assert len(rows) == 6 * (len(models) - 1)
        found = json.loads((corpus / "v1.json").read_text())
        assert found["scores"][name]["pesq"]["mean"] is None
        assert done.stdout in (corpus / "v1.md").read_text() + "\n"


def test_a_folder_that_cannot_be_read_is_named(corpus, runs, monkeypatch):
    for kind in ("noisy", "clean"):
        shutil.copytree(corpus / kind, corpus / kind / "more")
    lock(monkeypatch, corpus / "noisy" / "more")
    done = evaluate(corpus, runs[0], "-o", corpus / "v1.csv")
    assert done.exit_code == 1
    told = f"Error: {corpus / 'noisy' / 'more'} cannot be read (Permission de"
    assert done.stderr.startswith(told)
    assert len(read(corpus / "v1.csv")) == 6


def test_where_nothing_can_be_written_nothing_is_done(
    corpus, runs, monkeypatch
):
    monkeypatch.setattr(evaluation, "score_pairs", None)  # nothing is scored
    (corpus / "file").touch()
    done = evaluate(corpus, runs[0], "-o", corpus / "file" / "deep" / "v1.csv")
    assert done.exit_code == 1 and not done.stdout
    assert done.stderr.endswith("is a file: name another folder\n")
    assert len(done.stderr.splitlines()) == 1


def test_silence_and_long_recordings_have_a_note(corpus, runs):
    write(corpus / "clean" / "p1_1.wav", np.zeros(12800))
    long = np.tile(make_pair(0, 1.0), 31)
    write(corpus / "noisy" / "p1_2.wav", long[0])
    write(corpus / "clean" / "p1_2.wav", long[1])
    done = evaluate(corpus, runs[0], "-o", corpus / "v1.csv")
    assert done.exit_code == 0, done.output
    silent, long, *others = read(corpus / "v1.csv")
    assert silent["note"] == "clean is silent" and not silent["stoi"]
    assert long["note"].startswith("longer than 30 s: pesq")
    assert long["stoi"] and not any(row["note"] for row in others)
    assert "without some score in plain/1: p1_1 (clean is" in done.stdout
    assert "| plain/1 | 4 |" not in done.stdout  # two have STOI but no PESQ


def test_recordings_of_a_higher_rate_are_resampled(tmp_path, runs):
    for name in NAMES[:3]:
        noisy, clean = make_pair(0, 0.5)
        for kind, wave in (("noisy", noisy), ("clean", clean)):
            finer = np.repeat(wave, 2)
            write(tmp_path / kind / f"{name}.wav", finer, 32000)
    done = evaluate(tmp_path, runs[0], "-o", tmp_path / "v1.csv")
    assert done.exit_code == 0, done.output
    rows = read(tmp_path / "v1_noisy.csv")
    expected = score(*make_pair(0, 0.5), metrics=["pesq"])[0]["pesq"]
    # Repeated samples are a poor interpolation; the speed would be halved.
    assert float(rows[0]["pesq"]) == pytest.approx(expected, abs=0.1)
    write(tmp_path / "noisy" / "p1_1.wav", np.zeros(800), 8000)
    done = evaluate(tmp_path, runs[0])
    assert "8000 Hz, expected 16000 Hz" in done.stderr


def test_models_of_different_rates_are_refused(corpus, runs, monkeypatch):
    models = {name: open_model(runs[0], "cpu") for name in "ab"}
    models["b"].sample_rate = 8000
    with pytest.raises(ValueError, match=r"work at \[8000, 16000\] Hz"):
        evaluation.evaluate(models, corpus / "noisy", corpus / "clean")
    # And one of 8000 Hz has the metrics that are defined there.
    for kind in ("noisy", "clean"):
        for name in NAMES:
            wave = soundfile.read(corpus / kind / f"{name}.wav")[0]
            write(corpus / kind / f"{name}.wav", wave[::2], 8000)
    done = evaluation.evaluate(
        {"b": models["b"]}, corpus / "noisy", corpus / "clean", jobs=1
    )
    run = evaluation.as_run(done.rows["b"], done.metrics)
    assert list(run.scores) == ["stoi", "estoi", "si_sdr"]


def test_pairs_by_name_or_by_path(tmp_path):
    wave = np.ones(160) / 2
    write(tmp_path / "noisy" / "p1" / "p1_1.flac", wave)
    write(tmp_path / "clean" / "p1_1.wav", wave)
    pairs, faults = find_pairs(tmp_path / "noisy", tmp_path / "clean", 16000)
    assert [path.name for path in pairs["p1_1"]] == ["p1_1.flac", "p1_1.wav"]
    assert not faults
    # The same names in several folders: then by path.
    for kind in ("noisy", "clean"):
        write(tmp_path / kind / "p2" / "p1_1.wav", wave)
    pairs, faults = find_pairs(tmp_path / "noisy", tmp_path / "clean", 16000)
    assert list(pairs) == ["p2/p1_1"] and len(faults) == 2
    write(tmp_path / "clean" / "p2" / "p1_1.flac", wave)
    with pytest.raises(ValueError, match="holds p2/p1_1 in several formats"):
        find_pairs(tmp_path / "noisy", tmp_path / "clean", 16000)
    write(tmp_path / "other" / "b.wav", wave)
    with pytest.raises(ValueError, match="no pair of recordings: 2 in .*1 in"):
        find_pairs(tmp_path / "noisy", tmp_path / "other", 16000)
    with pytest.raises(FileNotFoundError, match="gone: expected a folder"):
        find_pairs(tmp_path / "gone", tmp_path / "clean", 16000)


def test_speakers_that_no_pattern_finds():
    assert speakers_of(["a/b_1"], "^(.)/") == {"a/b_1": "a"}
    with pytest.raises(ValueError, match="finds nothing in b"):
        speakers_of(["a1", "b"], r"\d")
    with pytest.raises(ValueError, match="is no pattern"):
        speakers_of(["a1"], "[")


def test_output_is_a_csv(corpus, runs):
    done = evaluate(corpus, runs[0], "-o", corpus / "v1.md")
    assert done.exit_code == 1 and "ends in .csv" in done.stderr
