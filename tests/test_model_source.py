"""Tests of opening a model: runs, checkpoints, exports, hub names."""

from unittest.mock import Mock

import huggingface_hub
import pytest
import torch
from huggingface_hub import constants
from speechbrain.utils.checkpoints import Checkpointer
from test_export import make_run
from test_safe_config import Payload
from toy_backbones import KNOBS, speech

from cmkt_plugin.exporting.export import export
from cmkt_plugin.inference import CMKTEnhancement
from cmkt_plugin.loading.hub_snapshot import model_folder
from cmkt_plugin.loading.model_source import open_model
from cmkt_plugin.loading.run_checkpoint import load_checkpoint
from cmkt_plugin.loading.run_config import run_config


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run of each backbone, and its enhancer."""
    folder = tmp_path_factory.mktemp("runs")
    return folder, {name: make_run(folder / name, name) for name in KNOBS}


@pytest.fixture
def run(tmp_path):
    """A run to spoil."""
    make_run(tmp_path / "run", "gru")
    return tmp_path / "run"


def replace(run, old, new):
    """Changes a run's YAML; what is replaced must be there."""
    path = run / "hyperparams.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


@pytest.mark.parametrize("name", KNOBS)
@pytest.mark.parametrize("trust", [False, True])
def test_a_run_gives_the_samples_of_its_training(runs, name, trust):
    folder, enhancers = runs
    batch = speech(2, 9001)
    with torch.no_grad():
        expected = enhancers[name](batch, torch.ones(2)).wav
    model = open_model(folder / name, "cpu", trust=trust)
    assert type(model) is CMKTEnhancement and model.sample_rate == 16000
    wav = model.enhance_batch(batch)
    assert expected.abs().max() > 1e-3
    assert torch.allclose(wav, expected, atol=1e-6)
    assert not any(p.requires_grad for p in model.parameters())


def test_the_best_checkpoint_is_opened_or_the_one_that_is_named(tmp_path):
    run = tmp_path / "run"
    make_run(run, "gru", (1.0, 3.0, 2.0))
    checkpoints = Checkpointer(run / "save").list_checkpoints()
    by_score = {c.meta["pesq"]: c for c in checkpoints}
    for source, score in ((run, 3.0), (by_score[1.0].path, 1.0)):
        weights = torch.load(by_score[score].paramfiles["enhancer"])
        loaded = open_model(source, "cpu").enhancer.state_dict()
        assert all(torch.equal(loaded[key], weights[key]) for key in weights)


def test_nothing_is_written_into_a_run(run):
    before = sorted(run.rglob("*"))
    open_model(run, "cpu")
    assert sorted(run.rglob("*")) == before


def test_a_payload_in_a_checkpoint_is_not_run(run, tmp_path):
    marker = tmp_path / "fired"
    (path,) = run.glob("save/CKPT*/enhancer.ckpt")
    torch.save({"net": Payload(marker)}, path)
    torch.load(path, weights_only=False)
    assert marker.exists()  # it fires where pickles are trusted
    marker.unlink()
    for source in (run, path.parent):
        with pytest.raises(ValueError, match="enhancer.ckpt holds something"):
            open_model(source, "cpu")
    garbage = b"garbage that is no pickle"
    for damaged in (b"", path.read_bytes()[:300], b"PK\x03\x04", garbage):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="or is damaged"):
            open_model(run, "cpu")
    for other in ([1], {1: torch.zeros(1)}, {"a": 1}):
        torch.save(other, path)
        with pytest.raises(ValueError, match="no state dict.*by name"):
            open_model(run, "cpu")
    assert not marker.exists()


def test_nobody_is_told_to_run_what_a_checkpoint_holds(run, tmp_path):
    (path,) = run.glob("save/CKPT*/enhancer.ckpt")
    torch.save({"net": Payload(tmp_path / "fired")}, path)
    with pytest.raises(ValueError, match="or name another check") as error:
        open_model(run, "cpu")
    assert "weights_only" not in str(error.value)
    path.unlink()
    with pytest.raises(FileNotFoundError, match="enhancer.ckpt"):
        load_checkpoint(path)


@pytest.mark.parametrize("text", ["", "# nothing\n"])
@pytest.mark.parametrize("trust", [False, True])
def test_an_empty_yaml_is_called_empty(run, text, trust):
    (run / "hyperparams.yaml").write_text(text)
    with pytest.raises(ValueError, match="hyperparams.yaml is empty"):
        open_model(run, "cpu", trust)


def test_files_without_pickles_come_first(run, tmp_path, monkeypatch):
    """A stranger's folder may look like a run and a safe model at once."""
    out = export(run, tmp_path / "out")
    for name in ("config.json", "model.safetensors"):
        (run / name).write_bytes((out / name).read_bytes())
    (checkpoint,) = run.glob("save/CKPT*")
    with monkeypatch.context() as patch:
        unpickle = Mock(side_effect=AssertionError("a pickle was read"))
        patch.setattr(torch, "load", unpickle)
        for text in ((run / "hyperparams.yaml").read_text(), "[", ""):
            (run / "hyperparams.yaml").write_text(text)
            open_model(run, "cpu")
    (checkpoint / "enhancer.ckpt").unlink()
    assert open_model(run, "cpu").sample_rate == 16000
    (run / "model.safetensors").unlink()
    with pytest.raises(ValueError, match="is empty"):
        open_model(run, "cpu")


def test_a_run_is_called_a_run_where_an_export_is_expected(run):
    """Nobody who has the run needs to trust anyone."""
    said = "it is a run, expected an export. Either export it with 'cmkt exp"
    with pytest.raises(FileNotFoundError, match=said) as found:
        CMKTEnhancement.from_safe(run)
    assert f"open_model('{run}')" in str(found.value)
    assert "--trust" not in str(found.value)
    made = export(run, run / "export")
    with pytest.raises(FileNotFoundError, match=f"Either load {made}, or"):
        CMKTEnhancement.from_safe(run)
    assert CMKTEnhancement.from_safe(made).sample_rate == 16000
    assert open_model(run, "cpu").sample_rate == 16000


@pytest.mark.parametrize(
    "tag", ["!apply:os.system", "!!python/object/apply:os.system"]
)
def test_a_command_in_the_yaml_of_a_run_is_not_run(run, tmp_path, tag):
    marker = tmp_path / "fired"
    text = (run / "hyperparams.yaml").read_text()
    command = f"{tag} ['touch {marker}']"
    (run / "hyperparams.yaml").write_text(f"{text}beside: {command}\n")
    open_model(run, "cpu")  # not of the enhancer: never looked at
    replace(run, "    net: *", f"    extra: {command}\n    net: *")
    with pytest.raises(ValueError, match="os.system' in line .*--trust"):
        open_model(run, "cpu")
    assert not marker.exists()
    with pytest.raises((TypeError, ValueError)):  # an argument too many
        open_model(run, "cpu", trust=True)
    assert marker.exists()


def test_metadata_with_tags_is_refused(run, tmp_path):
    (meta,) = run.glob("save/CKPT*/CKPT.yaml")
    marker = tmp_path / "fired"
    command = f"!!python/object/apply:os.system ['touch {marker}']"
    for text in (f"pesq: {command}\n", "- 1\n", "pesq: [\n", "a: 1\n"):
        meta.write_text(text)
        with pytest.raises(ValueError, match="CKPT.yaml.*damaged"):
            open_model(run, "cpu")
    assert not marker.exists()


def test_classes_off_the_list_need_trust(run):
    name = "torch.nn.modules.activation.Sigmoid"
    replace(run, "torch.nn.Sigmoid", name)
    with pytest.raises(
        ValueError, match=f"hyperparams.yaml.*'{name}'.*--trust"
    ):
        open_model(run, "cpu")
    assert open_model(run, "cpu", trust=True).enhancer.net.act2


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("    net: *", "    net: 1\n    net: *", "'net' in line .* twice"),
        ("    net: *", "    5: 1\n    net: *", "the key '5'"),
        ("    net: *", "    x: {new: y}\n    net: *", "the enhancer has 'tag"),
        (
            "    net: *",
            "    x: !ref <y>\n    net: *",
            "the enhancer has '!ref'",
        ),
        ("  sample_rate: 16000 #", "  rate: 16000 #", "'sample_rate:'"),
        ("  enhancer: &id004", "  other: &id004", "with an 'enhancer:'"),
        ("!new:cmkt_plugin", "!cmkt_plugin", "the enhancer has '!cmkt"),
        ("modules:", "modules: [", "is no YAML that can be read"),
        ("modules:", "[1]: 2\nmodules:", "hyperparams.yaml, line .* a mapping"),
        ("modules:", "? {a: 1}\n: 2\nmodules:", "the key is a list or a"),
        ("  enhancer: &", "  [1]: 2\n  enhancer: &", "the key is a list"),
        ("best_metric: pesq", "best_metric: [1]", "best_metric is no name"),
    ],
)
def test_yaml_of_another_kind_is_refused(run, old, new, message):
    replace(run, old, new)
    with pytest.raises(ValueError, match=message):
        open_model(run, "cpu")


def test_aliases_of_aliases_and_of_themselves_are_refused(run):
    bomb = "    x: [&a0 [1]" + "".join(
        f", &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}]" for i in range(1, 30)
    )
    text = (run / "hyperparams.yaml").read_text()
    replace(run, "    net: *", bomb + "]\n    net: *")
    with pytest.raises(ValueError, match="more than 10000 nodes"):
        open_model(run, "cpu")
    (run / "hyperparams.yaml").write_text(text)
    replace(run, "    net: *", "    x: &x [*x]\n    net: *")
    with pytest.raises(ValueError, match="nested too deeply|10000 nodes"):
        open_model(run, "cpu")


def test_scalars_are_what_hyperpyyaml_makes_of_them(tmp_path):
    path = tmp_path / "hyperparams.yaml"
    values = "1e-3 010 on null '5' (3,4) .5 True -1 \"(3)\" relu".split()
    values += ["!name:c.D", "!new:e.F"]
    path.write_text(
        "backbone:\n  sample_rate: 8000\n  enhancer: !new:a.B\n"
        + "".join(f"  - {value}\n" for value in values)
    )
    config = run_config(path)
    assert config["sample_rate"] == 8000
    expected = [0.001, 10, "on", None, "5", {"tuple": [3, 4]}, 0.5, True, -1]
    expected += ["(3)", "relu", {"name": "c.D"}, {"new": "e.F"}]
    assert config["enhancer"] == {"new": "a.B", "args": expected}


def test_only_our_mapping_has_its_features_left_out(tmp_path):
    path = tmp_path / "hyperparams.yaml"
    for name, kwargs in (
        ("cmkt_plugin.enhancers.WaveformMapping", {"a": 1, "features": None}),
        ("mine.WaveformMapping", {"a": 1}),
    ):
        path.write_text(
            "backbone:\n  sample_rate: 8000\n"
            f"  enhancer: !new:{name}\n    a: 1\n"
        )
        assert run_config(path)["enhancer"] == {"new": name, "kwargs": kwargs}


@pytest.mark.parametrize(
    "source",
    ["nowhere", "a/b/c", "/nowhere/at/all", "https://x.y/z", ""]
    + ["../nope", "./nope", "nope/..", "nope/.", "../.."],
)
def test_what_is_no_model_lists_the_kinds(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError) as error:
        open_model(source)
    for kind in ("training", "CKPT", "'cmkt export'", "user/name"):
        assert kind in str(error.value)


def test_folders_and_files_that_are_no_model_are_refused(run, tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(FileNotFoundError, match="notes.txt is a file"):
        open_model(tmp_path / "notes.txt")
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileNotFoundError, match="folder holds no model"):
        open_model(tmp_path / "folder")
    (checkpoint,) = run.glob("save/CKPT*")
    (checkpoint / "enhancer.ckpt").unlink()
    with pytest.raises(FileNotFoundError, match="no checkpoint with"):
        open_model(run)
    with pytest.raises(FileNotFoundError, match="enhancer.ckpt is missing"):
        open_model(checkpoint)


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "cpu:x"])
def test_a_device_that_is_not_there_is_named(run, device):
    with pytest.raises(ValueError, match=f"no device '{device}' here, try"):
        open_model(run, device)


def test_a_hub_name_is_fetched_for_what_is_read(run, tmp_path, monkeypatch):
    asked = []

    def fetch(name, **options):
        asked.append((name, options))
        return str(exported)

    exported = export(run, tmp_path / "export")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    safe = open_model("user/name", "cpu", False, tmp_path / "here", "v1")
    trusted = open_model("user/name", "cpu", trust=True)
    wavs = [m.enhance_batch(speech(1, 4000)) for m in (safe, trusted)]
    assert torch.allclose(*wavs, atol=1e-6)
    (name, first), (_, second) = asked
    assert name == "user/name" and first["revision"] == "v1"
    assert first["local_dir"] == tmp_path / "here"
    assert first["allow_patterns"] == ["config.json", "model.safetensors"]
    assert second["allow_patterns"] is None
    (exported / "config.json").unlink()
    with pytest.raises(FileNotFoundError, match="user/name.*not exported"):
        open_model("user/name", "cpu")


def test_without_a_network_the_error_names_the_model(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    reason = "'user/name' is no folder here.*cannot be reached and is not in"
    with pytest.raises(FileNotFoundError, match=reason):
        open_model("user/name", "cpu")
    with pytest.raises(FileNotFoundError, match="no valid name"):
        model_folder("user/..name")
