"""Tests of the SDE against simulation, quadrature and its own derivatives."""

import math

import pytest
import torch
from scipy.integrate import quad

from cmkt_plugin.diffusion.sde import OUVESDE, like

SDE = OUVESDE()
TIMES = torch.tensor([0.001, SDE.t_eps, 0.2, 0.5, SDE.T], dtype=torch.double)


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
def test_mean_and_deviation_are_those_of_simulated_paths(dtype):
    torch.manual_seed(0)
    paths, steps = 10000, 200
    clean = torch.full((paths,), 0.8, dtype=dtype)
    target = torch.full((paths,), -0.4, dtype=dtype)
    x = clean
    for step in range(steps):
        t = torch.full((paths,), (step + 0.5) / steps).double()
        noise = torch.randn_like(x) / math.sqrt(steps)
        x = x + SDE.drift(x, target, t) / steps + SDE.diffusion(t) * noise
        if step + 1 in (steps // 4, steps // 2, steps):
            t = torch.tensor([(step + 1) / steps]).double()
            mean = SDE.mean(clean[:1], target[:1], t)
            deviation = SDE.deviation(t)
            found = (x - x.mean()).abs().square().mean().sqrt()
            assert (x.mean() - mean).abs() < 0.04 * deviation
            assert found == pytest.approx(deviation.item(), rel=0.02)


def test_the_variance_is_that_of_the_noise_added_and_decayed():
    for t, found in zip(TIMES.tolist(), SDE.variance(TIMES).tolist()):

        def share(s, t=t):
            diffusion = SDE.diffusion(torch.tensor(s).double()).item()
            return math.exp(-2 * SDE.stiffness * (t - s)) * diffusion**2

        assert found == pytest.approx(quad(share, 0, t)[0], rel=1e-6)


def test_moments_follow_their_differential_equations():
    t = TIMES.clone().requires_grad_()
    variance = SDE.variance(t)
    (slope,) = torch.autograd.grad(variance.sum(), t)
    expected = SDE.diffusion(t) ** 2 - 2 * SDE.stiffness * variance
    torch.testing.assert_close(slope, expected)

    clean, target = torch.randn(2, 5).double()
    mean = SDE.mean(clean, target, t)
    (slope,) = torch.autograd.grad(mean.sum(), t)
    torch.testing.assert_close(slope, SDE.drift(mean, target, t))


def test_the_diffusion_is_the_papers():
    # sigma_min (sigma_max / sigma_min)^t sqrt(2 log(sigma_max / sigma_min))
    ends = SDE.diffusion(torch.tensor([0.0, 1.0]))
    expected = torch.tensor([0.05, 0.5]) * math.sqrt(2 * math.log(10))
    torch.testing.assert_close(ends, expected)


def test_it_starts_at_the_clean_one_without_noise():
    clean, target, noise = torch.randn(3, 2, 4, 5, dtype=torch.complex64)
    begin = SDE.perturbed(clean, target, torch.zeros(2), noise)
    torch.testing.assert_close(begin, clean)


def test_the_prior_has_the_deviation_of_its_time():
    target, noise = torch.randn(2, 3, 4, dtype=torch.complex64)
    ends = torch.ones(3)
    spread = like(SDE.deviation(ends), noise) * noise
    torch.testing.assert_close(SDE.prior(target, noise), target + spread)
    torch.testing.assert_close(
        SDE.prior(target, noise, ends / 2) - target,
        like(SDE.deviation(ends / 2), noise) * noise,
    )


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
def test_the_score_of_one_clean_signal_gives_it_back(dtype):
    clean, target, noise = torch.randn(3, 5, 2, 7, dtype=dtype)
    x = SDE.perturbed(clean, target, TIMES, noise)
    score = -noise / like(SDE.deviation(TIMES), noise)
    torch.testing.assert_close(SDE.denoised(x, target, TIMES, score), clean)


def test_the_score_of_a_gaussian_gives_its_posterior_mean():
    x, target, centre = torch.randn(3, 5).double()
    decay, variance, own = SDE.decay(TIMES), SDE.variance(TIMES), 0.3**2
    total = decay**2 * own + variance
    mean = SDE.mean(centre, target, TIMES)
    found = SDE.denoised(x, target, TIMES, (mean - x) / total)
    expected = centre + decay * own / total * (x - mean)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    "options",
    [
        {"stiffness": -1},
        {"sigma_min": 0},
        {"sigma_max": 0.05},
        {"t_eps": 0},
        {"t_eps": 1},
    ],
)
def test_what_makes_no_such_equation_is_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        OUVESDE(**options)
