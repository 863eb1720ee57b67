"""The comparison on scores with a known difference."""

import json
from statistics import stdev

import numpy as np
import pytest

from cmkt_plugin.bootstrap import bootstrap_means, paired_interval
from cmkt_plugin.comparison import compare
from cmkt_plugin.comparison_table import markdown
from cmkt_plugin.metrics import METRICS
from cmkt_plugin.mixture_groups import read_groups
from cmkt_plugin.score_table import write_csv

SPEAKERS, UTTERANCES, SEEDS = 12, 6, (1, 2, 3, 4, 5)
IDS = [f"s{s:02}_{u}" for s in range(SPEAKERS) for u in range(UTTERANCES)]
MADE = {
    "command": "cmkt compare runs.yaml",
    "date": "2025-01-01",
    "version": "0",
    "commit": None,
    "machine": "a machine",
}


def row(name, value):
    scores = dict.fromkeys(METRICS, value)
    return {"id": name, "speaker": name[:3], **scores, "note": ""}


def write_run(folder, rows, **summary):
    """An output folder as train.py leaves it."""
    folder.mkdir(parents=True)
    write_csv(rows, folder / "test_scores.csv")
    noisy = {"noisy": dict.fromkeys(METRICS, 1.0), "train_minutes": 2.0}
    (folder / "test_summary.json").write_text(json.dumps({**noisy, **summary}))
    experiment = {"version": "0.1", "commit": "abc", "machine": "cpu"}
    (folder / "experiment.json").write_text(json.dumps(experiment))


def write_runs(root, gains, seeds=SEEDS, **summary):
    """A run per name; ``gains[name](utterance, generator)`` is added."""
    folders = {}
    for name, gain in gains.items():
        generator = np.random.default_rng(len(folders))
        for seed in seeds:
            # The same for every run: what pairing takes out.
            base = np.random.default_rng(100 + seed).normal(2, 1, len(IDS))
            rows = [
                row(utterance, value + gain(utterance, generator))
                for utterance, value in zip(IDS, base)
            ]
            folder = root / name / str(seed)
            write_run(folder, rows, **summary)
            folders.setdefault(name, {})[seed] = folder
    return folders


def table(found):
    settings = {"base": {"hparams": "h/base.yaml", "flags": {"on": True}}}
    return markdown({**found, "settings": settings}, "Results", MADE)


def same(utterance, generator):
    return 0.0


def noise(utterance, generator):
    return generator.normal(0, 0.05)


def better(utterance, generator):
    return 0.1 + generator.normal(0, 0.05)


@pytest.fixture
def folders(tmp_path):
    gains = {"base": same, "same": same, "noise": noise, "better": better}
    return write_runs(tmp_path, gains)


def test_known_difference_is_found(folders):
    runs = compare(folders, "base")["runs"]
    found = runs["better"]["difference"]["pesq"]
    assert found["low"] < 0.1 < found["high"] < 0.13 and found["significant"]
    assert found["low"] > 0.07
    # Utterances differ by 1, runs by 0.05: unpaired it would drown.
    assert found["count"] == len(IDS) * len(SEEDS) and found["unpaired"] == 0
    scores = runs["better"]["scores"]["pesq"]
    assert scores["spread"] == pytest.approx(stdev(scores["per_seed"]))
    assert runs["base"]["difference"] == {}


def test_no_difference_is_not_significant(folders):
    runs = compare(folders, "base")["runs"]
    none = runs["same"]["difference"]["pesq"]
    assert (none["mean"], none["low"], none["high"]) == (0, 0, 0)
    assert not none["significant"]
    little = runs["noise"]["difference"]["pesq"]
    assert little["low"] < 0 < little["high"] and not little["significant"]


def test_pairs_are_made_by_id(folders):
    before = compare(folders, "base")
    path = folders["better"][2] / "test_scores.csv"
    header, *lines = path.read_text().splitlines()
    path.write_text("\n".join([header, *reversed(lines)]) + "\n")
    after = compare(folders, "base")
    assert (
        after["runs"]["better"]["difference"]
        == (before["runs"]["better"]["difference"])
    )


def test_repeated_utterances_do_not_shrink_the_interval():
    generator = np.random.default_rng(0)
    speakers = np.tile(np.repeat(range(8), 5), 3)
    seeds = np.repeat([1, 2, 3], 40)

    def width(gains, times):
        parts = (np.repeat(part, times) for part in (seeds, speakers, gains))
        found = paired_interval(*parts)
        return found["high"] - found["low"]

    once, all_speakers, one_speaker = [], [], []
    for _ in range(20):
        gains = generator.normal(0, 0.1, 8)[speakers]
        gains = gains + generator.normal(0, 0.1, 120)
        once.append(width(gains, 1))
        all_speakers.append(width(gains, 10))
        one_speaker.append(width(gains, np.where(speakers == 3, 10, 1)))
    assert all_speakers == pytest.approx(once)
    # One speaker said ten times as much: less is known, not more.
    assert np.mean(one_speaker) > 1.05 * np.mean(once)


def test_variance_over_few_seeds_is_not_too_small():
    gains = np.array([[0.0], [0.5], [3.0]]) * np.ones((3, 4))
    drawn = np.var(bootstrap_means(gains, np.ones((3, 4))))
    assert drawn == pytest.approx(np.var(gains[:, 0], ddof=1) / 3, rel=0.1)


@pytest.mark.parametrize("spread", [(0.03, 0.01), (0.005, 0.08)])
def test_interval_holds_the_truth_as_often_as_it_says(spread):
    """Whether seeds or speakers are what differs."""
    generator = np.random.default_rng(0)
    seeds = np.repeat(range(6), 20 * 4)
    speakers = np.tile(np.repeat(range(20), 4), 6)
    held = 0
    for _ in range(200):
        gains = 0.1 + generator.normal(0, spread[0], 6)[seeds]
        gains = gains + generator.normal(0, spread[1], 20)[speakers]
        gains = gains + generator.normal(0, 0.02, len(seeds))
        found = paired_interval(seeds, speakers, gains)
        held += found["low"] < 0.1 < found["high"]
    assert 0.86 <= held / 200 <= 0.99


def test_one_seed_resamples_speakers_and_says_so(tmp_path):
    gains = {"base": same, "better": better}
    found = compare(write_runs(tmp_path, gains, seeds=(1,)), "base")
    assert "resample speakers only (one seed" in found["intervals"]
    difference = found["runs"]["better"]["difference"]["pesq"]
    assert difference["low"] < difference["mean"] < difference["high"]
    assert found["runs"]["better"]["scores"]["pesq"]["spread"] is None
    assert "| better | 1 | 72 | +0." in table(found)


def test_one_run_with_one_seed_is_told(folders):
    folders["noise"] = {1: folders["noise"][1]}
    told = compare(folders, "base")["intervals"]
    assert "seeds and speakers (of a run with one seed in common, sp" in told


def test_left_out_and_unpaired_scores_are_counted(folders):
    folder = folders["better"][1]
    rows = [row(name, 2.0) for name in IDS[2:]]
    rows[0].update(pesq=None, note="enhanced is silent")
    write_csv(rows, folder / "test_scores.csv")
    found = compare(folders, "base")
    run = found["runs"]["better"]
    assert run["difference"]["pesq"]["unpaired"] == 3
    assert run["difference"]["stoi"]["unpaired"] == 2
    assert run["scores"]["pesq"]["count"][0] == len(IDS) - 3
    assert run["left_out"] == {"1": {IDS[2]: "enhanced is silent"}}
    text = table(found)
    assert f"1 over all runs: {IDS[2]} (enhanced is silent" in text


def test_seeds_that_one_side_lacks_are_not_paired(folders):
    (folders["base"][5] / "test_summary.json").unlink()
    found = compare(folders, "base")
    assert found["missing"] == ["base seed 5"]
    difference = found["runs"]["better"]["difference"]["pesq"]
    assert difference["seeds"] == 4
    assert found["runs"]["better"]["seeds"] == [1, 2, 3, 4, 5]
    text = table(found)
    assert "runs missing: base seed 5" in text
    assert "| base | 1, 2, 3, 4 (5 not run) |" in text


def test_runs_without_a_finished_cell_keep_their_rows(tmp_path, folders):
    folders = {name: folders[name] for name in ("base", "better")}
    folders["units"] = {1: tmp_path / "gone"}
    for path in folders["better"].values():
        summary = json.loads((path / "test_summary.json").read_text())
        summary["valid"] = {"retrieval_pool": 9, "retrieval_top1": 0.5}
        (path / "test_summary.json").write_text(json.dumps(summary))
    mixtures = tmp_path / "mixtures.csv"
    lines = [f"{name},5,babble" for name in IDS]
    mixtures.write_text("\n".join(["file,snr_db,noise", *lines]) + "\n")
    text = table(compare(folders, "base", mixtures))
    scores, differences = "| – " * 10, "| – " * 8
    assert f"| units | not run {scores}|" in text
    assert f"| units | not run {differences}|" in text
    assert "| better | 9 | 50.0 |\n| units | not run | – |" in text
    assert text.count("Without those not run: units.") == 3
    # Every run waits for the baseline: nothing to compare, and no failure.
    for path in folders["base"].values():
        (path / "test_summary.json").unlink()
    text = table(compare(folders, "base", mixtures))
    assert "Difference to" not in text and "| base | not run |" in text


def test_seeds_that_the_baseline_lacks_give_an_empty_row(folders):
    folders["noise"] = {7: folders["noise"][1]}
    text = table(compare(folders, "base"))
    assert f"| noise | none in common {'| – ' * 8}|" in text


def test_cells_of_other_commits_are_named(folders):
    for seed, commit in ((2, "def"), (3, None)):
        path = folders["better"][seed] / "experiment.json"
        given = json.loads(path.read_text())
        path.write_text(json.dumps({**given, "commit": commit}))
    found = compare(folders, "base")
    assert found["runs"]["better"]["experiment"]["commit"] == {
        "abc": [1, 4, 5],
        "def": [2],
        "not recorded": [3],
    }
    assert (
        "- commit: abc (18 cells); def (1 cell: better 2); "
        "not recorded (1 cell: better 3)"
    ) in table(found).splitlines()


def test_groups(tmp_path):
    """A gain in babble at -5 dB only is found there and nowhere else."""
    listed = [
        (name, (-5, 10)[n % 2], ("babble", "recorded")[n // 2 % 2])
        for n, name in enumerate(IDS)
    ]
    hard = {name for name, snr, kind in listed if (snr, kind) == (-5, "babble")}

    def gain(utterance, generator):
        return 0.2 * (utterance in hard) + generator.normal(0, 0.01)

    folders = write_runs(tmp_path, {"base": same, "cmkt": gain}, seeds=(1, 2))
    for seed, folder in folders["base"].items():
        noisy = [row(name, 0.5 + (name in hard)) for name in IDS]
        write_csv(noisy, folder / "noisy_scores.csv")
    mixtures = tmp_path / "mixtures.csv"
    lines = [f"{name},{snr},{kind}" for name, snr, kind in listed]
    # Of training files, too.
    lines += ["p001_1,-5,babble", "p001_2,5,babble"]
    mixtures.write_text("\n".join(["file,snr_db,noise", *lines]) + "\n")
    found = compare(folders, "base", mixtures)
    assert list(found["groups"]["SNR"]) == ["-5 dB", "10 dB"]
    both = found["groups"]["noise and SNR"]
    gains = {
        group: given["runs"]["cmkt"]["difference"]["estoi"]
        for group, given in both.items()
    }
    assert gains.pop("babble, -5 dB")["low"] > 0.19
    assert len(gains) == 3 and all(g["high"] < 0.02 for g in gains.values())
    assert both["babble, -5 dB"]["noisy"]["pesq"] == 1.5
    assert both["babble, -5 dB"]["utterances"] == len(hard)
    text = table(found)
    assert f"| babble, -5 dB | {len(hard)} | noisy input | 1.500 | – |" in text
    mixtures.write_text("\n".join(["file,snr_db,noise", *lines[3:]]) + "\n")
    with pytest.raises(ValueError, match="do not list 3 of 72"):
        compare(folders, "base", mixtures)


def test_runs_on_other_data_are_refused(tmp_path, folders):
    write_run(tmp_path / "other", [row("x_1", 1.0)])
    with pytest.raises(ValueError, match="no test utterance in common"):
        compare({**folders, "other": {1: tmp_path / "other"}}, "base")
    rows = [row(name, 1.0) for name in IDS]
    noisy = dict.fromkeys(METRICS, 1.2)
    write_run(tmp_path / "louder", rows, noisy=noisy)
    with pytest.raises(ValueError, match="of the noisy input is 1.2 in louder"):
        compare({**folders, "louder": {1: tmp_path / "louder"}}, "base")


def test_score_that_is_no_number_is_refused(tmp_path):
    rows = [row("a_1", 1.0), row("b_1", float("nan"))]
    write_run(tmp_path / "1", rows)
    with pytest.raises(ValueError, match="pesq of b_1 is nan"):
        compare({"base": {1: tmp_path / "1"}}, "base")
    with pytest.raises(ValueError, match="no run is complete.*base seed 2"):
        compare({"base": {2: tmp_path / "2"}}, "base")


def test_table(tmp_path):
    valid = {"frequency_top1": 0.036, "loss": 3.0}
    valid.update(retrieval_pool=269, retrieval_top1=0.088)
    gains = {"base": same, "cmkt": better}
    folders = write_runs(
        *(tmp_path, gains), valid=valid, parameters=400000, epochs=10
    )
    found = compare(folders, "base")
    lines = table(found).splitlines()
    first = next(n for n, line in enumerate(lines) if "noisy input" in line)
    assert lines[first].startswith("| noisy input | – | 1.000 | 1.0000 |")
    assert lines[first + 1].startswith("| base | 1, 2, 3, 4, 5 | ")
    assert lines[first + 1].endswith(" | 400,000 | 10 | 2.0 |")
    assert "| cmkt | 269 | 8.8 | 3.6 |" in lines
    assert "- commit: abc" in lines and "- machine: cpu" in lines
    assert "- command: `cmkt compare runs.yaml`" in lines
    assert "- base: `h/base.yaml, on true`" in lines
    # Every row of a table has the columns of its header.
    for before, line in zip(lines, lines[1:]):
        if before.startswith("|") and line.startswith("|"):
            assert before.count("|") == line.count("|")
    json.dumps(found, allow_nan=False)


def test_a_manifest_groups_by_bands_of_snr_and_kind(tmp_path):
    path = tmp_path / "test.json"
    entry = {"clean_wav": "a.wav", "speaker": "a", "length": 1.0}
    talkers = [{"clean_wav": "b.wav", "speaker": "b", "offset": 0}]
    mixtures = {
        "a": {"snr": -0.5, "noise": "hum.wav"},
        "b": {"snr": 10.0, "noise": "hum.wav"},
        "c": {"snr": 4.9, "talkers": talkers},
    }
    path.write_text(
        json.dumps({n: {**entry, "mixture": m} for n, m in mixtures.items()})
    )
    groups = read_groups(path)
    assert list(groups["SNR"].items()) == [
        ("-5 to 0 dB", {"a"}),
        ("0 to 5 dB", {"c"}),
        ("10 to 15 dB", {"b"}),
    ]
    assert groups["noise"] == {"babble": {"c"}, "recorded": {"a", "b"}}
    # At fixed levels, as snr_step gives them, no band is spoken of.
    mixtures["a"]["snr"], mixtures["c"]["snr"] = -10, 5
    path.write_text(
        json.dumps({n: {**entry, "mixture": m} for n, m in mixtures.items()})
    )
    assert list(read_groups(path)["SNR"]) == ["-10 dB", "5 dB", "10 dB"]
    path.write_text(json.dumps({"a": entry}))
    with pytest.raises(ValueError, match="a has no mixture.*cmkt manifest"):
        read_groups(path)
