"""Tests of samplers with the exact score of a Gaussian."""

import pytest
import torch
from gaussian_target import SDE, TARGET, error_at_the_end, score

from cmkt_plugin.diffusion.correctors import AnnealedLangevin, NoCorrector
from cmkt_plugin.diffusion.ode_solvers import euler, heun
from cmkt_plugin.diffusion.predictors import DDIM, ReverseDiffusion
from cmkt_plugin.diffusion.samplers import (
    PredictorCorrector,
    ProbabilityFlowODE,
)
from cmkt_plugin.diffusion.sde import like
from cmkt_plugin.diffusion.step_schedules import PowerSteps, UniformSteps

SAMPLERS = {
    "reverse diffusion": lambda steps, **options: PredictorCorrector(
        SDE, ReverseDiffusion(), NoCorrector(), steps, **options
    ),
    "ddim": lambda steps, **options: PredictorCorrector(
        SDE, DDIM(), NoCorrector(), steps, **options
    ),
    "posterior": lambda steps, **options: PredictorCorrector(
        SDE, DDIM(eta=1), NoCorrector(), steps, **options
    ),
    "euler": lambda steps, **options: ProbabilityFlowODE(
        SDE, steps, euler, **options
    ),
    "heun": lambda steps, **options: ProbabilityFlowODE(
        SDE, steps, heun, **options
    ),
    "corrected": lambda steps, **options: PredictorCorrector(
        SDE, ReverseDiffusion(), AnnealedLangevin(), steps, **options
    ),
}
ORDERS = {
    "reverse diffusion": 1,
    "ddim": 1,
    "posterior": 1,
    "euler": 1,
    "heun": 2,
}
CALLS = {"heun": 11, "corrected": 12}  # of the score in 6 steps, others 6


@pytest.mark.parametrize("schedule", [UniformSteps, PowerSteps])
@pytest.mark.parametrize("name", ORDERS)
def test_errors_fall_by_the_order_with_the_number_of_steps(name, schedule):
    few, more, many = (
        error_at_the_end(SAMPLERS[name](schedule(number), denoise=False))
        for number in (17, 33, 65)
    )
    halves = 2 ** ORDERS[name]
    assert few / more == pytest.approx(halves, rel=0.1)
    assert more / many == pytest.approx(halves, rel=0.1)
    assert many < 0.02


def test_with_a_corrector_errors_fall_too():
    sampler = SAMPLERS["corrected"](UniformSteps(5), denoise=False)
    errors = []
    for sampler.steps.number in (5, 9, 17, 33, 65):
        errors.append(error_at_the_end(sampler))
    assert errors == sorted(errors, reverse=True) and errors[-1] < 0.005


@pytest.mark.parametrize("name", SAMPLERS)
def test_complex_signals_are_sampled_as_real_ones(name):
    sampler = SAMPLERS[name](PowerSteps(9), denoise=False)
    real = error_at_the_end(sampler)
    found = error_at_the_end(sampler, torch.complex128)
    assert found == pytest.approx(real, rel=1e-6)


@pytest.mark.parametrize("number", [1, 2, 6])
@pytest.mark.parametrize("name", SAMPLERS)
def test_a_seed_makes_the_noise_and_so_the_sample(name, number):
    target = torch.full((2, 3, 4), TARGET, dtype=torch.complex64)
    sampler = SAMPLERS[name](UniformSteps(30))
    sampler.steps.number = number

    def sample(seed):
        generator = torch.Generator().manual_seed(seed)

        def draw(x):
            return torch.randn(x.shape, dtype=x.dtype, generator=generator)

        return sampler(score, target, draw)

    assert sample(0).dtype == torch.complex64
    assert sample(0).isfinite().all()
    assert torch.equal(sample(0), sample(0))
    assert not torch.allclose(sample(0), sample(1))


@pytest.mark.parametrize("name", SAMPLERS)
def test_scores_are_asked_for_as_often_as_said(name):
    times = []

    def counted(x, t):
        times.append(t)
        return score(x, t)

    SAMPLERS[name](UniformSteps(6))(counted, torch.zeros(2, 3))
    assert len(times) == CALLS.get(name, 6)
    assert all(t.shape == (2,) for t in times)
    assert min(t.min() for t in times) >= SDE.t_eps  # networks know no less


@pytest.mark.parametrize("name", SAMPLERS)
def test_sampling_starts_with_the_noise_of_the_first_time(name):
    seen = []

    def remembered(x, t):
        seen.append((x, t))
        return score(x, t)

    target, noise = torch.randn(2, 2, 3)
    steps = PowerSteps(2, first=0.5)
    SAMPLERS[name](steps)(remembered, target, lambda x: noise)
    x, t = seen[0]
    assert torch.equal(t, torch.full((2,), 0.5))
    spread = like(SDE.deviation(t), noise) * noise
    torch.testing.assert_close(x, target + spread)


@pytest.mark.parametrize("name", ["ddim", "posterior", "euler", "heun"])
def test_a_single_step_gives_the_clean_signal_expected(name):
    start, target = torch.randn(2, 2, 3)
    found = SAMPLERS[name](UniformSteps(1))(score, target, start=start)
    t = torch.ones(2)
    expected = SDE.denoised(start, target, t, score(start, t))
    torch.testing.assert_close(found, expected)


def test_the_probability_flow_draws_its_start_alone():
    drawn = []

    def draw(x):
        drawn.append(x)
        return torch.ones_like(x)

    SAMPLERS["heun"](UniformSteps(5))(score, torch.zeros(2, 3), draw)
    assert len(drawn) == 1


def of_two_points(x, t):
    """The exact score of a clean signal that is 0.1 or -0.1, target 0."""
    mean, variance = 0.1 * SDE.decay(t)[:, None], SDE.variance(t)[:, None]
    return (mean * torch.tanh(mean * x / variance) - x) / variance


def test_four_steps_of_ddim_find_what_reverse_diffusion_does_not():
    torch.manual_seed(0)
    target = torch.zeros(4000, 1)

    def off(name):
        found = SAMPLERS[name](PowerSteps(4))(of_two_points, target)
        return (found.abs() - 0.1).abs().mean()

    assert off("ddim") < 0.003 and off("posterior") < 0.003
    assert off("reverse diffusion") > 0.01
