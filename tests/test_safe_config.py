"""Tests of loading what a stranger made: nothing of it runs."""

import copy
import importlib
import json
import pickle
import re

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file
from test_export import make_run
from toy_backbones import COMPLEX_KNOBS, FOLDER, KNOBS, speech

from cmkt_plugin.exporting.custom_module import object_names
from cmkt_plugin.exporting.export import export
from cmkt_plugin.inference import CMKTEnhancement
from cmkt_plugin.loading.allowed_classes import ALLOWED
from cmkt_plugin.loading.config_check import make_config, parse_config
from cmkt_plugin.loading.model_source import open_trusted
from cmkt_plugin.loading.safe_config import build
from cmkt_plugin.loading.yaml_nodes import children, compose

LINEAR = {"new": "torch.nn.Linear", "kwargs": {"in_features": 2}}
WINDOWS = {"sample_rate": 16000, "win_length": 32, "hop_length": 16}
FEATURES = "speechbrain.processing.features."


def mask_by(net):
    """The config of a mask of 257 bins."""
    parts = {
        "net": net,
        "stft": {"new": f"{FEATURES}STFT", "kwargs": {**WINDOWS, "n_fft": 512}},
        "istft": {"new": f"{FEATURES}ISTFT", "kwargs": dict(WINDOWS)},
    }
    adapter = {"new": "cmkt_plugin.enhancers.SpectralMask", "kwargs": parts}
    return make_config(16000, adapter)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """An export of the smallest backbone."""
    folder = tmp_path_factory.mktemp("safe")
    make_run(folder / "run", "gru")
    return export(folder / "run", folder / "export")


@pytest.fixture
def folder(exported, tmp_path):
    """The two files of an export, for a test to spoil."""
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((exported / name).read_bytes())
    return tmp_path


def change(folder, edit):
    """Rewrites a config; ``edit`` gets its contents."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    edit(config)
    path.write_text(json.dumps(config))


@pytest.mark.parametrize("name", [*KNOBS, *COMPLEX_KNOBS])
def test_every_class_of_a_shipped_backbone_is_on_the_list(name):
    backbone = compose(FOLDER / f"{name}.yaml")
    names = object_names(backbone)
    assert len(names) > 5 and names <= ALLOWED
    assert "enhancer" in children(backbone)


def test_every_name_on_the_list_is_a_class_under_that_name():
    for name in sorted(ALLOWED):
        module, _, attribute = name.rpartition(".")
        found = getattr(importlib.import_module(module), attribute)
        solver = module == "cmkt_plugin.diffusion.ode_solvers"
        assert isinstance(found, type) != solver, name
        assert attribute == found.__name__, name
        # What a sampler is made of has no weights.
        plain = name.startswith("cmkt_plugin.diffusion.")
        assert plain or issubclass(found, torch.nn.Module), name


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "builtins.eval",
        "builtins.exec",
        "torch.hub.load",
        "torch.load",
        "torch.nn.modules.module.torch.load",
        "torch.nn.Linear.__init__",
        "torch.nn",
        "torch.nn.Linear ",
        "torch.nn.DataParallel",
        "speechbrain.utils.superpowers.run_shell",
        "speechbrain.utils.superpowers.import_from_path",
        "speechbrain.lobes.models.dual_path.SBRNNBlock",
        "cmkt_plugin.enhancers.torch.load",
        "../../evil.Net",
        "custom.Net",
        "",
        None,
        5,
        ["torch.nn.Linear"],
        {"new": "torch.nn.Linear"},
    ],
)
@pytest.mark.parametrize("kind", ["new", "name"])
def test_other_names_are_refused_before_anything_is_imported(
    folder, name, kind, monkeypatch
):
    node = {kind: name, "args": ["touch evil"]}
    places = [
        lambda config: config.update(enhancer={**node, "new": name}),
        lambda config: config["enhancer"]["kwargs"].update(extra=node),
        lambda config: config["enhancer"]["kwargs"]["net"].update(args=[node]),
        lambda config: config["enhancer"]["kwargs"].update(x=[[{"y": node}]]),
        lambda config: config["enhancer"]["kwargs"].update(x={"tuple": [node]}),
        lambda config: config["enhancer"]["kwargs"].update(
            x={"name": "torch.nn.Linear", "kwargs": {"name": node}}
        ),
    ]
    original = (folder / "config.json").read_text()
    imported = []
    monkeypatch.setattr(importlib, "import_module", imported.append)
    for edit in places[kind == "name" :]:
        (folder / "config.json").write_text(original)
        change(folder, edit)
        with pytest.raises(ValueError, match="not on the list.*--trust"):
            CMKTEnhancement.from_safe(folder)
    assert not imported


@pytest.mark.parametrize(
    "config, message",
    [
        ("[]", r"format 1, found \[\]"),
        ('{"format": 2}', "found 2"),
        ('{"format": true}', "found True"),
        ('{"enhancer": 1}', "found None"),
        ("{", "is not what JSON may be"),
        ("[" * 100_000, "is not what JSON may be"),
        ('{"format": 1, "format": 1}', "the key 'format' is there twice"),
        (
            '{"format": 1, "sample_rate": 16000, "enhancer": '
            '{"new": "torch.nn.ReLU", "new": "os.system"}}',
            "the key 'new' is there twice",
        ),
    ],
)
def test_files_that_are_no_config_are_refused(config, message):
    with pytest.raises(ValueError, match=message):
        parse_config(config)


@pytest.mark.parametrize(
    "fields, message",
    [
        ({"sample_rate": "16000"}, "sample_rate is '16000'"),
        ({"sample_rate": True}, "sample_rate is True"),
        ({"sample_rate": 0}, "sample_rate is 0, .* from 1000 to 384000"),
        ({"sample_rate": 10**30}, "sample_rate is 1000000"),
        ({"sample_rate": 16000.0}, "sample_rate is 16000.0"),
        (
            {"enhancer": {"new": "torch.nn.Linear", "args": [4, 4]}},
            "the enhancer is a torch.nn.Linear, expected one of .*Mapping",
        ),
        ({"enhancer": "torch.nn.ReLU"}, "expected an object with the key"),
        ({"enhancer": {"name": "torch.nn.ReLU"}}, 'the key "new"'),
        ({"code": "import os"}, "the file has the key 'code'"),
        ({"enhancer": {**LINEAR, "apply": "x"}}, "the key 'apply'"),
        ({"enhancer": {**LINEAR, "name": "torch.nn.ReLU"}}, "the key 'name'"),
        ({"enhancer": {**LINEAR, "args": "ab"}}, "has args 'ab'"),
        ({"enhancer": {**LINEAR, "kwargs": [1]}}, r"kwargs \[1\]"),
        (mask_by(LINEAR), "TypeError.*out_features"),
        (
            {
                "enhancer": {
                    "new": "torch.nn.Sequential",
                    "args": [{"tuple": 3}],
                }
            },
            "has args 3",
        ),
    ],
)
def test_fields_of_the_wrong_kind_are_refused(fields, message):
    config = {**make_config(16000, LINEAR), **fields}
    with pytest.raises(ValueError, match=f"config.json: .*{message}"):
        build(config)


def test_arguments_may_be_called_like_the_keys_of_a_node():
    for key in ("name", "new", "tuple"):
        named = {"new": "torch.nn.Linear", "kwargs": {key: 1}}
        with pytest.raises(ValueError, match=f"keyword argument '{key}'"):
            build(mask_by(named))


def test_tuples_and_classes_with_arguments_to_come_are_built():
    size = {"kernel_size": {"tuple": [3, 5]}, "padding": {"tuple": [1, 2]}}
    pool = {"new": "torch.nn.MaxPool2d", "kwargs": {**size, "stride": 1}}
    assert build(mask_by(pool)).net.kernel_size == (3, 5)
    net = {
        "new": "speechbrain.nnet.containers.Sequential",
        "kwargs": {
            "input_shape": [None, None, 257],
            "linear": {
                "name": "speechbrain.nnet.linear.Linear",
                "kwargs": {"n_neurons": 257},
            },
        },
    }
    before = torch.random.get_rng_state()
    built = build(mask_by(net)).net
    assert built.linear.w.weight.shape == (257, 257) and not built.training
    assert torch.equal(torch.random.get_rng_state(), before)


class Payload:
    """What a pickle can do: run a function when it is read."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return open, (str(self.marker), "w")


def test_a_pickle_payload_is_not_read(folder, tmp_path):
    marker = tmp_path / "fired"
    torch.save({"x": Payload(marker)}, tmp_path / "enhance_model.ckpt")
    torch.load(tmp_path / "enhance_model.ckpt", weights_only=False)
    assert marker.exists()  # the payload does fire where pickles are trusted
    marker.unlink()
    CMKTEnhancement.from_safe(folder)  # with the payload beside it
    for write in (torch.save, lambda x, f: f.write_bytes(pickle.dumps(x))):
        write({"x": Payload(marker)}, folder / "model.safetensors")
        with pytest.raises(ValueError, match="not a whole safetensors file"):
            CMKTEnhancement.from_safe(folder)
    assert not marker.exists()


def test_a_yaml_that_runs_a_command_is_not_read(exported, tmp_path):
    """The same folder fires when it is trusted, so that this can fail."""
    marker, folder = tmp_path / "fired", tmp_path / "model"
    folder.mkdir()
    for path in exported.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    hyperparams = folder / "hyperparams.yaml"
    command = f"bad: !apply:os.system ['touch {marker}']\n"
    hyperparams.write_text(hyperparams.read_text() + command)
    custom = tmp_path / "custom_fired"
    (folder / "custom.py").write_text(f"open({str(custom)!r}, 'w').close()\n")
    CMKTEnhancement.from_safe(folder, run_opts={"device": "cpu"})
    assert not marker.exists() and not custom.exists()
    (folder / "config.json").unlink()
    with pytest.raises(FileNotFoundError, match="not exported for safe.*trust"):
        CMKTEnhancement.from_safe(folder)
    assert not marker.exists() and not custom.exists()
    open_trusted(folder, {"device": "cpu"})
    assert marker.exists() and custom.exists()


def test_weights_of_another_model_are_named(folder):
    path = folder / "model.safetensors"
    weights = load_file(path)
    first, second = sorted(weights)[:2]
    spoilt = {**weights, "stranger": torch.zeros(1)}
    del spoilt[first]
    spoilt[second] = torch.zeros(7)
    save_file(spoilt, path)
    message = (
        rf"of {len(weights)} weights 1 missing \({re.escape(first)}\); 1 "
        rf"unexpected \(stranger\); 1 of another shape \({re.escape(second)}\)"
    )
    with pytest.raises(ValueError, match=message):
        CMKTEnhancement.from_safe(folder)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match="not a whole safetensors file"):
        CMKTEnhancement.from_safe(folder)
    path.unlink()
    with pytest.raises(FileNotFoundError, match="has no model.safetensors"):
        CMKTEnhancement.from_safe(folder)


def test_a_config_that_is_no_text_is_refused(folder):
    (folder / "config.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(ValueError, match="config.json is no text"):
        CMKTEnhancement.from_safe(folder)


def test_settings_of_the_config_reach_the_model(folder):
    def halve(config):
        config["sample_rate"] = 8000
        for part in ("stft", "istft"):
            config["enhancer"]["kwargs"][part]["kwargs"]["sample_rate"] = 8000
            config["enhancer"]["kwargs"][part]["kwargs"]["n_fft"] = 512

    before = CMKTEnhancement.from_safe(folder, run_opts={"device": "cpu"})
    change(folder, halve)
    model = CMKTEnhancement.from_safe(folder, run_opts={"device": "cpu"})
    assert (before.sample_rate, model.sample_rate) == (16000, 8000)
    assert model.audio_normalizer.sample_rate == 8000
    noisy = speech(1, 8000)
    wavs = [m.enhance_batch(noisy) for m in (before, model)]
    assert not torch.allclose(*wavs, atol=1e-4)


def test_the_config_is_not_changed_by_building_it(exported):
    config = json.loads((exported / "config.json").read_text())
    before = copy.deepcopy(config)
    build(config)
    assert config == before and config["cmkt_plugin"]
    assert yaml.safe_load((exported / "config.json").read_text()) == config
