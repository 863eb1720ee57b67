"""Recipes on clean speech: mixtures through training, test and resuming."""

import contextlib
import importlib
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import speechbrain as sb
import tiny_aishell
import torch
from hyperpyyaml import load_hyperpyyaml
from ruamel.yaml import YAML

from cmkt_plugin import recipe
from cmkt_plugin.experiment import fit, make_brain, make_datasets

RECIPES = tiny_aishell.RECIPE.parent


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return tiny_aishell.make_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    return tiny_aishell.make_noise(tmp_path_factory.mktemp("noise"))


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    return tiny_aishell.make_teacher(tmp_path_factory.mktemp("lm") / "bert")


def make_librispeech(folder):
    """Write the three splits: two speakers each, capitals."""
    rng = np.random.default_rng(2)
    splits = ("train-clean-100", "dev-clean", "test-clean")
    for number, split in enumerate(splits):
        for speaker in (10 * number + 1, 10 * number + 2):
            chapter = folder / split / str(speaker) / "7"
            chapter.mkdir(parents=True)
            lines = []
            for utterance in range(4):
                name = f"{speaker}-7-{utterance:04d}"
                speech = 0.1 * rng.standard_normal(9600 + 800 * utterance)
                sf.write(chapter / f"{name}.flac", speech, 16000)
                lines.append(f"{name} PLEASE CALL STELLA")
            text = chapter / f"{speaker}-7.trans.txt"
            text.write_text("\n".join(lines) + "\n")
    return folder


def make_rirs(folder):
    """Write rooms: a direct sound and a decaying tail."""
    folder.mkdir()
    rng = np.random.default_rng(3)
    for number in range(24):
        tail = rng.standard_normal(3200) * np.exp(-np.arange(3200) / 500)
        response = np.concatenate([[1.0], 0.1 * tail])
        sf.write(folder / f"room_{number}.wav", response, 16000)
    return folder


def test_the_users_command_trains_tests_and_exports(
    corpus, noise, teacher, tmp_path
):
    out = tmp_path / "run"
    arguments = tiny_aishell.flags(
        corpus, noise, out, teacher, number_of_epochs=1
    )
    tiny_aishell.run("cmkt.yaml", arguments)
    summary = json.loads((out / "test_summary.json").read_text())
    assert summary["count"]["si_sdr"] == 4
    # Characters, not the words or bytes of the sentences.
    characters = set("".join(tiny_aishell.SENTENCES)) - {" "}
    assert summary["valid"]["retrieval_pool"] == len(characters)
    assert (out / "export" / "hyperparams.yaml").exists()
    manifest = json.loads((out / "save" / "test.json").read_text())
    for entry in manifest.values():
        assert entry["clean_wav"].startswith("{data_root}/")
        assert entry["mixture"]["noise"].startswith("{noise_root}/")
    valid = json.loads((out / "save" / "valid.json").read_text())
    tested = {entry["mixture"]["noise"] for entry in manifest.values()}
    assert not tested & {e["mixture"]["noise"] for e in valid.values()}
    published = tmp_path / "published.json"
    published.write_text(json.dumps(dict(list(manifest.items())[:2])))
    again = tiny_aishell.flags(
        corpus,
        noise,
        tmp_path / "other",
        number_of_epochs=1,
        seed=7,
        test_annotation=published,
    )
    tiny_aishell.run("baseline.yaml", again)
    summary = json.loads((tmp_path / "other/test_summary.json").read_text())
    assert summary["count"]["si_sdr"] == 2
    one, two = (
        (folder / "noisy_scores.csv").read_text().splitlines()
        for folder in (out, tmp_path / "other")
    )
    assert set(two) <= set(one)  # the same mixtures, whatever the seed


def test_librispeech_with_babble_rooms_speed_and_level(
    noise, tiny_bert, tmp_path
):
    corpus = make_librispeech(tmp_path / "LibriSpeech")
    rirs = make_rirs(tmp_path / "rirs")
    arguments = tiny_aishell.flags(
        corpus,
        noise,
        tmp_path / "run",
        tiny_bert,
        number_of_epochs=1,
        mixing=f"{{rir_folder: {rirs}, rir_probability: 0.5, "
        "babble_probability: 0.5, babble_talkers: [1, 1], "
        "speed: [0.95, 1.05], level: [-35, -15]}",
    )
    tiny_aishell.run("cmkt.yaml", arguments, recipe=RECIPES / "LibriSpeech")
    out = tmp_path / "run"
    assert (out / "export" / "hyperparams.yaml").exists()
    summary = json.loads((out / "test_summary.json").read_text())
    assert summary["count"]["si_sdr"] == 8
    text = (out / "save" / "test.json").read_text()
    mixtures = [e["mixture"] for e in json.loads(text).values()]
    valid = json.loads((out / "save" / "valid.json").read_text())
    rooms = {e["mixture"]["rir"] for e in valid.values()} - {None}
    assert rooms and not rooms & {m["rir"] for m in mixtures}
    assert any(m["talkers"] for m in mixtures)
    assert any(m["noise"] for m in mixtures)
    assert any(m["rir"] for m in mixtures)
    assert {m["speed"] for m in mixtures} == {1.0}
    assert str(tmp_path) not in text


class Killed(Exception):
    """Stands in for a kill signal."""


def prepared(corpus, noise, output_folder, workers):
    """Brain, datasets and YAML; as train.py, a checkpoint at second steps."""
    flags = tiny_aishell.flags(
        corpus,
        noise,
        output_folder,
        dataloader_options=f"{{num_workers: {workers}}}",
    )
    path, run_opts, overrides = sb.parse_arguments(
        [str(tiny_aishell.RECIPE / "hparams/baseline.yaml"), *flags]
    )
    with open(path, encoding="utf-8") as file:
        hparams = load_hyperpyyaml(file, overrides)
    Path(output_folder, "save").mkdir(parents=True, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tiny_aishell.RECIPE)
        prepare = importlib.import_module("aishell_prepare").prepare_aishell
        prepare(**recipe.arguments(prepare, hparams))
    recipe.write_manifests(hparams)
    options = {"device": "cpu", "noprogressbar": True, "ckpt_interval_steps": 2}
    return (
        make_brain(hparams, {**run_opts, **options}),
        make_datasets(hparams),
        hparams,
    )


def losses(brain, datasets, hparams, killed_at=None):
    """Train and return the loss of each step, up to the one it is killed at."""
    found, fit_batch = {}, brain.fit_batch

    def fit_until_killed(batch):
        if brain.optimizer_step == killed_at:
            raise Killed
        step = brain.optimizer_step
        found[step] = float(fit_batch(batch))
        return torch.tensor(found[step])

    brain.fit_batch = fit_until_killed
    with contextlib.suppress(Killed):
        fit(brain, datasets, hparams)
    return found


@pytest.mark.parametrize("workers", [0, 2])
def test_a_killed_run_resumes_with_the_same_mixtures(
    workers, corpus, noise, tmp_path
):
    """In the middle of the second epoch, after its checkpoint."""
    arguments = (corpus, noise, tmp_path / "killed", workers)
    whole = prepared(corpus, noise, tmp_path / "whole", workers)
    expected = losses(*whole)
    epoch = len(expected) // 2
    assert epoch >= 4 and len(expected) == 2 * epoch
    killed = losses(*prepared(*arguments), epoch + 3)
    assert killed == {n: expected[n] for n in range(epoch + 3)}
    resumed = prepared(*arguments)
    again = losses(*resumed)
    # Step epoch + 2 was done and lost: its mixtures come once more.
    assert again == {n: expected[n] for n in range(epoch + 2, 2 * epoch)}
    one, two = (
        run[0].modules.enhancer.state_dict() for run in (whole, resumed)
    )
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_every_epoch_has_its_own_mixtures(corpus, noise, tmp_path):
    brain, datasets, _ = prepared(corpus, noise, tmp_path / "run", workers=0)
    brain.on_fit_start()
    heard = []
    for epoch in (2, 3, 2):
        brain.on_stage_start(sb.Stage.TRAIN, epoch)
        heard.append(datasets["train"][0]["noisy_sig"])
    assert torch.equal(heard[0], heard[2])
    assert not torch.equal(heard[0], heard[1])


def test_testing_on_the_validation_set_leaves_it_as_it_is(
    corpus, noise, tmp_path
):
    arguments = tiny_aishell.flags(
        corpus,
        noise,
        tmp_path / "run",
        number_of_epochs=1,
        test_annotation="!ref <save_folder>/valid.json",
    )
    tiny_aishell.run("baseline.yaml", arguments)
    valid = json.loads((tmp_path / "run/save/valid.json").read_text())
    assert {entry["speaker"] for entry in valid.values()} == {"S0724"}
    summary = json.loads((tmp_path / "run/test_summary.json").read_text())
    assert summary["count"]["si_sdr"] == len(valid)


def test_recipes_share_what_is_not_the_corpus():
    """HyperPyYAML has no base file: the common part is kept equal here."""

    def tree(corpus, name):
        path = RECIPES / corpus / "hparams" / name
        return YAML().load(path.read_text("utf-8"))

    own = {
        *("data_folder", "noise_folder", "test_noise_folder", "test_noise"),
        *("mixing", "valid_speakers", "speakers", "unpack"),
        *("train_splits", "valid_splits", "test_splits"),
        *("teacher", "transcripts"),
    }
    for name in ("baseline.yaml", "cmkt.yaml"):
        first = tree("Voicebank", name)
        for corpus in ("AISHELL-1", "LibriSpeech"):
            other = tree(corpus, name)
            changed = {
                key
                for key in {*first, *other}
                if repr(first.get(key)) != repr(other.get(key))
            }
            assert changed <= own, changed
