"""Tests of the page's button and of what serves the page, without a browser."""

import socket
import sys
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from matplotlib.image import imread
from test_export import make_run
from toy_backbones import speech

from cmkt_plugin.cli import main
from cmkt_plugin.loading import loaded_models
from cmkt_plugin.loading.loaded_models import LoadedModels
from cmkt_plugin.loading.short_names import short_names
from cmkt_plugin.spectrogram import read_spectrogram
from cmkt_plugin.web.enhancement import compare
from cmkt_plugin.web.picture import draw

gr = pytest.importorskip("gradio", reason="needs cmkt_plugin[serve]")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    make_run(folder / "run", "blstm")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        models = LoadedModels(["run"], "cpu")
        models["run"]
    return models


@pytest.fixture
def page(models, tmp_path, monkeypatch):
    """The page, its files in a folder of their own."""
    from cmkt_plugin.web.page import WebPage

    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    return WebPage(models, limit=2, jobs=3)


def record(path, rate=16000, channels=1, **how):
    samples = 0.3 * speech(channels, 6001).T.numpy()
    soundfile.write(path, samples, rate, **how)
    return path


@pytest.mark.parametrize(
    "name, rate, how",
    [
        ("a.wav", 44100, {"subtype": "PCM_24"}),
        ("a.flac", 16000, {}),
        ("a.aiff", 8000, {}),
        ("a.ogg", 44100, {}),
    ],
)
def test_comparison_is_of_what_the_model_makes(
    models, tmp_path, name, rate, how
):
    recording = record(tmp_path / name, rate, 2, **how)
    folder = tmp_path / "made"
    folder.mkdir()
    made = compare(models["run"], recording, folder, 0.7)
    assert made.enhanced.name == f"a_enhanced{recording.suffix}"
    given, kept = soundfile.info(recording), soundfile.info(made.enhanced)
    for item in ("samplerate", "channels", "frames", "format", "subtype"):
        assert getattr(kept, item) == getattr(given, item), item
    expected = tmp_path / f"expected{recording.suffix}"
    models["run"].enhance_file(recording, expected, 0.7)
    assert np.array_equal(
        *(soundfile.read(f)[0] for f in (expected, kept.name))
    )
    noisy = soundfile.read(recording)[0]
    assert np.abs(soundfile.read(expected)[0] - noisy).max() > 0.01
    # What is heard is at the level of the files, and every browser plays it.
    for played, file in ((made.before, recording), (made.after, expected)):
        assert soundfile.info(played).subtype == "PCM_16"
        heard, there = soundfile.read(played)[0], soundfile.read(file)[0]
        assert np.abs(heard - there).max() < 2**-14
    for shown in (made.before_picture, made.after_picture):
        assert imread(shown).std() > 0.1
    assert f"{6001 / rate:.2f} s enhanced in" in made.summary
    assert "real-time factor" in made.summary
    assert ("what is above is dropped" in made.summary) == (rate > 16000)


def test_an_mp3_is_heard_and_seen_as_it_is(models, tmp_path):
    # Longer than a block, and easy to encode: then the decoder needs what it
    # has kept of earlier frames, and a seek makes it forget that.
    recording = tmp_path / "a.mp3"
    soundfile.write(recording, 0.5 * np.sin(0.05 * np.arange(150001)), 44100)
    folder = tmp_path / "made"
    folder.mkdir()
    made = compare(models["run"], recording, folder)
    for played, file in ((made.before, recording), (made.after, made.enhanced)):
        heard, there = soundfile.read(played)[0], soundfile.read(file)[0]
        assert heard.shape == there.shape
        assert np.abs(heard - there).max() < 2**-15
    whole, _ = soundfile.read(recording, dtype="float32")
    soundfile.write(tmp_path / "a.wav", whole, 44100, "FLOAT")
    seen = read_spectrogram(recording)
    expected = read_spectrogram(tmp_path / "a.wav")
    for found, there in zip(seen, expected):
        assert np.allclose(found, there, atol=1e-7)


def test_button_gives_all_results_and_they_can_be_served(page, tmp_path):
    recording = record(tmp_path / "noisy.wav")
    results = page.enhance(str(recording), "run", 1.0, False)
    download = results[-1].value["path"]
    assert Path(download).name == "noisy_enhanced.wav"
    for file in (results[2], results[4], download):
        assert Path(file).is_relative_to(tmp_path / "cache")


def test_faults_are_one_sentence_and_leave_nothing(page, tmp_path):
    hidden = tmp_path / "upload"
    hidden.mkdir()
    nan = np.full(800, np.nan)
    soundfile.write(hidden / "nan.wav", nan, 16000, "FLOAT")
    soundfile.write(hidden / "long.wav", np.zeros(16000), 4000)
    soundfile.write(hidden / "empty.wav", np.zeros(0), 16000)
    (hidden / "a<b>.wav").write_text("no sound")
    for name, message in {
        "nan.wav": "nan.wav: sample 0 .* is nan",
        "long.wav": "long.wav: 4 s long, expected at most 2 s: .*cmkt enhance",
        "empty.wav": "empty.wav: 0 samples",
        "a<b>.wav": "a&lt;b&gt;.wav: not a readable wav file",
        "gone.wav": "gone.wav: not a readable",
    }.items():
        with pytest.raises(gr.Error, match=message) as error:
            page.enhance(str(hidden / name), "run", 1.0, False)
        assert str(hidden) not in error.value.message
        assert not list((tmp_path / "cache").iterdir())
    with pytest.raises(gr.Error, match="drop a file first"):
        page.enhance(None, "run", 1.0, False)


def test_silence_and_ten_milliseconds_are_no_faults(page, tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(160), 16000)
    page.enhance(str(tmp_path / "silence.wav"), "run", 1.0, False)


def test_others_wait_and_nothing_is_open_to_clients(page):
    events = page.blocks.fns.values()
    limits = {event.name: event.concurrency_limit for event in events}
    assert limits["enhance"] == 3
    assert {event.api_visibility for event in events} == {"private"}
    assert not page.blocks.api_open
    assert not page.blocks.analytics_enabled


def test_pictures_share_a_scale(tmp_path):
    loud = record(tmp_path / "loud.wav", subtype="FLOAT")
    samples, rate = soundfile.read(loud)
    quiet = tmp_path / "quiet.wav"
    soundfile.write(quiet, samples / 100, rate, subtype="FLOAT")
    draw({loud: tmp_path / "1.png", quiet: tmp_path / "2.png"})
    draw({quiet: tmp_path / "alone.png"})
    light = [
        imread(tmp_path / f"{name}.png")[400:, 200:700].mean()
        for name in ("1", "2", "alone")
    ]
    assert light[1] < light[0] - 0.1
    assert abs(light[2] - light[0]) < 0.02


def test_models_are_loaded_once_and_only_when_used(monkeypatch):
    opened = []

    def open_model(source, **options):
        opened.append((source, options))
        return Mock(sample_rate=16000)

    monkeypatch.setattr(loaded_models, "open_model", open_model)
    models = LoadedModels(["a/run", "b/run"], "cpu", trust=True)
    assert models["b/run"] is models["b/run"]
    assert opened == [("b/run", {"device": "cpu", "trust": True})]


def test_names_tell_models_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert list(short_names(["runs/cmkt/1", "x/y"])) == ["cmkt/1", "x/y"]
    given = ["x/cmkt/1", "y/cmkt/1", "y/cmkt/1/", "user/name"]
    assert list(short_names(given)) == ["x/cmkt/1", "y/cmkt/1", "user/name"]
    here = f"{tmp_path.parent.name}/{tmp_path.name}"
    assert short_names(["."]) == {here: "."}
    # The end of one path may be the whole of another.
    assert short_names(["b", "a/b"]) == {"b": "b", "a/b": "a/b"}


def test_a_taken_port_is_said_in_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = CliRunner().invoke(main, ["serve", "model", "--port", port])
    assert done.exit_code == 1
    assert f"port {port}: Address already in use" in done.stderr
    assert "another --port" in done.stderr and "\n" not in done.stderr.strip()


def test_a_missing_model_is_said_before_the_page_opens(tmp_path, monkeypatch):
    for name in ("GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_ENABLED"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("no_proxy", "example.org")
    monkeypatch.setenv("NO_PROXY", "")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    missing = str(tmp_path / "none")
    done = CliRunner().invoke(main, ["serve", missing, "--port", port])
    assert done.exit_code == 1
    assert f"{missing} does not exist" in done.stderr


@pytest.mark.parametrize("missing", ["gradio", "matplotlib"])
def test_what_is_missing_is_named_with_the_way_out(monkeypatch, missing):
    for name in ("page", "enhancement", "picture"):
        monkeypatch.delitem(sys.modules, f"cmkt_plugin.web.{name}", False)
    for name in [name for name in sys.modules if name.startswith(missing)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=r"cmkt_plugin\[serve\]") as error:
        __import__("cmkt_plugin.web.page")
    assert error.value.name is None
