"""Tests of the ONNX export: the runner gives what the model gives."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from toy_backbones import KNOBS, build, speech

from cmkt_plugin.enhancers import SpectralMask, WaveformMask
from cmkt_plugin.features import LogMagnitude
from cmkt_plugin.inference import CMKTEnhancement
from cmkt_plugin.onnx import export as onnx_export
from cmkt_plugin.overlap_add import OverlapAdd

pytest.importorskip("onnxruntime", reason="needs the extra 'onnx'")
from cmkt_plugin.onnx.onnx_runner import ONNXEnhancer  # noqa: E402
from cmkt_plugin.onnx.speed import measure  # noqa: E402

FILES = ["model.onnx", "model_onnx.json", "onnx_runner.py"]

# Runs beside the exports, where nothing but numpy and onnxruntime is left.
ALONE = """
import sys
for name in ("torch", "speechbrain", "cmkt_plugin", "onnx", "torchaudio"):
    sys.modules[name] = None
import numpy as np
noisy, results = np.load("noisy.npy"), {}
for name in sys.argv[1:]:
    sys.path.insert(0, name)
    from onnx_runner import ONNXEnhancer
    assert sys.modules.pop("onnx_runner").__file__.endswith(
        f"{name}/onnx_runner.py"
    )
    results[name] = ONNXEnhancer(name).enhance(noisy)
np.savez("results.npz", **results)
"""


def trained(name):
    """A backbone whose mask is far from constant, its BatchNorm not new."""
    enhancer = build(name)["enhancer"]
    for parameter in enhancer.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    enhancer(speech(2, 8000), torch.ones(2))
    return CMKTEnhancement({"enhancer": enhancer}, {"sample_rate": 16000})


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """Every backbone, its export and what that gives in a bare process."""
    folder = tmp_path_factory.mktemp("onnx")
    models = {name: trained(name) for name in KNOBS}
    for name, model in models.items():
        assert onnx_export.export_onnx(model, folder / name) == folder / name
    np.save(folder / "noisy.npy", speech(2, 9001).numpy())
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    subprocess.run(
        [sys.executable, "-c", ALONE, *KNOBS],
        cwd=folder,
        env=environment,
        check=True,
    )
    return folder, models, np.load(folder / "results.npz")


def difference(model, runner, noisy):
    expected = model.enhance_batch(noisy).numpy()
    found = runner.enhance(noisy.numpy())
    assert found.dtype == np.float32 and found.shape == expected.shape
    return np.abs(found - expected).max()


@pytest.mark.parametrize("name", KNOBS)
def test_runs_without_torch_and_this_package(exports, name):
    folder, models, results = exports
    assert sorted(path.name for path in (folder / name).iterdir()) == FILES
    noisy = torch.from_numpy(np.load(folder / "noisy.npy"))
    expected = models[name].enhance_batch(noisy).numpy()
    assert np.abs(expected).max() > 1e-2
    assert np.abs(expected - 0.5 * noisy.numpy()).max() > 1e-2
    assert np.abs(results[name] - expected).max() < 1e-5


@pytest.mark.parametrize("name", KNOBS)
@pytest.mark.parametrize("samples", [1, 100, 256, 700, 5000, 24001])
def test_any_length_and_batch(exports, name, samples):
    folder, models, _ = exports
    runner = ONNXEnhancer(folder / name)
    for batch in (1, 2, 3):
        noisy = speech(batch, samples)
        assert difference(models[name], runner, noisy) < 1e-5


@pytest.mark.parametrize("name", KNOBS)
def test_level_and_silence(exports, name):
    folder, models, _ = exports
    runner = ONNXEnhancer(folder / name)
    for noisy in (8 * speech(1, 4000), 1e-3 * speech(1, 4000)):
        peak = noisy.abs().max()
        assert difference(models[name], runner, noisy) < 1e-4 * peak
    silence = torch.zeros(1, 4000)
    assert difference(models[name], runner, silence) < 1e-6


@pytest.mark.parametrize(
    "knobs", [{"causal": True, "padding_type": "causal"}, {"kernel_size": 5}]
)
def test_variants_of_the_transformer(knobs, tmp_path, monkeypatch):
    monkeypatch.setitem(
        KNOBS, "cnn_transformer", {**KNOBS["cnn_transformer"], **knobs}
    )
    model = trained("cnn_transformer")
    assert model.enhancer.net.causal == bool(knobs.get("causal"))
    runner = ONNXEnhancer(onnx_export.export_onnx(model, tmp_path))
    for samples in (2000, 17000, 40000):
        assert difference(model, runner, speech(2, samples)) < 1e-5


def test_other_windows(tmp_path, monkeypatch):
    """A window shorter than n_fft, and another one."""
    knobs = {**KNOBS["gru"], "n_fft": 400, "win_length": 20, "hop_length": 7.5}
    monkeypatch.setitem(KNOBS, "gru", knobs)
    model = trained("gru")
    runner = ONNXEnhancer(onnx_export.export_onnx(model, tmp_path / "a"))
    assert difference(model, runner, speech(2, 4001)) < 1e-5
    for part in (model.enhancer.features.stft, model.enhancer.istft):
        part.window = torch.hann_window(320)
    runner = ONNXEnhancer(onnx_export.export_onnx(model, tmp_path / "b"))
    assert difference(model, runner, speech(2, 4001)) < 1e-5


def test_settings_say_what_the_model_is(exports):
    text = (exports[0] / "gru" / "model_onnx.json").read_text()
    assert json.loads(text) == {
        "sample_rate": 16000,
        "shortest": 1,
        "n_fft": 512,
        "hop_length": 256,
        "window": torch.hamming_window(512).tolist(),
        "ends_at_last_hop": False,
    }
    runner = ONNXEnhancer(exports[0] / "conv_tasnet")
    assert runner.sample_rate == 16000
    for shape in (runner.session.get_inputs(), runner.session.get_outputs()):
        assert shape[0].shape == ["batch", "time"]


def test_is_compared_with_one_pass(tmp_path):
    """Not with what the model makes of windows, or on another device."""
    model = trained("conv_tasnet")
    model.windows = OverlapAdd(window=0.2, context=0.05, fade=0.01)
    runner = ONNXEnhancer(onnx_export.export_onnx(model, tmp_path))
    model.windows = OverlapAdd()
    assert difference(model, runner, speech(2, 9001)) < 1e-5


class Baked(torch.nn.Module):
    """Its graph holds the length at which it was traced."""

    def forward(self, features):
        return features.sigmoid() * 9 / int(features.shape[1])


class Unknown(torch.nn.Module):
    """No operator of ONNX does this."""

    def forward(self, features):
        return (
            torch.linalg.eigvals(features[..., :2, :2]).abs().sum() * features
        )


@pytest.mark.parametrize(
    "net, message",
    [
        (Baked, "Baked in SpectralMask differs from the model by"),
        (Unknown, "Unknown in SpectralMask cannot be exported.*eigvals"),
    ],
)
def test_what_has_no_sound_graph_is_refused(net, message, tmp_path):
    model = trained("gru")
    parts = model.enhancer.features.stft, model.enhancer.istft
    model.enhancer = SpectralMask(net(), *parts)
    with pytest.raises(ValueError, match=message):
        onnx_export.export_onnx(model, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_other_nets_from_waveform_to_waveform_are_refused(tmp_path):
    model = trained("enhance_resnet")
    net = torch.nn.Linear(2, 2)
    net.stft = model.enhancer.features.stft
    model.enhancer = WaveformMask(net, LogMagnitude(net.stft))
    with pytest.raises(ValueError, match="WaveformMask of Linear cannot be"):
        onnx_export.export_onnx(model, tmp_path / "out")


def test_failure_leaves_the_old_export(exports, tmp_path, monkeypatch):
    model = exports[1]["gru"]
    onnx_export.export_onnx(model, tmp_path / "out")
    (tmp_path / "out" / "README.md").write_text("mine")
    before = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()}

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(onnx_export.shutil, "copyfile", full)
    with pytest.raises(OSError, match="No space"):
        onnx_export.export_onnx(exports[1]["blstm"], tmp_path / "out")
    after = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()}
    assert after == before and list(tmp_path.iterdir()) == [tmp_path / "out"]


def test_missing_extra_names_the_line_to_type(exports, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_export, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"cmkt_plugin\[onnx\]") as error:
        onnx_export.export_onnx(exports[1]["gru"], tmp_path)
    assert error.value.name is None


@pytest.mark.parametrize(
    "noisy, found",
    [
        (np.zeros(100, "float32"), r"float32 \(100,\)"),
        (np.zeros((1, 100, 2), "float32"), "channels as items"),
        (np.zeros((1, 100), "int16"), "int16"),
        (np.zeros((1, 100)), "float64"),
        (np.zeros((1, 0), "float32"), "not empty"),
    ],
)
def test_wrong_inputs_are_named(exports, noisy, found):
    with pytest.raises(ValueError, match=found):
        ONNXEnhancer(exports[0] / "gru").enhance(noisy)


def test_measure(exports):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        measured = measure(exports[1]["gru"], exports[0] / "gru", 0.5, 2)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert 0 < measured["difference"] < 1e-5 < measured["peak"]
    ratio = measured["torch_s"] / measured["onnxruntime_s"]
    assert ratio == pytest.approx(measured["ratio"]) and ratio > 0
