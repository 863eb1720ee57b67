"""The verbs of ``cmkt``."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from cmkt_plugin.cli import main

RECIPE = """
import sys
from pathlib import Path

flags = dict(zip(sys.argv[2::2], sys.argv[3::2]))
if flags.get("--fail_seed") == flags["--seed"]:
    sys.exit("ValueError: unknown loss term")
out = Path(flags["--output_folder"])
out.mkdir(parents=True)
scores = f"{1 + float(flags.get('--gain', 0))}," * 7
lines = ["id,speaker,pesq,stoi,estoi,si_sdr,csig,cbak,covl,note"]
lines += [f"{s}_{u},{s},{scores}" for s in "abc" for u in "12"]
(out / "test_scores.csv").write_text("\\n".join(lines))
(out / "experiment.json").write_text("{}")
(out / "test_summary.json").write_text("{}")
"""

RUNS = """
recipe: train.py
results: results
seeds: [1, 2]
baseline: plain
runs:
  plain: {hparams: small.yaml}
  cmkt: {hparams: small.yaml, flags: {gain: 0.25}}
"""


def cmkt(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def runs(tmp_path):
    (tmp_path / "train.py").write_text(RECIPE)
    (tmp_path / "small.yaml").write_text("")
    (tmp_path / "runs.yaml").write_text(RUNS)
    return tmp_path / "runs.yaml"


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from cmkt_plugin.cli import main;"
        "main(['--help'], standalone_mode=False);"
        "sys.exit(bool({'torch', 'numpy', 'speechbrain'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert done.returncode == 0
    assert b"compare" in done.stdout and b"enhance" in done.stdout


def test_compare_reports_failures_and_keeps_the_rest(runs):
    out = runs.parent / "docs" / "v0.1"
    given = ("compare", runs, "--jobs", 2, "--output", out)
    done = cmkt(*given, "--", "--fail_seed", "2")
    assert done.exit_code == 1
    assert "FAILED: plain seed 2" in done.stderr
    assert "ValueError: unknown loss term" in done.stderr
    found = json.loads((out.parent / "v0.1.json").read_text())
    assert found["missing"] == ["plain seed 2", "cmkt seed 2"]
    # The settings of the runs that are complete, as they were given.
    done = cmkt(*given)
    assert done.exit_code == 1 and done.stderr.startswith("Error: ")
    assert "fail_seed was '2' and is now 'not given'" in done.stderr


def test_compare_writes_its_table(runs):
    out = runs.parent / "docs" / "v0.1"
    given = ("--", "--cache", "[/some/where]")
    done = cmkt("compare", runs, "--jobs", 2, "--output", out, *given)
    assert done.exit_code == 0, done.output
    text = (out.parent / "v0.1.md").read_text()
    assert text in done.stdout and "+0.250 [+0.250, +0.250] *" in text
    found = json.loads((out.parent / "v0.1.json").read_text())
    assert found["runs"]["cmkt"]["seeds"] == [1, 2]
    assert "- cmkt: `small.yaml, gain 0.25, cache [where]`" in text
    assert str(runs.parent) not in text + json.dumps(found)
    done = cmkt("compare", runs, "--table-only", "--baseline", "cmkt")
    assert done.exit_code == 0 and "−0.250 [−0.250, −0.250] *" in done.stdout
    assert [file.suffix for file in sorted(out.parent.iterdir())] == [
        ".json",
        ".md",
    ]
    (runs.parent / "results" / "cmkt" / "2" / "test_summary.json").unlink()
    done = cmkt("compare", runs, "--table-only")
    assert done.exit_code == 1 and "missing: cmkt seed 2" in done.stdout


def test_failures_are_shown_where_nothing_is_complete(runs):
    runs.write_text(RUNS.replace("[1, 2]", "[2]"))
    done = cmkt("compare", runs, "--", "--fail_seed", "2")
    assert done.exit_code == 1 and "unknown loss term" in done.stderr
    assert "Error: no run is complete" in done.stderr


def test_errors_are_one_line(runs):
    runs.write_text(RUNS.replace("baseline:", "base:"))
    done = cmkt("compare", runs)
    assert done.exit_code == 1 and not done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: runs.yaml: unknown base; known are recipe")


@pytest.mark.parametrize(
    "error, told",
    [
        (
            PermissionError(13, "Permission denied", "/x"),
            "/x: permission denied",
        ),
        (
            OSError(28, "No space left on device"),
            "no space left on device; free",
        ),
        (
            OSError(5, "Input/output error", "a", None, "b"),
            "a: b: input/output",
        ),
        (OSError("could not be written whole"), "could not be written whole"),
        (ValueError("two\nlines"), "two lines"),
    ],
)
def test_errors_of_the_system_are_one_line(error, told, tmp_path, monkeypatch):
    def export(*arguments):
        raise error

    monkeypatch.setattr("cmkt_plugin.exporting.export.export", export)
    done = cmkt("export", tmp_path, tmp_path / "out")
    assert done.exit_code == 1 and done.stderr.startswith(f"Error: {told}")
    assert len(done.stderr.splitlines()) == 1


def test_a_reader_that_has_gone_is_no_error(tmp_path, monkeypatch):
    def export(*arguments):
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr("cmkt_plugin.exporting.export.export", export)
    done = cmkt("export", tmp_path, tmp_path / "out")
    assert done.exit_code == 1 and not done.stderr


def test_export_calls_the_package(tmp_path):
    done = cmkt("export", tmp_path, tmp_path / "out")
    assert done.exit_code == 1
    assert "hyperparams.yaml not found" in done.stderr


@pytest.mark.parametrize(
    "error, clean",
    [
        (ImportError("pip install 'cmkt_plugin[phones]'"), True),
        (ModuleNotFoundError("no module", name="cmkt_plugin.gone"), False),
    ],
)
def test_a_missing_extra_is_one_line(error, clean, tmp_path, monkeypatch):
    def export(*arguments):
        raise error

    monkeypatch.setattr("cmkt_plugin.exporting.export.export", export)
    result = cmkt("export", tmp_path, tmp_path / "out")
    assert isinstance(result.exception, SystemExit) == clean
    assert ("Error: pip install" in result.output) == clean
