"""Tests of measuring what enhancing takes, and what windows change."""

import json

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from test_export import make_run
from toy_backbones import speech

from cmkt_plugin.cli import main
from cmkt_plugin.exporting.export import export
from cmkt_plugin.inference_cost import measurements, window_error
from cmkt_plugin.inference_cost.long_recording import join_recordings


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    make_run(folder / "run", "cnn_transformer")
    export(folder / "run", folder / "export")
    return folder


def test_time_and_memory_as_a_table(run, tmp_path):
    done = CliRunner().invoke(
        main,
        ["inference-cost", str(run / "export"), "--lengths", "1,2"]
        + ["--threads", "1", "--output", str(tmp_path / "cost")],
    )
    assert done.exit_code == 0, done.output
    measured = json.loads((tmp_path / "cost.json").read_text())
    assert [row["seconds"] for row in measured["rows"]] == [1, 2]
    for row in measured["rows"]:
        for way in ("windows", "one_pass"):
            assert set(row[way]["steps"]) > {"opened", "enhanced"}
            assert row[way]["peak_memory"] > 5e7
        assert row["one_pass"]["out_of_memory"] is None
    text = (tmp_path / "cost.md").read_text()
    assert f"{measured['parameters']:,} parameters" in text
    assert "out of memory" not in text


def test_one_pass_that_has_too_little_memory_is_a_row(
    run, tmp_path, monkeypatch
):
    # Two heads of 11,250 x 11,250 numbers, 1 GB, are beyond the limit.
    monkeypatch.setattr(
        measurements, "available_memory", lambda: measurements.SPARE + 2**30
    )
    found = measurements.measure(run / "export", [180.0], 1, tmp_path)
    (row,) = found["rows"]
    assert "allocate" in row["one_pass"]["out_of_memory"]
    assert "enhanced" in row["windows"]["steps"]


def test_windows_differ_from_one_pass_where_their_context_is_too_short(
    tmp_path,
):
    rng = np.random.default_rng(1)
    clean = rng.normal(0, 0.1, 16000 * 6).astype("float32")
    noisy = (clean + rng.normal(0, 0.1, len(clean))).astype("float32")
    make_run(tmp_path / "run", "fcn2d")  # sees 7 frames, 112 ms, either way
    found = window_error.measure(
        tmp_path / "run", noisy, clean, [0.05, 0.5], window=2.0
    )
    short, long = found["windows"]
    assert long["difference"] < -100 < short["difference"]
    assert short["difference_at_joins"] > short["difference"] + 6
    assert long["si_sdr"] == pytest.approx(found["one_pass"], abs=1e-4)


def test_recordings_are_joined_in_pairs(tmp_path):
    for folder, gain in (("noisy", 1.0), ("clean", 0.5)):
        (tmp_path / folder).mkdir()
        for number, wav in enumerate(speech(3, 8000).numpy()):
            path = tmp_path / folder / f"{number}.wav"
            soundfile.write(path, gain * wav, 16000, "FLOAT")
    folders = tmp_path / "noisy", tmp_path / "clean"
    noisy, clean = join_recordings(folders, seconds=0.9)
    assert np.array_equal(clean, 0.5 * noisy)
    assert np.array_equal(noisy, speech(3, 8000)[:2].reshape(-1).numpy())
    with pytest.raises(ValueError, match="has 2 s in .wav files, expected 9"):
        join_recordings(folders, seconds=9)


def test_stream_and_onnx_as_tables(tmp_path):
    make_run(tmp_path / "gru", "gru")
    make_run(tmp_path / "transformer", "cnn_transformer")
    (tmp_path / "noisy").mkdir()
    wav = speech(1, 24000)[0].numpy()
    soundfile.write(tmp_path / "noisy" / "a.wav", wav, 16000)
    done = CliRunner().invoke(
        main,
        ["real-time", str(tmp_path / "gru"), str(tmp_path / "transformer")]
        + ["--noisy", str(tmp_path / "noisy"), "--seconds", "1"]
        + ["--output", str(tmp_path / "real_time")],
    )
    assert done.exit_code == 0, done.output
    measured = json.loads((tmp_path / "real_time.json").read_text())["models"]
    gru, transformer = (
        measured[str(tmp_path / n)] for n in ("gru", "transformer")
    )
    assert gru["stream"]["latency_ms"] == 32
    assert 0 <= gru["stream"]["difference"] < 1e-5 < gru["stream"]["peak"]
    assert "CNNTransformerSE" in transformer["no_stream"]
    for model in (gru, transformer):
        assert 0 <= model["onnx"]["difference"] < 1e-5
    text = (tmp_path / "real_time.md").read_text()
    assert transformer["no_stream"].split(":")[0] in text
