"""``cmkt report``: one page that needs nothing, with the runs' own figures."""

import csv
import shutil
import sys

import numpy as np
import pytest
import soundfile
import torch
from click.testing import CliRunner
from hyperpyyaml import load_hyperpyyaml
from matplotlib.figure import Figure
from report_html import Page, samples, texts
from report_runs import (
    GAINS,
    NOISY,
    WORDS,
    write_corpus,
    write_log,
    write_run,
    write_scores,
)

from cmkt_plugin import comparison_plot
from cmkt_plugin.cli import main
from cmkt_plugin.comparison import compare
from cmkt_plugin.comparison_table import interval, number
from cmkt_plugin.report import training_curves
from cmkt_plugin.report.page import write_report


@pytest.fixture(scope="module")
def root(tmp_path_factory, tiny_bert):
    """Two runs with two seeds each, and their corpus."""
    root = tmp_path_factory.mktemp("report")
    corpus = write_corpus(root / "corpus")
    for seed in (1, 2):
        write_run(root / "baseline" / str(seed), corpus, seed=seed)
        write_run(root / "cmkt" / str(seed), corpus, tiny_bert, seed=seed)
    return root


@pytest.fixture(scope="module")
def page(root):
    """The page of all, made by the user's command."""
    done = CliRunner().invoke(
        main,
        ["report", str(root / "cmkt"), str(root / "baseline"), "-o"]
        + [str(root / "out" / "r.html"), "--mixtures"]
        + [str(root / "corpus" / "mixtures.csv")],
    )
    assert done.exit_code == 0, done.output
    assert [p.name for p in (root / "out").iterdir()] == ["r.html"]
    return Page((root / "out" / "r.html").read_text(encoding="utf-8"))


def copy(root, tmp_path, *names):
    """Runs that a test may change, seed 1 of each."""
    for name in names:
        shutil.copytree(root / name / "1", tmp_path / name / "1")
    return [tmp_path / name / "1" for name in names]


@pytest.fixture
def no_plots(monkeypatch):
    """For what is about something else: they take most of the time."""
    monkeypatch.setattr(training_curves, "draw", lambda *given: None)
    monkeypatch.setattr(comparison_plot, "draw", lambda *given: Figure())


def report(folders, tmp_path, **options):
    write_report(folders, tmp_path / "r.html", **options)
    return Page((tmp_path / "r.html").read_text(encoding="utf-8"))


def test_nothing_is_loaded_from_elsewhere(page, root):
    text = (root / "out" / "r.html").read_text(encoding="utf-8")
    outside = [a for a in page.addresses if not a.startswith(("data:", "#"))]
    assert not outside
    assert "http" not in text and "@import" not in text
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    for _, uri in page.images:
        assert texts(uri)
    assert str(root) not in text and root.name not in text


def test_a_player_for_every_version_plays_the_right_thing(page, root):
    # Noisy, two runs and clean, of three utterances.
    assert len(page.players) == 3 * 4
    # Worst, median (of four the upper) and best gain over the baseline.
    shown = ["p1_b", "p1_a", "p2_a"]
    labels = [alt for alt, _ in page.images if alt.startswith("Spectrogram")]
    versions = ["noisy", "baseline 1", "cmkt 1", "clean"]
    assert labels == [
        f"Spectrogram of {i}, {v}" for i in shown for v in versions
    ]
    for place, name in enumerate(shown):
        noisy, base, cmkt, clean = (
            samples(uri) for uri in page.players[4 * place : 4 * place + 4]
        )
        for side, (wav, rate) in (("noisy", noisy), ("clean", clean)):
            path = root / "corpus" / side / f"{name}.wav"
            assert np.abs(wav - soundfile.read(path)[0]).max() < 1e-4
            assert rate == 16000
        for run, (wav, _) in (("baseline", base), ("cmkt", cmkt)):
            made = enhanced(root / run / "1", noisy[0])
            assert np.abs(wav - made).max() < 1e-3
        assert np.abs(base[0] - cmkt[0]).max() > 1e-3


def enhanced(folder, noisy):
    """By the best checkpoint, loaded by hand."""
    built = load_hyperpyyaml((folder / "hyperparams.yaml").read_text())
    enhancer = built["modules"]["enhancer"].eval()
    best = next(
        path.parent
        for path in folder.glob("save/CKPT*/CKPT.yaml")
        if "pesq: 2.0" in path.read_text()
    )
    enhancer.load_state_dict(torch.load(best / "enhancer.ckpt"))
    with torch.no_grad():
        wav = torch.tensor(noisy, dtype=torch.float32)[None]
        return enhancer(wav, torch.ones(1)).wav[0].numpy()


def test_transcripts_are_text_not_markup(page, root):
    assert WORDS["p1_b"] in page.words
    text = (root / "out" / "r.html").read_text(encoding="utf-8")
    assert "<script" not in text and "&lt;script&gt;" in text
    # The one that is not shown.
    assert WORDS["p2_b"] not in page.words


def test_the_table_has_the_figures_of_the_score_files(page, root):
    _, rows = page.table("run", "seeds", "PESQ")
    cells = {row[0]: row for row in rows}
    assert list(cells) == ["noisy input", "baseline", "cmkt"]
    assert cells["noisy input"][2] == f"{np.mean(list(NOISY.values())):.3f}"
    folders = {run: {s: root / run / str(s) for s in (1, 2)} for run in GAINS}
    for run in GAINS:
        means = []
        for folder in folders[run].values():
            with open(folder / "test_scores.csv", newline="") as file:
                means.append(
                    np.mean([float(r["pesq"]) for r in csv.DictReader(file)])
                )
        shown = f"{np.mean(means):.3f} ± {np.std(means, ddof=1):.3f}"
        assert cells[run][2].splitlines()[0] == shown
    found = compare(folders, "baseline")["runs"]["cmkt"]["difference"]["pesq"]
    assert "".join(cells["cmkt"][2].splitlines()[1:]) == interval(
        "pesq", found
    ).replace(" [", "[")
    assert len(cells["baseline"][2].splitlines()) == 1


def test_the_tables_of_groups_are_the_groups(page):
    _, rows = page.table("group", "utterances", "run")
    assert {row[0]: row[1] for row in rows} == {"0 dB": "2", "5 dB": "2"}
    low = [row for row in rows if row[0] == "0 dB"]
    wanted = np.mean([NOISY[i] for i in ("p1_a", "p2_a")])
    assert low[0][2:4] == ["noisy input", f"{wanted:.3f}"]


def test_pictures_name_what_they_show(page):
    pictures = dict(page.images)
    gain = next(uri for alt, uri in page.images if alt.startswith("Gain"))
    for word in ("babble", "hum", "0 dB", "5 dB", "baseline", "cmkt"):
        assert word in texts(gain)
    curves = texts(
        pictures["Training curves, a panel for each entry of the log"]
    )
    for title in (
        "learning rate",
        "loss (weighted sum)",
        "loss: log_magnitude",
        "loss: cosine",
        "validation PESQ",
        "token retrieval, top-1",
        "epoch",
    ):
        assert title in curves
    spectrogram = texts(pictures["Spectrogram of p1_a, noisy"])
    assert {"Time (s)", "Frequency (kHz)"} <= set(spectrogram)


def test_failures_are_listed_worst_first(page, root):
    header, rows = page.table("utterance", "noise, SNR")
    assert [row[0] for row in rows] == ["p2_a"]
    gain = GAINS["baseline"]["p2_a"] + 0.015  # mean over the seeds
    assert rows[0][1] == "hum, 0 dB"
    assert rows[0][header.index("gain")] == number("pesq", gain, "+")
    assert "Of 4 utterances, means over the seeds: 1 lost PESQ" in page.words
    assert "Every utterance of every finished run has all" in page.words


def test_utterances_of_ones_own_choice(root, tmp_path, no_plots):
    folders = [root / "baseline" / "1"]
    shown = report(folders, tmp_path, ids=["p2_b"])
    assert len(shown.players) == 3 and WORDS["p2_b"] in shown.words
    # Alone it is compared with the noisy input: the median gains 0.2.
    alone = report(folders, tmp_path, utterances=1)
    assert "over the noisy input" in alone.words
    assert WORDS["p1_b"] in alone.words and len(alone.players) == 3
    before = (tmp_path / "r.html").read_bytes()
    with pytest.raises(ValueError, match="p9: not in the test set .* p1_a"):
        report(folders, tmp_path, ids=["p9"])
    assert (tmp_path / "r.html").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["r.html"]


def test_an_unfinished_run_is_shown_with_its_curves(root, tmp_path):
    base, cmkt = copy(root, tmp_path, "baseline", "cmkt")
    (cmkt / "test_summary.json").unlink()
    page = report([base, cmkt], tmp_path, utterances=1)
    problem = "cmkt seed 1 : not finished: 3 of 3 epochs logged, test_summary"
    assert problem in page.words
    rows = page.table("run", "seeds", "PESQ")[1]
    assert [row[0] for row in rows] == ["noisy input", "baseline"]
    curves = next(uri for alt, uri in page.images if "curves" in alt)
    assert {"cmkt", "baseline", "loss: cosine"} <= set(texts(curves))
    assert len(page.players) == 3  # the finished one alone
    (base / "test_summary.json").unlink()
    page = report([base, cmkt], tmp_path, utterances=2)
    assert "No run is finished" in page.words
    assert "From the shortest to the longest" in page.words
    assert len(page.players) == 2 * 4


def test_runs_of_other_data_are_not_compared(root, tmp_path, no_plots):
    base, cmkt = copy(root, tmp_path, "baseline", "cmkt")
    write_scores(cmkt, GAINS["cmkt"], data="d2")
    page = report([base, cmkt], tmp_path, utterances=0)
    assert (
        "other data than baseline seed 1 (fingerprints d2 and d1)" in page.words
    )
    _, rows = page.table("run", "seeds", "PESQ")
    assert [row[0] for row in rows] == ["noisy input", "baseline"]
    # The same fingerprint, but a test set that scores otherwise.
    write_scores(cmkt, GAINS["cmkt"])
    summary = (cmkt / "test_summary.json").read_text()
    changed = summary.replace('{"pesq": 1.4', '{"pesq": 9.4')
    assert changed != summary
    (cmkt / "test_summary.json").write_text(changed)
    page = report([base, cmkt], tmp_path, utterances=0)
    assert "not run on the same data: not compared" in page.words


def test_scores_that_are_missing_or_no_numbers(root, tmp_path, no_plots):
    base, cmkt = copy(root, tmp_path, "baseline", "cmkt")
    write_scores(base, GAINS["baseline"], notes={"p1_a": "no <utterance>"})
    path = cmkt / "test_scores.csv"
    path.write_text(path.read_text().replace("p2_b,p2,", "p2_b,p2,nan,", 1))
    lines = [line.rsplit(",", 2) for line in path.read_text().splitlines()]
    path.write_text(
        "\n".join(
            ",".join([a, c] if a.startswith("p2_b") else [a, b, c])
            for a, b, c in lines
        )
    )
    page = report([base, cmkt], tmp_path, utterances=0)
    _, rows = page.table("utterance", "reason")
    assert rows == [["p1_a", "no <utterance>", "baseline 1"]]
    assert "pesq of p2_b is nan" in page.words
    assert str(tmp_path) not in page.words


def test_recordings_that_are_not_there(root, tmp_path, no_plots):
    (base,) = copy(root, tmp_path, "baseline")
    yaml = base / "hyperparams.yaml"
    corpus = str(root / "corpus")
    yaml.write_text(yaml.read_text().replace(corpus, "/nowhere/corpus"))
    page = report([base], tmp_path)
    assert "No recordings" in page.words and not page.players
    assert "/nowhere" not in page.words
    page = report([base], tmp_path, data_folder=corpus, utterances=1)
    assert len(page.players) == 3
    shutil.rmtree(base / "save")
    assert "no save/test.json" in report([base], tmp_path).words


def test_a_model_that_cannot_be_used(root, tmp_path, no_plots):
    base, cmkt = copy(root, tmp_path, "baseline", "cmkt")
    for path in cmkt.glob("save/CKPT*/enhancer.ckpt"):
        path.write_bytes(b"broken")
    page = report([base, cmkt], tmp_path, utterances=2)
    assert page.words.count("Not enhanced: ") == 2
    assert "No map: " in page.words
    assert len(page.players) == 2 * 3


def test_what_is_no_run_is_refused(root, tmp_path):
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    (nothing / "notes.txt").write_text("")
    (tmp_path / "cmkt").mkdir()
    shutil.copytree(root / "cmkt" / "1", tmp_path / "cmkt" / "1")
    for folders, said in (
        ([tmp_path / "gone"], "gone is no run: .*train.py.*no such folder"),
        ([nothing], "no run: .* found a folder with notes.txt"),
        (
            [root / "cmkt", tmp_path / "cmkt"],
            "both be called cmkt, seed 1: rename",
        ),
    ):
        done = CliRunner().invoke(
            main,
            ["report", *map(str, folders), "-o", str(tmp_path / "r.html")],
        )
        assert done.exit_code == 1 and len(done.stderr.splitlines()) == 1
        with pytest.raises((FileNotFoundError, ValueError), match=said):
            report(folders, tmp_path)
    with pytest.raises(FileNotFoundError, match="neither .* nor one of cmkt"):
        report([root / "cmkt"], tmp_path, baseline="other")
    assert not (tmp_path / "r.html").exists()


def test_the_baseline_may_be_a_folder_beside_the_runs(root, tmp_path, no_plots):
    page = report(
        [root / "cmkt"],
        tmp_path,
        baseline=str(root / "baseline"),
        utterances=0,
    )
    rows = page.table("run", "seeds", "PESQ")[1]
    assert [row[0] for row in rows] == ["noisy input", "baseline", "cmkt"]
    assert "[" in rows[2][2]


def test_mixtures_of_another_corpus(root, tmp_path):
    other = tmp_path / "mixtures.csv"
    other.write_text("file,snr_db,noise\nx.wav,5,hum\n")
    with pytest.raises(ValueError, match="they are not this corpus'"):
        report([root / "cmkt"], tmp_path, mixtures=other)


def test_without_matplotlib(root, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = CliRunner().invoke(
        main, ["report", str(root / "cmkt"), "-o", str(tmp_path / "r.html")]
    )
    assert done.exit_code == 1
    assert "pip install 'cmkt_plugin[plot]'" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_page_that_cannot_be_written_is_said_at_once(root, tmp_path):
    (tmp_path / "file").write_text("mine")
    said = []
    for place in (tmp_path / "file" / "a" / "r.html", "/proc/none/r.html"):
        with pytest.raises(ValueError, match="r.html cannot be .*--output"):
            write_report([root / "cmkt"], place, say=said.append)
    assert not said
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_log_alone_is_a_run(tmp_path):
    folder = tmp_path / "new"
    folder.mkdir()
    write_log(folder, 2, transfer=False)
    page = report([folder], tmp_path)
    assert "new seed 0 : not finished: 2 of ? epochs logged" in page.words
    assert [alt.split()[0] for alt, _ in page.images] == ["Training"]
    assert "No recordings" in page.words and not page.players


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("experiment.json", "[]", "experiment.json: the whole is []"),
        ("experiment.json", '{"fingerprint": "x"}', "'fingerprint' is 'x'"),
        ("test_summary.json", '{"noisy": 1}', "'noisy' is 1, expected an obj"),
        ("test_scores.csv", "a,b\n1,2\n", "test_scores.csv cannot be read"),
    ],
)
def test_damaged_files_are_named(
    root, tmp_path, no_plots, name, content, problem
):
    base, cmkt = copy(root, tmp_path, "baseline", "cmkt")
    (cmkt / name).write_text(content)
    page = report([base, cmkt], tmp_path, utterances=0)
    assert f"cmkt seed 1 : {name}" in page.words and problem in page.words
    rows = page.table("run", "seeds", "PESQ")[1]
    assert [row[0] for row in rows] == ["noisy input", "baseline"]


def test_a_damaged_line_of_the_log_is_skipped(tmp_path, caplog):
    write_log(tmp_path, 2, transfer=False)
    path = tmp_path / "train_log.txt"
    log = training_curves.read_log(path)
    with open(path, "ab") as file:
        file.write(b"epoch: x, lr: 1\nepoch: \nepoch: 3, lr: \xff2\n")
    assert training_curves.read_log(path) == {**log, 3: {}}
    for line in (3, 4):
        assert f"{path}: line {line} is skipped" in caplog.text
