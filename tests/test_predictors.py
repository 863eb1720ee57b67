"""Tests of single steps back in time."""

import pytest
import torch
from gaussian_target import SDE, TARGET, marginal, score

from cmkt_plugin.diffusion.predictors import DDIM, ReverseDiffusion

T, UNTIL = torch.tensor([[0.6], [0.4]]).double()


def moments_after(predictor, until=UNTIL):
    """Mean and variance after a step from the exact marginal: it is affine."""
    mean, variance = marginal(T)
    ends = torch.stack([mean, mean + 1])  # (2, 1), a batch of two
    target = torch.full_like(ends, TARGET)
    found, deviation = predictor(
        SDE, score, ends, target, T.expand(2), until.expand(2)
    )
    slope = found[1] - found[0]
    return found[0], slope**2 * variance + deviation[0] ** 2


@pytest.mark.parametrize("predictor", [ReverseDiffusion(), DDIM(0), DDIM(1)])
def test_a_short_step_goes_along_the_marginals(predictor):
    for step in (1e-3, 1e-4):
        mean, variance = moments_after(predictor, T - step)
        expected = marginal(T - step)
        before = marginal(T)
        # All but a share of what the step has to change, falling with it.
        for found, wanted, was in zip((mean, variance), expected, before):
            assert (found - wanted).abs() < 5 * step * (was - wanted).abs()


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_ddim_is_exact_for_one_clean_signal_however_long_the_step(eta):
    clean, target, noise = torch.randn(3, 2, 5, dtype=torch.complex128)
    t, until = T.expand(2), torch.tensor([0.05, 0.0]).double()

    def of_one(x, t):
        return (SDE.mean(clean, target, t) - x) / SDE.variance(t)[:, None]

    x = SDE.perturbed(clean, target, t, noise)
    mean, deviation = DDIM(eta)(SDE, of_one, x, target, t, until)
    share = (mean - SDE.mean(clean, target, until)) / noise
    torch.testing.assert_close(
        share.abs() ** 2 + deviation[:, None] ** 2,
        SDE.variance(until)[:, None].expand(2, 5),
    )
    torch.testing.assert_close(mean[1], clean[1])


def test_ddim_draws_from_the_posterior_given_the_clean_signal():
    # Forward from `until` to t: x_t = a x_s + (1 - a) y + noise, so that by
    # Bayes the precisions add.
    decay = SDE.decay(T - UNTIL)
    added = SDE.variance(T) - decay**2 * SDE.variance(UNTIL)
    expected = 1 / (1 / SDE.variance(UNTIL) + decay**2 / added)
    x = torch.zeros(1, 3).double()
    step = (SDE, score, x, x, T, UNTIL)
    deviation = DDIM(eta=1)(*step)[1]
    torch.testing.assert_close(deviation**2, expected)
    torch.testing.assert_close(DDIM(eta=0.5)(*step)[1], deviation / 2)
    assert not DDIM(eta=0)(*step)[1].any()


@pytest.mark.parametrize("eta", [-0.1, 1.1])
def test_a_share_of_noise_that_cannot_be_is_refused(eta):
    with pytest.raises(ValueError, match="eta"):
        DDIM(eta)
