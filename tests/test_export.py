"""Tests of the export: what stock SpeechBrain makes of it."""

import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
import torch
import yaml
from hyperpyyaml import load_hyperpyyaml
from safetensors.torch import load_file
from speechbrain.inference.interfaces import foreign_class
from speechbrain.utils.checkpoints import Checkpointer
from toy_backbones import FOLDER, KNOBS, build, resolved, speech

from cmkt_plugin.exporting.export import export
from cmkt_plugin.inference import CMKTEnhancement
from cmkt_plugin.loading.model_source import open_model, open_trusted

# Runs where neither this package nor transformers can be imported.
STOCK = """
import sys
sys.modules["transformers"] = sys.modules["cmkt_plugin"] = None
import torch
from pydoc import locate
batch = torch.load("batch.pt")
results = {}
for name in sys.argv[1:]:
    line = open(f"{name}/export/hyperparams.yaml").readline()
    model = locate(line.split()[1]).from_hparams(
        source=f"{name}/export", run_opts={"device": "cpu"}
    )
    if hasattr(model, "separate_batch"):
        one = model.load_audio("noisy.wav").unsqueeze(0)
        results[name] = [
            model.separate_batch(batch)[..., 0],
            model.separate_batch(one)[0, :, 0],
        ]
    else:
        results[name] = [
            model.enhance_batch(batch, lengths=torch.ones(len(batch))),
            model.enhance_file("noisy.wav", f"{name}.wav"),
        ]
torch.save(results, "results.pt")
"""


def make_run(folder, name, scores=(2.0,), metric="pesq"):
    """Leaves what a training leaves; one checkpoint for each score."""
    folder.mkdir(parents=True)
    text = f"# Generated from:\n# {FOLDER}\n" + resolved(name)
    text += f"best_metric: {metric}\n"
    (folder / "hyperparams.yaml").write_text(text)
    enhancer = build(name)["enhancer"]
    enhancer(speech(2, 8000), torch.ones(2))  # moves BatchNorm statistics
    checkpointer = Checkpointer(folder / "save", {"enhancer": enhancer})
    for score in scores:
        torch.manual_seed(int(100 * (score or 0)))
        for parameter in enhancer.parameters():
            parameter.data += 0.05 * torch.randn_like(parameter)
        # The other metric would choose another checkpoint.
        meta = {} if score is None else {metric: score, "other": -score}
        checkpointer.save_checkpoint(meta=meta)
    return enhancer.eval()


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """Every backbone exported, and what stock SpeechBrain gives with it."""
    folder = tmp_path_factory.mktemp("exports")
    batch = speech(2, 9001)
    torch.save(batch, folder / "batch.pt")
    soundfile.write(folder / "noisy.wav", batch[0].numpy(), 16000, "FLOAT")
    enhancers = {}
    for name in KNOBS:
        enhancers[name] = make_run(folder / name, name)
        export(folder / name, folder / name / "export")
    before = sorted(folder.iterdir())
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    subprocess.run(
        [sys.executable, "-c", STOCK, *KNOBS],
        cwd=folder,
        env={**environment, "HF_HUB_OFFLINE": "1"},
        check=True,
    )
    made = set(folder.iterdir()) - set(before)
    return folder, batch, enhancers, torch.load(folder / "results.pt"), made


@pytest.mark.parametrize("name", KNOBS)
def test_stock_speechbrain_gives_the_same_samples(exports, name):
    _, batch, enhancers, results, _ = exports
    in_batch, of_file = results[name]
    samples = in_batch.shape[1]
    # Without our adapter EnhanceResnet ends at the last whole hop.
    assert samples == (9001 // 256 * 256 if name == "enhance_resnet" else 9001)
    with torch.no_grad():
        expected = enhancers[name](batch, torch.ones(2)).wav
        alone = enhancers[name](batch[:1], torch.ones(1)).wav[0]
    assert expected.abs().max() > 1e-3
    assert torch.allclose(in_batch, expected[:, :samples], atol=1e-6)
    assert torch.allclose(of_file, alone[:samples], atol=1e-6)
    assert expected[:, samples:].eq(0).all()


@pytest.mark.parametrize(
    "power, found", [("power: 1", "power: 1"), ("log: False", "not given")]
)
def test_features_of_another_power_are_refused(exports, tmp_path, power, found):
    """SpeechBrain computes others with them; LogMagnitude has one power."""
    folder = tmp_path / "model"
    shutil.copytree(exports[0] / "blstm" / "export", folder)
    path = folder / "hyperparams.yaml"
    assert "power: 0.5" in path.read_text()
    path.write_text(path.read_text().replace("power: 0.5", power))
    with pytest.raises(
        ValueError, match=rf"'spectral_magnitude' \({found}|power: {found}"
    ) as error:
        open_trusted(folder, {"device": "cpu"})
    assert "gives 25 for 3+4j, expected 5" in str(error.value)


def test_loading_links_nothing_into_the_users_folder(exports):
    folder, _, _, _, made = exports
    waveforms = {name for name in KNOBS if (folder / f"{name}.wav").exists()}
    assert waveforms == set(KNOBS) - {"conv_tasnet", "sepformer"}
    assert made == {folder / "results.pt"} | {
        folder / f"{name}.wav" for name in waveforms
    }
    assert not [path for path in folder.rglob("*") if path.is_symlink()]


@pytest.mark.parametrize("name", KNOBS)
@pytest.mark.parametrize("load", [open_model, open_trusted])
def test_both_ways_of_loading_give_the_same_samples(
    exports, name, load, tmp_path, monkeypatch
):
    folder, batch, enhancers, _, _ = exports
    monkeypatch.chdir(tmp_path)
    options = "cpu" if load is open_model else {"device": "cpu"}
    model = load(folder / name / "export", options)
    assert model.sample_rate == 16000
    with torch.no_grad():
        expected = enhancers[name](batch, torch.ones(2)).wav
    for lengths in (None, torch.ones(2)):
        wav = model.enhance_batch(batch, lengths)
        assert torch.allclose(wav, expected, atol=1e-6)
        assert not wav.requires_grad
    parameters = sum(p.numel() for p in model.mods.parameters())
    assert parameters == sum(p.numel() for p in enhancers[name].parameters())
    assert not list(tmp_path.iterdir())
    if name in ("conv_tasnet", "sepformer"):  # of no use but for the loss
        assert model.enhancer.features is None


def test_stock_and_safe_files_hold_the_same_weights(exports):
    out = exports[0] / "cnn_transformer" / "export"
    stock = torch.load(out / "enhance_model.ckpt")
    safe = load_file(out / "model.safetensors")
    assert stock.keys() == safe.keys() and len(safe) > 20
    assert all(torch.equal(stock[key], safe[key]) for key in stock)


@pytest.mark.parametrize("name", KNOBS)
def test_export_holds_nothing_of_the_transfer_and_no_path(exports, name):
    out = exports[0] / name / "export"
    files = {path.name for path in out.iterdir()}
    assert {path for path in files if not path.endswith(".ckpt")} == {
        "README.md",
        "hyperparams.yaml",
        "config.json",
        "model.safetensors",
    }
    text = (out / "hyperparams.yaml").read_text()
    for foreign in ("cmkt", "/", "#", "!include", "!part"):
        assert foreign not in text.replace(" // ", " "), foreign
    traces = ["transformers", "teacher", "words", "transcript", "bert"]
    traces += ["/home", "/tmp", str(Path.home()), str(exports[0])]
    for path in out.iterdir():
        content = path.read_bytes()
        for trace in traces:
            assert trace.encode() not in content, (path.name, trace)


@pytest.mark.parametrize("metric", ["pesq", "estoi"])
def test_best_checkpoint_is_exported_not_the_last(tmp_path, metric):
    make_run(tmp_path / "run", "blstm", (1.0, 3.0, 2.0), metric)
    best = Checkpointer(tmp_path / "run" / "save").find_checkpoint(
        max_key=metric
    )
    assert best.meta[metric] == 3.0
    weights = torch.load(best.paramfiles["enhancer"])
    out = export(tmp_path / "run", tmp_path / "out")
    loaded = torch.load(out / "enhance_model.ckpt")
    assert loaded.keys() == weights.keys()
    assert all(torch.equal(loaded[key], weights[key]) for key in weights)


def test_latest_checkpoint_where_none_has_a_score(tmp_path):
    enhancer = make_run(tmp_path / "run", "blstm", scores=(None,))
    out = export(tmp_path / "run", tmp_path / "out")
    wav = open_model(out, "cpu").enhance_batch(speech(1, 4000))
    expected = enhancer(speech(1, 4000), torch.ones(1)).wav
    assert torch.allclose(wav, expected, atol=1e-6)


def test_an_export_is_replaced_and_anything_else_is_not(tmp_path):
    make_run(tmp_path / "run", "blstm")
    out = export(tmp_path / "run", tmp_path / "out")
    (out / "stale.ckpt").write_text("old")
    export(tmp_path / "run", out)
    assert not (out / "stale.ckpt").exists()
    mine = tmp_path / "mine"
    mine.mkdir()
    export(tmp_path / "run", mine)  # an empty folder may be filled
    thesis = tmp_path / "thesis"
    thesis.mkdir()
    (thesis / "hyperparams.yaml").write_text("seed: 1\n")
    for refused in (thesis, thesis / "hyperparams.yaml", tmp_path / "run"):
        with pytest.raises(FileExistsError, match="is not an export"):
            export(tmp_path / "run", refused)
    assert (thesis / "hyperparams.yaml").read_text() == "seed: 1\n"
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"run", "out", "mine", "thesis"}


def test_failure_leaves_the_old_export(tmp_path, monkeypatch):
    make_run(tmp_path / "run", "blstm")
    out = export(tmp_path / "run", tmp_path / "out")

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space"):
        export(tmp_path / "run", out)
    monkeypatch.undo()

    def busy(path, target):
        if Path(target) == out and path.name == "new":
            raise OSError("busy")
        return rename(path, target)

    rename = Path.rename
    monkeypatch.setattr(Path, "rename", busy)
    with pytest.raises(OSError, match="busy"):
        export(tmp_path / "run", out)
    open_model(out, "cpu")
    assert {path.name for path in tmp_path.iterdir()} == {"run", "out"}


def test_checkpoint_of_another_model_is_refused(tmp_path):
    make_run(tmp_path / "run", "blstm")
    text = resolved("cnn_transformer")
    (tmp_path / "run" / "hyperparams.yaml").write_text(text)
    with pytest.raises(ValueError, match="does not fit.*net.lstm"):
        export(tmp_path / "run", tmp_path / "out")


def test_runs_that_cannot_be_exported_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="output folder of train.py"):
        export(tmp_path, tmp_path / "out")
    run = tmp_path / "run"
    run.mkdir()
    (run / "hyperparams.yaml").write_text("seed: 1\n")
    with pytest.raises(ValueError, match="no 'backbone:'"):
        export(run, tmp_path / "out")
    (run / "hyperparams.yaml").write_text(resolved("blstm"))
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        export(run, tmp_path / "out")
    assert not (run / "save").exists()
    foreign = resolved("blstm").replace("torch.nn.Sigmoid", "mine.Sigmoid")
    (run / "hyperparams.yaml").write_text(foreign)
    with pytest.raises(ValueError, match="'mine.Sigmoid' cannot be imported"):
        export(run, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_export_is_not_exported_again(exports, tmp_path):
    made = exports[0] / "blstm" / "export"
    with pytest.raises(ValueError, match="already: .* the run's.*--onnx needs"):
        export(made, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_readme_loads_it_in_three_ways(exports, tmp_path, monkeypatch):
    for name in KNOBS:
        folder = exports[0] / name / "export"
        text = (folder / "README.md").read_text()
        hyperparams = yaml.compose((folder / "hyperparams.yaml").read_text())
        interface = hyperparams.value[0][1].value.rpartition(".")
        assert f"from {interface[0]} import {interface[2]}" in text
        assert "CMKTEnhancement.from_safe(" in text
        assert "cmkt enhance -m FOLDER" in text and "--trust" not in text
    soundfile.write(tmp_path / "noisy.wav", speech(1, 8000)[0].numpy(), 16000)
    monkeypatch.chdir(tmp_path)
    for number, code in enumerate(python_of(exports[0] / "blstm" / "export")):
        (tmp_path / "enhanced.wav").unlink(missing_ok=True)
        exec(code, {})
        assert (tmp_path / "enhanced.wav").stat().st_size > 8000, number
    assert number == 1


def python_of(folder):
    """The Python blocks of an export's README, for this folder."""
    text = (folder / "README.md").read_text().replace("FOLDER", str(folder))
    return re.findall("```python\n(.*?)```", text, re.DOTALL)


def test_onnx_export_is_part_of_the_folder(exports, tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    folder, batch, enhancers, _, _ = exports
    out = export(folder / "gru", tmp_path / "out", onnx=True)
    traces = ("/home", "/tmp", "site-packages", str(Path.home()), "teacher")
    for path in out.iterdir():
        for trace in traces:
            assert trace.encode() not in path.read_bytes(), (path.name, trace)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(out)
    soundfile.write("noisy.wav", batch[0].numpy(), 16000, "FLOAT")
    exec(python_of(out)[-1], {})
    sys.modules.pop("onnx_runner")
    enhanced, _ = soundfile.read("enhanced.wav", dtype="float32")
    expected = enhancers["gru"](batch[:1], torch.ones(1)).wav[0]
    # The file holds 16 bits.
    assert torch.allclose(torch.from_numpy(enhanced), expected, atol=1e-4)
    assert (out / "model.safetensors").stat().st_mode & 0o077 == (
        (out / "README.md").stat().st_mode & 0o077
    )


NET = """\
import torch


class Gate(torch.nn.Module):
    def __init__(self, bins):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.zeros(bins))

    def forward(self, mask):
        return torch.sigmoid(self.gain * mask)
"""


@pytest.fixture
def foreign_run(tmp_path, monkeypatch):
    """A run whose net has a layer of the user's, defined beside the script."""
    script, before = tmp_path / "script", list(sys.path)
    script.mkdir()
    (script / "my_nets.py").write_text(NET)
    monkeypatch.syspath_prepend(script)
    importlib.invalidate_caches()
    run = tmp_path / "run"
    run.mkdir()
    gate = "!new:my_nets.Gate\n      bins: 257\n"
    text = resolved("blstm").replace("!new:torch.nn.Sigmoid\n", gate)
    (run / "hyperparams.yaml").write_text(text)
    enhancer = load_hyperpyyaml(text)["backbone"]["enhancer"]
    torch.nn.init.normal_(enhancer.net.act2.gain)
    Checkpointer(run / "save", {"enhancer": enhancer}).save_checkpoint()
    yield run, script, enhancer.eval()
    sys.path[:] = before  # SpeechBrain's foreign_class leaves both
    for module in ("my_nets", "custom"):
        sys.modules.pop(module, None)


def forget(script, monkeypatch):
    """Where the export is used, the user's module does not exist."""
    sys.modules.pop("my_nets", None)
    (script / "my_nets.py").unlink()
    monkeypatch.undo()


def test_a_class_of_the_users_own_goes_into_custom_py(
    foreign_run, tmp_path, monkeypatch
):
    run, script, enhancer = foreign_run
    out = export(run, tmp_path / "out")
    export(run, out)  # may be replaced
    forget(script, monkeypatch)
    noisy = speech(1, 4000)
    expected = enhancer(noisy, torch.ones(1)).wav
    model = foreign_class(
        source=str(out), pymodule_file="custom.py", classname="CMKTEnhancement"
    )
    for loaded in (model, open_model(out, "cpu", trust=True)):
        assert isinstance(loaded, CMKTEnhancement)
        assert type(loaded.enhancer.net.act2).__module__ == "custom"
        wav = loaded.enhance_batch(noisy).cpu()
        assert torch.allclose(wav, expected, atol=1e-6)
    assert not (out / "config.json").exists()
    with pytest.raises(FileNotFoundError, match="no config.json.*--trust"):
        open_model(out)
    for path in out.iterdir():
        assert str(tmp_path).encode() not in path.read_bytes()
        assert b"my_nets" not in path.read_bytes() or path.suffix == ".md"
    soundfile.write(tmp_path / "noisy.wav", noisy[0].numpy(), 16000)
    monkeypatch.chdir(tmp_path)
    blocks = python_of(out)
    for code in blocks:
        (tmp_path / "enhanced.wav").unlink(missing_ok=True)
        exec(code, {})
        assert (tmp_path / "enhanced.wav").stat().st_size > 4000
    assert "foreign_class" in blocks[0] and len(blocks) == 2
    assert "-o enhanced --trust" in (out / "README.md").read_text()


def test_exports_with_a_custom_py_each_get_their_own(
    foreign_run, tmp_path, monkeypatch
):
    run, script, _ = foreign_run
    export(run, tmp_path / "one")
    export(run, tmp_path / "two")
    forget(script, monkeypatch)
    custom = tmp_path / "two" / "custom.py"
    custom.write_text(custom.read_text().replace("sigmoid", "tanh"))
    wavs = [
        open_model(tmp_path / name, "cpu", trust=True).enhance_batch(
            speech(1, 4000)
        )
        for name in ("one", "two", "one")
    ]
    assert torch.equal(wavs[0], wavs[2])
    assert not torch.allclose(wavs[0], wavs[1], atol=1e-3)
    assert "custom" not in sys.modules


def test_classes_that_one_file_cannot_hold_are_refused(foreign_run, tmp_path):
    run, script, _ = foreign_run
    text = (run / "hyperparams.yaml").read_text()
    (script / "others.py").write_text("import my_nets\n" + NET)
    for module in ("my_nets", "others"):
        sys.modules.pop(module, None)
    importlib.invalidate_caches()
    both = text.replace("!new:torch.nn.LeakyReLU", "!new:others.Gate")
    both = both.replace("negative_slope: 0.01", "bins: 257")
    (run / "hyperparams.yaml").write_text(both)
    with pytest.raises(ValueError, match="modules 'my_nets', 'others'"):
        export(run, tmp_path / "out")
    (run / "hyperparams.yaml").write_text(text.replace("my_nets", "others"))
    with pytest.raises(ValueError, match="imports 'my_nets', which is not"):
        export(run, tmp_path / "out")
    sys.modules.pop("others", None)
    assert not (tmp_path / "out").exists()


def test_stock_class_off_the_list_has_no_safe_files_and_says_so(tmp_path):
    run = tmp_path / "run"
    make_run(run, "blstm")
    path = run / "hyperparams.yaml"
    off_list = "torch.nn.modules.activation.Sigmoid"
    path.write_text(path.read_text().replace("torch.nn.Sigmoid", off_list))
    out = export(run, tmp_path / "out")
    assert not (out / "config.json").exists()
    text = (out / "README.md").read_text()
    assert f"not on its list: {off_list}" in text
    assert "SpectralMaskEnhancement" in text
    assert not (out / "custom.py").exists()
    open_model(out, "cpu", trust=True)
