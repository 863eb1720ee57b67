"""Training: the baseline bit for bit, missing text, resuming, two processes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_voicebank
import torch

from cmkt_plugin.experiment import fit, make_brain, make_datasets

TESTS = Path(__file__).parent


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return tiny_voicebank.make_corpus(tmp_path_factory.mktemp("corpus"))


def make(yaml, *arguments, **options):
    """Brain, datasets and YAML of a recipe."""
    hparams, run_opts = tiny_voicebank.load(
        yaml, tiny_voicebank.flags(*arguments, **options)
    )
    datasets = make_datasets(hparams)
    return make_brain(hparams, run_opts), datasets, hparams


def trained(yaml, *arguments, **options):
    """The Brain of a recipe after training."""
    brain, datasets, hparams = make(yaml, *arguments, **options)
    fit(brain, datasets, hparams)
    return brain


def equal(one, other):
    """Whether two modules have the same weights to the last bit."""
    one, other = one.state_dict(), other.state_dict()
    return one.keys() == other.keys() and all(
        torch.equal(one[name], other[name]) for name in one
    )


def test_weight_zero_is_the_baseline_bit_for_bit(corpus, tmp_path, tiny_bert):
    """Over 20 steps and more, dropout on, validations in between."""

    def enhancer(name, *arguments, **options):
        brain = trained(
            f"{name}.yaml", corpus, *arguments, number_of_epochs=6, **options
        )
        assert brain.optimizer_step >= 20
        assert brain.hparams.backbone["drop_rate"] > 0
        return brain.modules.enhancer

    baseline = enhancer("baseline", tmp_path / "baseline")
    arguments = ("cmkt", tmp_path / "zero", tiny_bert)
    assert equal(baseline, enhancer(*arguments, transfer_weight=0.0))
    arguments = ("cmkt", tmp_path / "some", tiny_bert)
    assert not equal(baseline, enhancer(*arguments, transfer_weight=0.1))


def test_items_without_transcript_train_the_enhancement_only(
    corpus, tmp_path, tiny_bert
):
    silent = tmp_path / "silent"
    silent.mkdir()
    for folder in corpus.iterdir():
        if not folder.name.endswith("_txt"):
            (silent / folder.name).symlink_to(folder)
    cmkt = trained("cmkt.yaml", silent, tmp_path / "cmkt", tiny_bert)
    baseline = trained("baseline.yaml", silent, tmp_path / "baseline")
    assert equal(baseline.modules.enhancer, cmkt.modules.enhancer)
    assert cmkt.train_stats["cosine"] == 0.0


def test_no_transfer_and_no_text_at_test(corpus, tmp_path, tiny_bert):
    brain, datasets, _ = make("cmkt.yaml", corpus, tmp_path / "x", tiny_bert)
    assert "tokens" in datasets["train"].pipeline.output_mapping
    assert "tokens" not in datasets["test"].pipeline.output_mapping


def test_epoch_log_shows_terms_and_retrieval(corpus, tmp_path, tiny_bert):
    trained("cmkt.yaml", corpus, tmp_path / "x", tiny_bert)
    log = (tmp_path / "x" / "train_log.txt").read_text()
    for name in (
        "train log_magnitude",
        "train cosine",
        "train contrastive",
        "valid si_sdr",
        "valid retrieval_top1",
        "valid rolled_top5",
        "valid frequency_top1",
    ):
        assert f"{name}: " in log


class Killed(Exception):
    """Stands in for a kill signal."""


@pytest.mark.parametrize("yaml", ["baseline.yaml", "cmkt.yaml"])
def test_a_killed_run_resumes_within_the_epoch(
    yaml, corpus, tmp_path, tiny_bert, monkeypatch
):
    """Without dropout and shifts the resumed run is the uninterrupted one."""
    options = {
        "number_of_epochs": 2,
        "ckpt_interval_steps": 2,
        "backbone": tiny_voicebank.TINY_BACKBONE[:-1] + ", drop_rate: 0.0}",
    }
    arguments = [tiny_bert] if yaml == "cmkt.yaml" else []
    if arguments:
        options["transfer"] = (
            "{aligner: {dropout: 0.0}, shifted_alignment: {probability: 0.0}}"
        )
    whole = trained(yaml, corpus, tmp_path / "whole", *arguments, **options)
    killed, datasets, hparams = make(
        yaml, corpus, tmp_path / "killed", *arguments, **options
    )
    fit_batch = killed.fit_batch
    last_step = whole.optimizer_step - 1

    def fit_until_killed(batch):
        if killed.optimizer_step == last_step:
            raise Killed
        return fit_batch(batch)

    monkeypatch.setattr(killed, "fit_batch", fit_until_killed)
    with pytest.raises(Killed):
        fit(killed, datasets, hparams)
    resumed = trained(yaml, corpus, tmp_path / "killed", *arguments, **options)
    assert resumed.optimizer_step == whole.optimizer_step
    assert equal(whole.modules.enhancer, resumed.modules.enhancer)


def test_two_processes_end_with_equal_weights(corpus, tmp_path, tiny_bert):
    """torchrun, gloo; one of the batches has no transcript."""
    partly = tmp_path / "partly"
    shutil.copytree(corpus, partly)
    for text in (partly / "trainset_28spk_txt").glob("p302_*.txt"):
        text.unlink()
    arguments = tiny_voicebank.flags(
        partly, tmp_path / "ddp", tiny_bert, number_of_epochs=2
    )
    done = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run"),
            *("--standalone", "--nproc_per_node=2"),
            *(str(TESTS / "train_and_compare_ranks.py"), *arguments),
        ],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("ranks agree") == 2
