"""The verbs of ``cmkt``."""

import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import torch
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


class HalfAsLoud:
    sample_rate = 16000

    def enhance_batch(self, noisy):
        assert noisy.ndim == 2 and noisy.shape[0] == 1
        self.seen = noisy.shape[1]
        return noisy / 2


@pytest.fixture
def model(tmp_path, monkeypatch):
    (tmp_path / "model").mkdir()
    loaded = HalfAsLoud()
    monkeypatch.setattr("cmkt_plugin.enhance.load_exported", lambda _: loaded)
    return loaded


def tone(path, rate, seconds=0.5, channels=1, subtype="PCM_16"):
    path.parent.mkdir(parents=True, exist_ok=True)
    time = torch.arange(int(rate * seconds)) / rate
    waves = [0.5 * torch.sin(2 * np.pi * 300 * c * time) for c in (1, 2)]
    audio = torch.stack(waves[:channels], dim=1).numpy()
    soundfile.write(path, audio, rate, subtype=subtype)
    return audio


@pytest.mark.parametrize("rate", [16000, 44100, 8000])
@pytest.mark.parametrize("channels", [1, 2])
def test_enhance_keeps_rate_length_and_channels(
    tmp_path, model, rate, channels
):
    path = tmp_path / "in" / "a.flac"
    audio = tone(path, rate, 0.5003, channels)
    done = cmkt("enhance", tmp_path / "model", path, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert abs(model.seen - 8005) <= 1
    enhanced, new_rate = soundfile.read(tmp_path / "out/a.flac", always_2d=True)
    assert new_rate == rate and enhanced.shape == audio.shape
    # Away from the ends, where the resampling filters see the silence.
    inner = slice(rate // 20, -rate // 20)
    error = np.abs(enhanced[inner] - audio[inner] / 2).max()
    assert error < 5e-3


def test_enhance_reports_bad_files_and_does_the_others(tmp_path, model):
    folder = tmp_path / "in"
    tone(folder / "a.wav", 16000, subtype="FLOAT")
    tone(folder / "deep" / "b.wav", 16000)
    tone(folder / "empty.wav", 16000, seconds=0)
    (folder / "text.wav").write_text("no audio")
    (folder / "notes.txt").write_text("no audio, and no such name")
    soundfile.write(folder / "nan.wav", np.full(99, np.nan), 16000, "FLOAT")
    out = tmp_path / "out"
    done = cmkt(
        *("enhance", tmp_path / "model", folder, tmp_path / "gone.wav"),
        *("-o", out),
    )
    assert done.exit_code == 1
    errors = done.stderr.splitlines()
    assert len(errors) == 4 and all(e.startswith("Error: ") for e in errors)
    assert "empty.wav: it holds no samples" in errors[0]
    assert "nan.wav: it holds samples that are no finite numbers" in errors[1]
    written = [p.relative_to(out).as_posix() for p in out.rglob("*.*")]
    assert sorted(written) == ["a.wav", "deep/b.wav"]
    assert soundfile.info(out / "a.wav").subtype == "FLOAT"


def test_enhance_overwrites_no_input(tmp_path, model):
    tone(tmp_path / "in" / "a.wav", 16000)
    tone(tmp_path / "in2" / "a.wav", 16000)
    given = ("enhance", tmp_path / "model", tmp_path / "in")
    done = cmkt(*given, "-o", tmp_path / "in")
    assert done.exit_code == 1 and "be replaced by its output" in done.stderr
    done = cmkt(*given, tmp_path / "in2", "-o", tmp_path / "out")
    assert done.exit_code == 1 and "would both become" in done.stderr
    (tmp_path / "in3").mkdir()
    done = cmkt(*given[:2], tmp_path / "in3", "-o", tmp_path / "out")
    assert done.exit_code == 1 and "no audio file in" in done.stderr
    assert not (tmp_path / "out").exists()


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

    monkeypatch.setattr("cmkt_plugin.export.export", export)
    result = cmkt("export", tmp_path, tmp_path / "out")
    assert isinstance(result.exception, SystemExit) == clean
    assert ("Error: pip install" in result.output) == clean
