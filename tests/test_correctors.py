"""Tests of steps that stay at a time."""

import pytest
import torch
from gaussian_target import SDE, OrthogonalNoise, marginal, score

from cmkt_plugin.diffusion.correctors import AnnealedLangevin

T = torch.full((256,), 0.4).double()


@pytest.mark.parametrize("snr", [0.2, 0.5])
def test_it_goes_to_the_distribution_of_its_time(snr):
    draw = OrthogonalNoise()
    wrong = torch.full((256, 1), 2.0).double()
    x = AnnealedLangevin(snr, steps=250)(SDE, score, wrong, T, draw)
    mean, variance = marginal(T[0])
    # Closed form of where steps of that length stay: too wide, by 1 / (1 -
    # snr^2) if all the variance is of the noise.
    wider = 1 / (1 - snr**2 * SDE.variance(T[0]) / variance)
    torch.testing.assert_close(x.mean(), mean, rtol=2e-3, atol=0)
    torch.testing.assert_close(
        x.var(correction=0), variance * wider, rtol=2e-3, atol=0
    )


def test_steps_are_counted():
    calls = []

    def counted(x, t):
        calls.append(t)
        return score(x, t)

    x = torch.zeros(256, 1).double()
    AnnealedLangevin(steps=3)(SDE, counted, x, T, OrthogonalNoise())
    assert len(calls) == 3


@pytest.mark.parametrize("options", [{"snr": 0}, {"steps": 0}])
def test_what_is_no_step_is_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        AnnealedLangevin(**options)
