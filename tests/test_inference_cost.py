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
from cmkt_plugin.inference_cost import (
    measurements,
    real_time,
    window_error,
    window_table,
)
from cmkt_plugin.inference_cost.long_recording import join_recordings, open_at
from cmkt_plugin.scale.process import measure_alone


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


def test_memory_does_not_grow_with_the_length(run, tmp_path):
    peaks = []
    for seconds in (400, 1600):
        source = measurements.write_noise(tmp_path / "noise.wav", seconds)
        found = measure_alone(
            "cmkt_plugin.inference_cost.in_windows",
            {
                "model": str(run / "export"),
                "source": source,
                "target": str(tmp_path / "enhanced.wav"),
                "threads": 1,
            },
            tmp_path,
        )
        peaks.append(found["peak_memory"])
    # 1,200 s more are 77 MB of samples: one copy of them would be seen.
    assert peaks[1] - peaks[0] < 40e6


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
        tmp_path / "run", noisy, clean, 16000, [0.05, 0.5], window=2.0
    )
    short, long = found["windows"]
    assert found["streamed"] is None
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
    rate, (noisy, clean) = join_recordings(folders, seconds=0.9)
    assert rate == 16000
    assert np.array_equal(clean, 0.5 * noisy)
    assert np.array_equal(noisy, speech(3, 8000)[:2].reshape(-1).numpy())
    with pytest.raises(ValueError, match="has 2 s in .wav files, expected 9"):
        join_recordings(folders, seconds=9)
    make_run(tmp_path / "run", "gru")
    with pytest.raises(ValueError, match="at 16000 Hz, the recordings have 8"):
        open_at(tmp_path / "run", 8000)


def test_state_that_is_carried_stands_beside_the_windows(tmp_path):
    make_run(tmp_path / "run", "gru")
    clean = speech(1, 16000 * 6)[0].numpy()
    found = window_error.measure(
        tmp_path / "run", clean, clean, 16000, [0.1], window=1.0
    )
    # Where a window begins, its state does: one that is carried does not.
    assert found["streamed"]["difference"] < -100
    assert found["windows"][0]["difference"] > -100
    text = window_table.markdown({"gru": found}, 6, {"version": "0"})
    assert "| gru | " in text and "| state carried |" in text


def test_what_windows_change_as_a_table(tmp_path):
    make_run(tmp_path / "a" / "run", "fcn2d")
    (tmp_path / "noisy").mkdir()
    wav = speech(1, 16000 * 25)[0].numpy()
    soundfile.write(tmp_path / "noisy" / "a.wav", wav, 16000)
    done = CliRunner().invoke(
        main,
        ["window-error", str(tmp_path / "a" / "run")]
        + ["--noisy", str(tmp_path / "noisy")]
        + ["--clean", str(tmp_path / "noisy"), "--seconds", "25"]
        + ["--contexts", "0.5,1", "--output", str(tmp_path / "error.v1")],
    )
    assert done.exit_code == 0, done.output
    text = (tmp_path / "error.v1.md").read_text()
    whole = (tmp_path / "error.v1.json").read_text()
    assert str(tmp_path) not in text + whole
    rows = json.loads(whole)["models"]["a/run"]["windows"]
    assert [row["context"] for row in rows] == [0.5, 1]
    assert f"| 0.5 | {rows[0]['si_sdr']:.2f} |" in text


def test_a_stream_that_is_not_the_model_is_seen(tmp_path, monkeypatch):
    make_run(tmp_path / "run", "gru")
    model = open_at(tmp_path / "run", 16000)
    stream = model.stream()
    push = stream.push
    monkeypatch.setattr(stream, "push", lambda samples: push(samples) + 0.25)
    found = real_time.parity(model, stream, speech(1, 8000)[0].numpy())
    assert found["difference"] == pytest.approx(0.25, abs=1e-3)


def test_lengths_that_are_none_are_refused(run):
    for wrong in ("10,x", "", "-1", "nan"):
        done = CliRunner().invoke(
            main, ["inference-cost", str(run / "export"), "--lengths", wrong]
        )
        assert done.exit_code == 2
        assert "numbers above 0" in done.output


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
        measured[f"{tmp_path.name}/{n}"] for n in ("gru", "transformer")
    )
    assert gru["stream"]["latency_ms"] == 32
    assert 0 <= gru["stream"]["difference"] < 1e-5 < gru["stream"]["peak"]
    assert "CNNTransformerSE" in transformer["no_stream"]
    for model in (gru, transformer):
        assert 0 <= model["onnx"]["difference"] < 1e-5
    text = (tmp_path / "real_time.md").read_text()
    assert transformer["no_stream"].split(":")[0] in text
