"""Tests of the export: what stock SpeechBrain makes of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
import torch
import yaml
from speechbrain.utils.checkpoints import Checkpointer
from toy_backbones import FOLDER, KNOBS, build, resolved, speech

from cmkt_plugin.export import export
from cmkt_plugin.exported import load_exported

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
    folder.mkdir()
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


def test_loading_links_nothing_into_the_users_folder(exports):
    folder, _, _, _, made = exports
    waveforms = {name for name in KNOBS if (folder / f"{name}.wav").exists()}
    assert waveforms == set(KNOBS) - {"conv_tasnet", "sepformer"}
    assert made == {folder / "results.pt"} | {
        folder / f"{name}.wav" for name in waveforms
    }
    assert not [path for path in folder.rglob("*") if path.is_symlink()]


@pytest.mark.parametrize("name", KNOBS)
def test_one_call_for_every_interface(exports, name, tmp_path, monkeypatch):
    folder, batch, enhancers, _, _ = exports
    monkeypatch.chdir(tmp_path)
    exported = load_exported(folder / name / "export", {"device": "cpu"})
    assert exported.sample_rate == 16000
    with torch.no_grad():
        expected = enhancers[name](batch, torch.ones(2)).wav
    for lengths in (None, torch.ones(2)):
        wav = exported.enhance_batch(batch, lengths)
        assert torch.allclose(wav, expected, atol=1e-6)
        assert not wav.requires_grad
    parameters = sum(p.numel() for p in exported.model.mods.parameters())
    assert parameters == sum(p.numel() for p in enhancers[name].parameters())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", KNOBS)
def test_export_holds_nothing_of_ours_and_no_path(exports, name):
    out = exports[0] / name / "export"
    files = {path.name for path in out.iterdir()}
    assert {path for path in files if not path.endswith(".ckpt")} == {
        "README.md",
        "hyperparams.yaml",
    }
    text = (out / "hyperparams.yaml").read_text()
    for foreign in ("cmkt", "transformers", "/", "#", "!include", "!part"):
        assert foreign not in text.replace(" // ", " "), foreign
    assert str(exports[0]) not in (out / "README.md").read_text()


@pytest.mark.parametrize("metric", ["pesq", "estoi"])
def test_best_checkpoint_is_exported_not_the_last(tmp_path, metric):
    make_run(tmp_path / "run", "blstm", (1.0, 3.0, 2.0), metric)
    best = Checkpointer(tmp_path / "run" / "save").find_checkpoint(
        max_key=metric
    )
    assert best.meta[metric] == 3.0
    weights = torch.load(best.paramfiles["enhancer"])
    out = export(tmp_path / "run", tmp_path / "out")
    exported = load_exported(out, {"device": "cpu"}).model.mods
    loaded = exported["enhance_model"].state_dict()
    assert loaded.keys() == weights.keys()
    assert all(torch.equal(loaded[key], weights[key]) for key in weights)


def test_latest_checkpoint_where_none_has_a_score(tmp_path):
    enhancer = make_run(tmp_path / "run", "blstm", scores=(None,))
    out = export(tmp_path / "run", tmp_path / "out")
    wav = load_exported(out, {"device": "cpu"}).enhance_batch(speech(1, 4000))
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
    load_exported(out, {"device": "cpu"})
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
    with pytest.raises(ValueError, match="'mine.Sigmoid'"):
        export(run, tmp_path / "out")
    unknown = resolved("blstm").replace("SpectralMask", "Unknown")
    (run / "hyperparams.yaml").write_text(unknown)
    with pytest.raises(ValueError, match="enhancer 'Unknown'"):
        export(run, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_only_exports_are_loaded(tmp_path):
    for wrong in (tmp_path, Path("speechbrain/metricgan-plus-voicebank")):
        with pytest.raises(FileNotFoundError, match="not an exported model"):
            load_exported(wrong)


def test_readme_has_the_lines_that_load_it(exports):
    readme = (exports[0] / "blstm" / "export" / "README.md").read_text()
    assert "SpectralMaskEnhancement.from_hparams" in readme
    hyperparams = exports[0] / "blstm" / "export" / "hyperparams.yaml"
    interface = yaml.compose(hyperparams.read_text()).value[0][1].value
    assert interface.rpartition(".")[0] in readme
