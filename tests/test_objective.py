"""The weighted sum: names, schedules, shapes."""

import pytest
import torch
from speechbrain.nnet.losses import l1_loss, mse_loss

from cmkt_plugin.enhancers import Enhanced
from cmkt_plugin.losses import contrastive_alignment_loss, si_sdr_loss
from cmkt_plugin.objective import Objective
from cmkt_plugin.schedules import Linear


@pytest.mark.parametrize(
    "weights",
    [{"mse": 1.0, "l1": 1.0}, {}, {"msee": 1.0}],
)
def test_every_term_has_exactly_one_weight(weights):
    with pytest.raises(ValueError, match=r"\['mse'\].*exactly one weight"):
        Objective(weights, features={"mse": mse_loss})


def test_a_name_cannot_serve_twice():
    with pytest.raises(ValueError, match=r"named twice: \['l1'\]"):
        Objective({"l1": 1}, {"l1": l1_loss}, {"l1": l1_loss})


def test_a_term_named_like_a_score_is_refused():
    with pytest.raises(ValueError, match=r"\['si_sdr'\] are named like"):
        Objective({"si_sdr": 1.0}, waveform={"si_sdr": si_sdr_loss})


def test_an_unknown_group_is_refused():
    with pytest.raises(TypeError):
        Objective({"l1": 1}, feature={"l1": l1_loss})


def test_weights_follow_their_schedule():
    objective = Objective(
        {"a": Linear(1.0, 0.0, first=1, last=3), "b": 2.0},
        features={"a": mse_loss, "b": l1_loss},
    )
    terms = {"a": torch.tensor(1.0), "b": torch.tensor(1.0)}
    # Until an epoch is set, the first one's weights hold.
    assert objective.total(terms) == 3.0
    totals = []
    for epoch in (1, 2, 3, 4):
        objective.set_epoch(epoch)
        totals.append(objective.total(terms).item())
    assert totals == [3.0, 2.5, 2.0, 2.0]


def enhanced(seed, samples=1600):
    generator = torch.Generator().manual_seed(seed)
    return Enhanced(
        torch.randn(2, samples, generator=generator),
        torch.rand(2, 10, 5, generator=generator),
    )


def test_terms_see_what_their_group_compares_and_no_padding():
    objective = Objective(
        {"mse": 1.0, "distortion": 1.0},
        features={"mse": mse_loss},
        waveform={"distortion": si_sdr_loss},
    )
    lengths = torch.tensor([1.0, 0.5])
    prediction, target = enhanced(1), enhanced(2)
    terms = objective.enhancement(prediction, target, lengths)
    prediction.wav[1, 800:] = 9.0
    prediction.features[1, 5:] = 9.0
    again = objective.enhancement(prediction, target, lengths)
    assert set(terms) == {"mse", "distortion"}
    for name in terms:
        assert torch.allclose(terms[name], again[name])


def test_shapes_that_would_broadcast_are_refused():
    objective = Objective({"mse": 1.0}, features={"mse": mse_loss})
    prediction = Enhanced(None, torch.rand(2, 10, 1))
    with pytest.raises(ValueError, match="loss 'mse'"):
        objective.enhancement(prediction, enhanced(1), torch.ones(2))


def test_identities_reach_the_loss_that_takes_them():
    objective = Objective(
        {"contrastive": 1.0}, tokens={"contrastive": contrastive_alignment_loss}
    )
    z = torch.eye(3)[[0, 1, 0]].unsqueeze(0)
    ids = torch.tensor([[5, 6, 5]])
    terms = objective.transfer(z, z, torch.ones(1), ids)
    assert terms["contrastive"] < 1e-3
