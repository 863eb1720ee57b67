"""Tests of score models as files: export, stock SpeechBrain, safe loading."""

import copy
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import soundfile
import tiny_voicebank
import torch
from speechbrain.inference.enhancement import SGMSEEnhancement
from test_export import make_run
from toy_backbones import COMPLEX_KNOBS, speech

from cmkt_plugin.experiment import fit, make_brain, make_datasets
from cmkt_plugin.exporting.export import export
from cmkt_plugin.inference import CMKTEnhancement
from cmkt_plugin.loading.adapters import adapter_of
from cmkt_plugin.loading.model_source import open_model, open_trusted

CPU = {"device": "cpu"}
TWO = torch.ones(2)
TOY = str(COMPLEX_KNOBS["sgmse"]).replace("'", "")
# transformers cannot be imported: nothing of the language model is needed.
STOCK = """
import sys
sys.modules["transformers"] = None
import torch
from speechbrain.inference.enhancement import SGMSEEnhancement
model = SGMSEEnhancement.from_hparams("export", run_opts={"device": "cpu"})
torch.save(
    [model.enhance_batch(torch.load("batch.pt")), model.enhance_file(sys.argv[1])],
    "results.pt",
)
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Folder with a run, its export, and what the run's model gives."""
    folder = tmp_path_factory.mktemp("sgmse")
    enhancer = make_run(folder / "run", "sgmse")
    assert enhancer(speech(2, 9001), TWO).wav.abs().max() > 1e-3
    export(folder / "run", folder / "export")
    return folder, enhancer


def change(exported, folder, edit):
    """A copy of the export with an edited ``hyperparams.yaml``."""
    folder.mkdir(exist_ok=True)
    for path in (exported[0] / "export").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    path = folder / "hyperparams.yaml"
    text = edit(path.read_text())
    assert text != path.read_text()
    path.write_text(text)
    return folder


def test_stock_speechbrain_gives_the_same_samples(exported):
    folder, enhancer = exported
    batch = speech(2, 9001)
    torch.save(batch, folder / "batch.pt")
    soundfile.write(folder / "noisy.wav", batch[0].numpy(), 16000, "FLOAT")
    subprocess.run(
        [sys.executable, "-c", STOCK, folder / "noisy.wav"],
        cwd=folder,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        check=True,
    )
    in_batch, of_file = torch.load(folder / "results.pt")
    expected = enhancer(batch, TWO).wav
    bound = 1e-5 * expected.abs().max().item()
    assert torch.allclose(in_batch, expected, atol=bound)
    assert torch.allclose(of_file, expected[0], atol=bound)


@pytest.mark.parametrize("load", [open_model, open_trusted])
def test_both_ways_of_loading_give_the_same_samples(exported, load):
    folder, enhancer = exported
    options = {"device": "cpu"} if load is open_model else {"run_opts": CPU}
    batch = speech(2, 9001)
    expected = enhancer(batch, TWO).wav
    for source in ("export", "run") if load is open_model else ("export",):
        model = load(folder / source, **options)
        assert torch.equal(model.enhance_batch(batch), expected)
        assert model.enhancer.hop_length == 31 and not model.streams
        assert not model.enhancer.training


def test_readme_says_what_must_be_installed(exported):
    text = (exported[0] / "export" / "README.md").read_text()
    assert "SGMSEEnhancement.from_hparams" in text
    assert "cmkt_plugin, which must be installed" in text
    assert "from_safe" in text and "need not be installed" not in text


@pytest.mark.parametrize(
    "old, new",
    [
        ("sampler_type: own", "sampler_type: ode"),
        (
            "sampler_type: own",
            "sampler_type: pc\n  predictor: euler_maruyama\n  corrector: none",
        ),
        ("N: 2", "N: 3"),
        ("window_type: hann", "window_type: sqrthann"),
    ],
)
def test_edited_yaml_gives_what_stock_speechbrain_gives(
    exported, tmp_path, old, new
):
    folder = change(exported, tmp_path, lambda text: text.replace(old, new))
    batch = speech(2, 3000)
    stock = SGMSEEnhancement.from_hparams(str(folder), run_opts=CPU)
    expected = stock.enhance_batch(batch)
    found = open_trusted(folder, CPU).enhance_batch(batch)
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-4)
    before = exported[1](batch, TWO).wav
    assert not torch.allclose(before, expected, rtol=0.01, atol=0.01)


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("own", "edm", "sampler_type is 'edm'.*pc, ode, own"),
        ("type: exponent", "type: log", "'transform_type' is 'log'"),
    ],
)
def test_what_cannot_be_run_is_named(exported, tmp_path, old, new, message):
    folder = change(exported, tmp_path, lambda text: text.replace(old, new))
    with pytest.raises(ValueError, match=message):
        open_trusted(folder, CPU)


def test_score_models_of_others_are_for_speechbrain():
    modules = torch.nn.ModuleDict({"score_model": torch.nn.Identity()})
    with pytest.raises(ValueError, match="is a Identity, expected.*SpeechBra"):
        adapter_of(modules, SimpleNamespace(sample_rate=16000))


def run_with(folder, edit):
    """A run whose resolved YAML is edited, and its export."""
    make_run(folder / "run", "sgmse")
    path = folder / "run" / "hyperparams.yaml"
    text = edit(path.read_text())
    assert text != path.read_text()
    path.write_text(text)
    return folder / "run"


def test_what_stock_speechbrain_has_no_place_for_is_exported_with_ours(
    tmp_path,
):
    """Another seed than that of ``ScoreModel.enhance``."""
    run = run_with(
        tmp_path, lambda text: text.replace("    seed: 0", "    seed: 1")
    )
    folder = export(run, tmp_path / "export")
    text = (folder / "hyperparams.yaml").read_text()
    assert text.startswith("interface: cmkt_plugin.inference.CMKTEnhancement")
    batch = speech(2, 3000)
    enhancer = open_model(run, "cpu").enhancer
    assert enhancer.seed == 1
    for model in (open_model(folder, "cpu"), open_trusted(folder, CPU)):
        assert torch.equal(model.enhance_batch(batch), enhancer(batch, TWO).wav)


def test_onnx_is_refused_in_a_sentence(exported, tmp_path):
    with pytest.raises(
        ValueError, match="^DiffusionEnhancer cannot be exported as ONNX"
    ):
        export(exported[0] / "run", tmp_path / "export", onnx=True)
    assert not (tmp_path / "export").exists()


def test_trying_a_stranger_s_model_takes_one_step_however_many_it_has(
    exported, tmp_path
):
    folder = tmp_path / "export"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        path = exported[0] / "export" / name
        (folder / name).write_bytes(path.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    sampler = config["enhancer"]["kwargs"]["score_model"]["kwargs"]["sampler"]
    sampler["kwargs"]["steps"]["kwargs"]["number"] = 10**9
    (folder / "config.json").write_text(json.dumps(config))
    model = CMKTEnhancement.from_safe(folder, run_opts=CPU)
    assert model.enhancer.steps.number == 10**9
    sampler["kwargs"]["steps"]["kwargs"]["number"] = 0
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="number is 0"):
        CMKTEnhancement.from_safe(folder, run_opts=CPU)


@pytest.mark.parametrize("solver, calls", [("euler", 2), ("heun", 3)])
def test_solvers_are_on_the_list_of_what_is_safe(
    exported, tmp_path, solver, calls
):
    (tmp_path / "model.safetensors").write_bytes(
        (exported[0] / "export" / "model.safetensors").read_bytes()
    )
    config = json.loads((exported[0] / "export" / "config.json").read_text())
    model = config["enhancer"]["kwargs"]["score_model"]["kwargs"]
    model["sampler"] = {
        "new": "cmkt_plugin.diffusion.samplers.ProbabilityFlowODE",
        "kwargs": {
            "sde": model["sde"],
            "steps": model["sampler"]["kwargs"]["steps"],
            "solver": {"name": f"cmkt_plugin.diffusion.ode_solvers.{solver}"},
        },
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    enhancer = CMKTEnhancement.from_safe(tmp_path, run_opts=CPU).enhancer
    called = []
    enhancer.score_model.network.register_forward_hook(
        lambda *call: called.append(call)
    )
    enhancer(speech(1, 3000), torch.ones(1))
    assert len(called) == calls


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    return tiny_voicebank.make_corpus(folder, utterances=2)


def test_recipe_trains_with_transfer_on_the_middle_of_the_network(
    corpus, tmp_path, tiny_bert
):
    arguments = tiny_voicebank.flags(
        corpus, tmp_path, tiny_bert, backbone=TOY, number_of_epochs=2
    )
    hparams, run_opts = tiny_voicebank.load("sgmse_cmkt.yaml", arguments)
    datasets = make_datasets(hparams)
    brain = make_brain(hparams, run_opts)
    untaught = copy.deepcopy(brain.modules.enhancer.state_dict())
    fit(brain, datasets, hparams)
    log = (tmp_path / "train_log.txt").read_text()
    for name in ("train score_matching", "train cosine", "valid si_sdr"):
        assert f"{name}: " in log
    # What is saved, tested and exported is the average of the weights.
    checkpoint = brain.checkpointer.find_checkpoint().paramfiles
    saved = torch.load(checkpoint["enhancer"], weights_only=True)
    brain.optimizer.train()
    trained = brain.modules.enhancer.state_dict()
    for name, weight in saved.items():
        assert not torch.equal(weight, untaught[name]), name
        assert not torch.equal(weight, trained[name]), name


def test_words_of_a_stretch_are_not_those_of_the_transcript(
    corpus, tmp_path, tiny_bert
):
    toy = TOY.replace("{", "{crop_frames: 16, ", 1)
    arguments = tiny_voicebank.flags(corpus, tmp_path, tiny_bert, backbone=toy)
    with pytest.raises(ValueError, match="16 frames.*set the backbone's crop"):
        tiny_voicebank.load("sgmse_cmkt.yaml", arguments)


def test_recipes_differ_only_in_the_transfer(corpus, tmp_path, tiny_bert):
    """An untaught model of one seed is the same in both."""
    weights = []
    for yaml, teacher in (("sgmse", None), ("sgmse_cmkt", tiny_bert)):
        hparams, _ = tiny_voicebank.load(
            f"{yaml}.yaml",
            tiny_voicebank.flags(
                corpus, tmp_path / yaml, teacher, backbone=TOY
            ),
        )
        weights.append(hparams["modules"]["enhancer"].state_dict())
        assert hparams["backbone"]["crop_frames"] is None
        assert hparams["lr"] == 0.0003 and hparams["valid_items"] == 20
    first, second = weights
    assert all(torch.equal(first[name], second[name]) for name in first)
