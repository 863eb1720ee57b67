"""AVSE: both stages through training, test, export and resuming."""

import json
import sys
from pathlib import Path

import pytest
import speechbrain as sb
import torch
from hyperpyyaml import load_hyperpyyaml, resolve_references
from ruamel.yaml import YAML

pytest.importorskip("av", reason="videos need the extra [av]")
pytest.importorskip("cv2", reason="videos need the extra [av]")

import tiny_avse
from tiny_avse import RECIPE, TINY_SCORE, flags

from cmkt_plugin import recipe
from cmkt_plugin.experiment import identify, make_brain, train_and_test
from cmkt_plugin.knobs import check_knobs
from cmkt_plugin.run_list import load_runs


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return tiny_avse.make_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def trained(corpus, tmp_path_factory, tiny_bert):
    """One epoch of the user's command: lips and language."""
    out = tmp_path_factory.mktemp("runs") / "cmkt"
    tiny_avse.run("cmkt.yaml", flags(corpus, out, tiny_bert))
    return out


def load(yaml, arguments):
    """The loaded YAML and what `train.py` has done by then."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(RECIPE)
        path, run_opts, overrides = sb.parse_arguments(
            [str(RECIPE / "hparams" / yaml), "--device=cpu", *arguments]
        )
        with open(path, encoding="utf-8") as file:
            hparams = load_hyperpyyaml(file, overrides)
    out = Path(hparams["output_folder"])
    (out / "save").mkdir(parents=True, exist_ok=True)
    with open(path, encoding="utf-8") as file:
        text = resolve_references(file, overrides).getvalue()
    (out / "hyperparams.yaml").write_text(text, encoding="utf-8")
    prepare = tiny_avse.module().prepare_avse
    prepare(**recipe.arguments(prepare, hparams), jobs=1)
    recipe.write_manifests(hparams)
    return hparams, {**run_opts, "noprogressbar": True}


def train(yaml, arguments):
    hparams, run_opts = load(yaml, arguments)
    train_and_test(hparams, run_opts)
    return json.loads(
        Path(hparams["output_folder"], "test_summary.json").read_text()
    )


def test_the_users_command_trains_tests_and_exports(corpus, trained):
    summary = json.loads((trained / "test_summary.json").read_text())
    assert summary["count"]["si_sdr"] == 3 and summary["epochs"] == 1
    assert "retrieval_top1" in summary["valid"]
    assert "spectrum" in summary["valid"] and "cosine" in summary["valid"]
    assert (trained / "export" / "enhancer.ckpt").exists()
    manifest = json.loads((trained / "save" / "test.json").read_text())
    for entry in manifest.values():
        assert entry["lips_file"].startswith("{data_root}/")
        assert entry["mixture"]["snr"] in (-10.0, -5.0, 0.0, 5.0)
    assert str(corpus) not in json.dumps(manifest)


def test_a_run_is_resumed_by_more_epochs(trained, corpus, tiny_bert):
    arguments = flags(corpus, trained, tiny_bert, number_of_epochs=2)
    summary = train("cmkt.yaml", arguments)
    log = (trained / "train_log.txt").read_text()
    assert summary["epochs"] == 2
    assert log.count("epoch: 1,") == log.count("epoch: 2,") == 1


def test_the_score_stage_keeps_its_first_stage(trained, corpus, tmp_path):
    arguments = flags(
        corpus,
        tmp_path / "score",
        predictive_run=trained,
        backbone=TINY_SCORE,
        lr=0.01,
    )
    summary = train("score.yaml", arguments)
    assert summary["count"]["si_sdr"] == 3
    assert "score_matching" in summary["valid"]
    first = torch.load(trained / "export" / "enhancer.ckpt")
    both = torch.load(tmp_path / "score" / "export" / "enhancer.ckpt")
    kept = {f"predictive.{name}": first[name] for name in first}
    assert kept and all(torch.equal(both[n], kept[n]) for n in kept)
    assert len(both) > len(kept)


WRONG_STAGE = {
    "no run": (TINY_SCORE, "nowhere", "nowhere/export/enhancer.ckpt"),
    "hop": (
        TINY_SCORE.replace("{width", "{hop_length: 256, width"),
        None,
        "transform.hop_length is 256, expected 128",
    ),
    "audio only": (
        TINY_SCORE.replace("{width", "{lip_encoder: null, width"),
        None,
        "the weight net.fusion.linear.bias has the shape None, expected",
    ),
}


@pytest.mark.parametrize("case", WRONG_STAGE)
def test_another_first_stage_is_refused(case, trained, corpus, tmp_path):
    backbone, run, answer = WRONG_STAGE[case]
    arguments = flags(
        corpus,
        tmp_path / "score",
        predictive_run=trained.parent / (run or trained.name),
        backbone=backbone,
    )
    hparams, run_opts = load("score.yaml", arguments)
    with pytest.raises((ValueError, FileNotFoundError), match=answer):
        make_brain(hparams, run_opts)


VAIN = {
    "no first stage": ("score.yaml", {"predictive_run": "no"}, "no/export/enh"),
    "no noise": ("audio_visual.yaml", {"noise_folder": "no"}, "no: expected a"),
    "no test noise": (
        "audio_visual.yaml",
        {"test_noise": "[0.999999, 1.0]"},
        "is in part",
    ),
}


@pytest.mark.parametrize("case", VAIN)
def test_nothing_is_prepared_in_vain(case, corpus, tmp_path, monkeypatch):
    yaml, wrong, answer = VAIN[case]
    backbone = TINY_SCORE if "predictive_run" in wrong else None
    sizes = {"backbone": backbone} if backbone else {}
    arguments = flags(corpus, tmp_path / "out", **sizes, **wrong)
    command = [str(RECIPE / "hparams" / yaml), "--device=cpu", *arguments]
    monkeypatch.setattr(sys, "argv", ["train.py", *command])
    monkeypatch.syspath_prepend(RECIPE)
    monkeypatch.setattr(sb, "create_experiment_directory", lambda **_: None)
    with pytest.raises((FileNotFoundError, ValueError), match=answer):
        recipe.run_recipe(lambda: pytest.fail("prepared"))


def test_audio_alone_reads_no_lips(corpus, tmp_path):
    hparams, run_opts = load("audio_only.yaml", flags(corpus, tmp_path))
    for path in (corpus / "prepared").glob("*.npz"):
        path.rename(path.with_suffix(".away"))
    try:
        train_and_test(hparams, run_opts)
    finally:
        for path in (corpus / "prepared").glob("*.away"):
            path.rename(path.with_suffix(".npz"))
    assert hparams["backbone"]["enhancer"].net.lip_encoder is None


def test_lips_reader_and_first_stage_tell_experiments_apart(tmp_path):
    def told(yaml, **overrides):
        values = {"video_folder": "v", "noise_folder": "n", **overrides}
        text = "\n".join(f"{key}: {value}" for key, value in values.items())
        return identify(str(RECIPE / "hparams" / yaml), text)

    own = told("audio_visual.yaml")
    for part, change in {
        "lips": {
            "test_lips": "!new:cmkt_plugin.visual.lip_control.NoLips",
        },
        "corpus or split": {"reader": "!new:avse_grid.GridFolder"},
    }.items():
        other = told("audio_visual.yaml", **change)
        assert [p for p in own if own[p] != other[p]] == [part]
    stages = [told("score.yaml", predictive_run=run) for run in ("a", "b")]
    differing = [p for p in stages[0] if stages[0][p] != stages[1][p]]
    assert differing == ["predictive stage"]
    voicebank = RECIPE.parent / "Voicebank" / "hparams" / "baseline.yaml"
    assert set(identify(str(voicebank), "data_folder: d")) == {
        "model",
        "data",
        "objective",
        "teacher or transfer",
    }


@pytest.mark.parametrize("name", ["comparison.yaml", "comparison_score.yaml"])
def test_the_cells_of_the_comparisons_are_what_they_are_called(name):
    runs = load_runs(RECIPE / name, ["--video_folder", "v"])
    cells = {cell.run: cell for cell in runs.cells}
    assert len(cells) == 5 and len(runs.cells) == 15
    for run, cell in cells.items():
        words = [w for w in cell.arguments()[1:] if w != "--noprogressbar"]
        hparams_file = str(RECIPE / cell.hparams)
        path, _, overrides = sb.parse_arguments([hparams_file, *words])
        check_knobs(path, overrides)
        with open(path, encoding="utf-8") as file:
            tree = YAML().load(resolve_references(file, overrides))
        control = "NoLips" if run == "audio_only" else "OwnLips"
        control = "ShuffledLips" if "shuffled_lips" in run else control
        tags = [str(node.tag) for node in tree["lip_control"].values()]
        assert all(tag.endswith(control) for tag in tags) and len(tags) == 3
        if "score" in run:
            first = f"results/comparison/{run.removesuffix('_score')}"
            assert tree["predictive_run"] == f"{first}/{cell.seed}"
            audio = tree["backbone"]["predictive"]["lip_encoder"] is None
            assert audio == (run == "audio_only_score")
            audio = tree["backbone"]["visual_width"] is None
            assert audio == (run == "audio_only_score")
        folder = tree["mixing"]["test"]["noise"]["folder"]
        assert folder.endswith("/v/noise/test")
