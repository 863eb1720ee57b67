"""Tests of the optimizer that keeps an average of the weights."""

from functools import partial

import pytest
import tiny_voicebank
import torch
from speechbrain.nnet.schedulers import update_learning_rate
from test_brain import Killed, equal

from cmkt_plugin.experiment import fit, make_brain, make_datasets
from cmkt_plugin.weight_average import WeightAverage


def layer():
    torch.manual_seed(0)
    return torch.nn.Linear(3, 2)


def average_of(module, decay=0.9, **options):
    adam = partial(torch.optim.Adam, lr=0.1, **options)
    return WeightAverage(module.parameters(), adam, decay)


def train(module, optimizer, steps, seed=0):
    """Fits noise; returns the weights after every step."""
    generator = torch.Generator().manual_seed(seed)
    weights = []
    for _ in range(steps):
        optimizer.zero_grad()
        module(torch.randn(4, 3, generator=generator)).square().sum().backward()
        optimizer.step()
        weights.append([p.detach().clone() for p in module.parameters()])
    return weights


def test_training_is_that_of_the_other_optimizer():
    module, plain = layer(), layer()
    train(module, average_of(module), 20)
    train(plain, torch.optim.Adam(plain.parameters(), lr=0.1), 20)
    assert equal(module, plain)


def test_average_is_the_recursion_with_its_ramp():
    module = layer()
    optimizer = average_of(module, decay=0.5)
    expected = [p.detach().clone() for p in module.parameters()]
    # 2/11, 3/12 ... until 0.5 is reached in step 8
    for step, weights in enumerate(train(module, optimizer, 12), start=1):
        decay = min(0.5, (1 + step) / (10 + step))
        expected = [
            decay * old + (1 - decay) * new
            for old, new in zip(expected, weights)
        ]
    optimizer.eval()
    for weight, wanted in zip(module.parameters(), expected):
        assert torch.allclose(weight, wanted, atol=1e-6)


def test_modes_may_be_set_twice_and_give_the_weights_back():
    module = layer()
    optimizer = average_of(module)
    (*_, weights) = train(module, optimizer, 5)
    optimizer.train()
    for mode in (optimizer.eval, optimizer.eval, optimizer.train):
        mode()
    assert all(map(torch.equal, module.parameters(), weights))


def test_average_is_not_trained():
    module = layer()
    optimizer = average_of(module)
    optimizer.eval()
    with pytest.raises(RuntimeError, match=r"train\(\) first"):
        optimizer.step()


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_saved_in_either_mode_it_goes_on_bit_by_bit(mode, tmp_path):
    module = layer()
    optimizer = average_of(module)
    train(module, optimizer, 5)
    getattr(optimizer, mode)()
    torch.save((module.state_dict(), optimizer.state_dict()), tmp_path / "x")
    optimizer.train()
    train(module, optimizer, 5, seed=1)

    resumed = torch.nn.Linear(3, 2)
    other = average_of(resumed)
    train(resumed, other, 2)
    other.eval()  # whatever it was before
    weights, state = torch.load(tmp_path / "x", weights_only=True)
    resumed.load_state_dict(weights)
    other.load_state_dict(state)
    other.train()
    train(resumed, other, 5, seed=1)
    assert equal(module, resumed)
    optimizer.eval(), other.eval()
    assert equal(module, resumed)


def test_learning_rate_reaches_the_other_optimizer():
    """Also after loading, which gives it new groups."""
    module = layer()
    optimizer = average_of(module)
    for _ in range(2):
        update_learning_rate(optimizer, 0.03)
        assert optimizer.optimizer.param_groups[0]["lr"] == 0.03
        optimizer.load_state_dict(average_of(layer()).state_dict())
        assert optimizer.optimizer.param_groups[0]["lr"] == 0.1


def test_scaled_gradients_that_are_infinite_change_nothing():
    """As in float16 on a GPU: the scaler leaves the step out."""
    module = layer()
    optimizer = average_of(module)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    before = [p.detach().clone() for p in module.parameters()]
    for values, steps in (([float("inf")], 0), ([1.0], 1)):
        optimizer.zero_grad()
        loss = module(torch.ones(1, 3)).sum() * torch.tensor(values)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        scaler.step(optimizer)
        scaler.update()
        assert optimizer.steps == steps
    plain = torch.optim.Adam([torch.nn.Parameter(before[1])], lr=0.1)
    plain.param_groups[0]["params"][0].grad = torch.ones(2)
    plain.step()
    assert torch.equal(module.bias, plain.param_groups[0]["params"][0])


def test_frozen_weights_are_not_kept_twice():
    module = layer()
    module.weight.requires_grad_(False)
    assert len(average_of(module).state_dict()["others"]) == 1


def test_state_of_another_model_is_refused():
    state = average_of(torch.nn.Linear(3, 5)).state_dict()
    with pytest.raises(ValueError, match="another model"):
        average_of(layer()).load_state_dict(state)


@pytest.mark.parametrize("decay", [-0.1, 1.0, 2])
def test_decay_that_averages_nothing_is_refused(decay):
    with pytest.raises(ValueError, match=f"decay is {decay}"):
        average_of(layer(), decay)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    return tiny_voicebank.make_corpus(folder, utterances=2)


def make(corpus, output_folder):
    """Brain and the rest of a small run with averaged weights."""
    hparams, run_opts = tiny_voicebank.load(
        "baseline.yaml",
        tiny_voicebank.flags(
            corpus,
            output_folder,
            number_of_epochs=2,
            ckpt_interval_steps=1,
            backbone=tiny_voicebank.TINY_BACKBONE[:-1] + ", drop_rate: 0.0}",
        ),
    )
    hparams["opt_class"] = partial(
        WeightAverage, optimizer=hparams["opt_class"], decay=0.9
    )
    return make_brain(hparams, run_opts), make_datasets(hparams), hparams


def averaged(brain):
    """A copy of the average: what the last validation saw."""
    return {k: v.clone() for k, v in brain.modules.state_dict().items()}


def test_killed_run_goes_on_bit_by_bit(corpus, tmp_path, monkeypatch):
    """Killed in the second epoch; there are checkpoints of both modes."""
    whole, datasets, hparams = make(corpus, tmp_path / "whole")
    fit(whole, datasets, hparams)
    killed, datasets, hparams = make(corpus, tmp_path / "killed")
    fit_batch, last = killed.fit_batch, whole.optimizer_step - 1

    def fit_until_killed(batch):
        if killed.optimizer_step == last:
            raise Killed
        return fit_batch(batch)

    monkeypatch.setattr(killed, "fit_batch", fit_until_killed)
    with pytest.raises(Killed):
        fit(killed, datasets, hparams)
    resumed, datasets, hparams = make(corpus, tmp_path / "killed")
    fit(resumed, datasets, hparams)
    assert resumed.optimizer_step == whole.optimizer_step
    assert equal(whole.modules, resumed.modules)
    whole.optimizer.train(), resumed.optimizer.train()
    assert equal(whole.modules, resumed.modules)


def test_checkpoints_and_test_are_of_the_average(corpus, tmp_path):
    brain, datasets, hparams = make(corpus, tmp_path)
    fit(brain, datasets, hparams)
    average = averaged(brain)
    saved = brain.checkpointer.find_checkpoint().paramfiles["enhancer"]
    saved = torch.load(saved, weights_only=True)
    assert all(
        torch.equal(saved[name], average[f"enhancer.{name}"]) for name in saved
    )
    brain.optimizer.train()
    trained = averaged(brain)
    assert any(
        not torch.equal(saved[name], trained[f"enhancer.{name}"])
        for name in saved
    )
    # From whichever mode a test begins, it loads the average.
    brain.on_evaluate_start()
    loaded = averaged(brain)
    assert all(torch.equal(loaded[name], average[name]) for name in average)
    assert not brain.optimizer.training
