"""The list of runs and the runner, with a small script as the recipe."""

import json
import os
import subprocess
import sys
import time
from multiprocessing import get_context

import pytest

from cmkt_plugin.run_flags import flag_words, parse_flags
from cmkt_plugin.run_list import load_runs
from cmkt_plugin.runner import run_missing

RECIPE = """
import json, os, sys, time
from pathlib import Path

flags = dict(zip(sys.argv[2::2], sys.argv[3::2]))
out = Path(flags["--output_folder"])
out.mkdir(parents=True, exist_ok=True)
# In the working directory, so that the test sees which one it is.
def note(event):
    with open("events.txt", "a") as file:
        file.write(f"{event} {out.parent.name} {out.name}\\n")
note("start")
(out / "seen.json").write_text(json.dumps(
    [sys.argv[1:], os.environ["OMP_NUM_THREADS"], (out / "ckpt").exists()]))
(out / "ckpt").write_text("epoch 1")
time.sleep(float(flags.get("--sleep", 0)))
if flags.get("--fail") == "true":
    print("epoch 1\\repoch 2")
    sys.exit("ValueError: no module 'encodre'")
if flags.get("--vanish") != "true":
    (out / "test_summary.json").write_text("{}")
note("end")
"""

RUNS = """
recipe: recipe/train.py
results: results
common: {width: 8}
seeds: [1, 2]
baseline: plain
runs:
  plain: {hparams: small.yaml}
  cmkt: {hparams: small.yaml, flags: {weights: {l1: 0.5}}}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "recipe").mkdir()
    (tmp_path / "recipe" / "train.py").write_text(RECIPE)
    (tmp_path / "recipe" / "small.yaml").write_text("width: 4")
    (tmp_path / "runs.yaml").write_text(RUNS)
    return tmp_path


def edit(folder, old, new):
    text = (folder / "runs.yaml").read_text()
    assert old in text
    (folder / "runs.yaml").write_text(text.replace(old, new))


def go(folder, jobs=1, extra=()):
    lines = []
    listed = load_runs(folder / "runs.yaml", extra)
    return run_missing(listed, jobs, report=lines.append), lines


def names(cells):
    return sorted(f"{cell.run} {cell.seed}" for cell in cells)


def events(folder):
    path = folder / "recipe" / "events.txt"
    return path.read_text().splitlines() if path.exists() else []


def wait_for(condition):
    for _ in range(300):
        if condition():
            return
        time.sleep(0.05)
    raise TimeoutError


def test_runs_every_cell_with_its_flags(folder):
    outcome, lines = go(folder, extra=["--data_folder", "some/data"])
    everything = ["cmkt 1", "cmkt 2", "plain 1", "plain 2"]
    assert names(outcome.finished) == everything and not outcome.failed
    # Seed by seed, in the recipe's folder.
    assert [line for line in events(folder) if "start" in line] == [
        f"start {name}" for name in ("plain 1", "cmkt 1", "plain 2", "cmkt 2")
    ]
    out = folder / "results" / "cmkt" / "2"
    arguments = json.loads((out / "seen.json").read_text())[0]
    assert arguments == [
        *("small.yaml", "--seed", "2", "--output_folder", str(out)),
        *("--width", "8", "--weights", '{"l1": 0.5}'),
        *("--data_folder", os.path.abspath("some/data")),
    ]
    assert lines[-1] == "[4/4] cmkt seed 2: done, 0.0 minutes"


def test_only_what_is_missing_is_run_and_it_resumes(folder):
    go(folder)
    (folder / "results" / "cmkt" / "1" / "test_summary.json").unlink()
    before = len(events(folder))
    outcome, lines = go(folder)
    assert names(outcome.finished) == ["cmkt 1"]
    assert events(folder)[before:] == ["start cmkt 1", "end cmkt 1"]
    # The checkpoint of the first attempt is there for the second.
    seen = (folder / "results" / "cmkt" / "1" / "seen.json").read_text()
    assert json.loads(seen)[2] is True
    # The log is appended to.
    log = (folder / "results" / "cmkt" / "1.log").read_text()
    assert log.count("$ ") == 2
    assert go(folder)[1] == ["0 of 4 runs to do, 1 at a time"]


def test_jobs_at_a_time_share_the_cores(folder, monkeypatch):
    monkeypatch.setenv("SB_NUM_PROC", "8")
    edit(folder, "width: 8", "sleep: 0.4")
    go(folder, jobs=2)
    running, most = 0, 0
    for line in events(folder):
        running += 1 if line.startswith("start") else -1
        most = max(most, running)
    assert most == 2
    seen = (folder / "results" / "cmkt" / "1" / "seen.json").read_text()
    assert json.loads(seen)[1] == "4"


def test_a_failing_cell_is_reported_and_stops_no_other(folder):
    edit(folder, "plain: {hparams: small.yaml", "plain: {hparams: small.yaml,"
         " flags: {fail: true}, seeds: [1]")  # fmt: skip
    outcome, lines = go(folder)
    assert names(outcome.finished) == ["cmkt 1", "cmkt 2"]
    assert names(outcome.failed) == ["plain 1"]
    (tail,) = outcome.failed.values()
    assert tail.splitlines() == ["epoch 2", "ValueError: no module 'encodre'"]
    assert "plain seed 1: FAILED (exit status 1)" in lines[1]


def test_an_end_without_summary_is_a_failure(folder):
    edit(folder, "width: 8", "vanish: true")
    outcome, lines = go(folder)
    assert len(outcome.failed) == 4 and not outcome.finished
    assert "without test_summary.json" in lines[1]


def test_stale_lock_is_taken_over_and_a_live_one_is_not(folder):
    edit(folder, "seeds: [1, 2]", "seeds: [1]")
    dead = subprocess.Popen(["true"])
    dead.wait()
    (folder / "results" / "plain").mkdir(parents=True)
    (folder / "results" / "plain" / "1.lock").write_text(f"{dead.pid}\n")
    holder = subprocess.Popen(
        [
            *(sys.executable, "-c"),
            "import fcntl, sys; f = open(sys.argv[1], 'w');"
            "fcntl.flock(f, fcntl.LOCK_EX); print('locked', flush=True);"
            "sys.stdin.read()",
            str(folder / "results" / "held.lock"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    holder.stdout.readline()
    (folder / "results" / "cmkt").mkdir()
    os.link(folder / "results/held.lock", folder / "results/cmkt/1.lock")
    outcome, _ = go(folder)
    assert names(outcome.finished) == ["plain 1"]
    assert names(outcome.elsewhere) == ["cmkt 1"]
    holder.kill()
    holder.communicate()
    outcome, _ = go(folder)
    assert names(outcome.finished) == ["cmkt 1"]


def start_runner(folder):
    """A runner in its own process, once its first cell has started."""
    listed = load_runs(folder / "runs.yaml")
    # Forked: a new process would import torch for seconds.
    runner = get_context("fork").Process(target=run_missing, args=(listed,))
    runner.start()
    wait_for(lambda: events(folder))
    return runner


def test_kill_stops_the_run_and_keeps_what_is_complete(folder):
    edit(folder, "cmkt: {hparams: small.yaml, flags: {",
         "cmkt: {hparams: small.yaml, flags: {sleep: 60, ")  # fmt: skip
    runner = start_runner(folder)
    wait_for(lambda: "start cmkt 1" in events(folder))
    runner.terminate()
    runner.join(20)
    assert runner.exitcode == 1
    assert events(folder) == ["start plain 1", "end plain 1", "start cmkt 1"]
    # The lock is free: nothing of the run is left.
    edit(folder, "sleep: 60, ", "")
    outcome, _ = go(folder)
    assert names(outcome.finished) == ["cmkt 1", "cmkt 2", "plain 2"]


def test_run_that_outlives_its_runner_is_not_started_twice(folder):
    edit(folder, "seeds: [1, 2]", "seeds: [1]")
    edit(folder, "plain: {hparams: small.yaml",
         "plain: {hparams: small.yaml, flags: {sleep: 1.5}")  # fmt: skip
    runner = start_runner(folder)
    runner.kill()
    runner.join()
    outcome, _ = go(folder)
    assert names(outcome.elsewhere) == ["plain 1"]
    wait_for(lambda: "end plain 1" in events(folder))
    assert events(folder).count("start plain 1") == 1


def test_finished_run_with_other_settings_is_refused(folder):
    go(folder)
    edit(folder, "l1: 0.5", "l1: 0.7")
    with pytest.raises(ValueError, match="weights was {'l1': 0.5} and is now"):
        go(folder)


def test_moved_data_are_no_other_setting(folder, tmp_path):
    go(folder, extra=["--data_folder", "/here/data"])
    go(folder, extra=["--data_folder", "/there/data"])
    with pytest.raises(ValueError, match="data_folder was 'data'"):
        go(folder, extra=["--data_folder", "/there/other"])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("common:", "comon:", "unknown comon; known are recipe, results"),
        ("flags:", "flag:", "unknown flag; known are hparams, flags, seeds"),
        ("seeds: [1, 2]", "", "'seeds' is missing"),
        ("seeds: [1, 2]", "seeds: [1, 1]", "listed twice"),
        ("seeds: [1, 2]", "seeds: [a]", "whole numbers"),
        ("seeds: [1, 2]", "seeds: 3", "expected a list"),
        ("baseline: plain", "baseline: none", "none of the runs.*plain, cmkt"),
        ("width: 8", "seed: 8", "set by the runner"),
        ("width: 8", "name: a=b", "splits a value"),
        ("width: 8", "debug: 2", "takes no value"),
        ("  cmkt:", "  ../cmkt:", "folder's name"),
        ("width: 8", "width: [8", "not plain YAML"),
    ],
)
def test_bad_list_is_refused(folder, old, new, message):
    edit(folder, old, new)
    with pytest.raises(ValueError, match=message):
        load_runs(folder / "runs.yaml")


@pytest.mark.parametrize("name", ["small.yaml}\n  cmkt", "train.py"])
def test_missing_file_is_named(folder, name):
    edit(folder, name, "absent" + name)
    with pytest.raises(FileNotFoundError, match="absent" + name[:8]):
        load_runs(folder / "runs.yaml")


def test_flags_of_the_command_line():
    assert parse_flags(["--lr=1e-4", "--debug"]) == {
        "lr": "1e-4",
        "debug": True,
    }
    with pytest.raises(ValueError, match="--skip_bad needs a value"):
        parse_flags(["--skip_bad"])
    with pytest.raises(ValueError, match="--skip_bad needs a value"):
        parse_flags(["--skip_bad", "--lr", "1"])
    with pytest.raises(ValueError, match="'lr' is no flag"):
        parse_flags(["lr", "1"])


@pytest.mark.parametrize(
    "value",
    [1e-5, True, None, [1, "a: b"], {"a": {"b": -1}}, "!new:torch.nn.ReLU"],
)
def test_values_arrive_as_they_were_meant(tmp_path, value):
    """Through SpeechBrain's own command line and HyperPyYAML."""
    import torch
    from hyperpyyaml import load_hyperpyyaml
    from speechbrain import parse_arguments

    arguments = ["x.yaml", *flag_words("key", value), "--noprogressbar"]
    _, _, overrides = parse_arguments(arguments)
    # A mapping is merged into what is there.
    before = "key: {a: {b: 0}}" if isinstance(value, dict) else "key: 0"
    loaded = load_hyperpyyaml(before, overrides)["key"]
    if isinstance(value, str):
        assert isinstance(loaded, torch.nn.ReLU)
    else:
        assert loaded == value
