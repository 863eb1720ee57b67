"""Tests of the score network, of what it predicts, and of the score."""

import pytest
import torch

from cmkt_plugin.diffusion.correctors import AnnealedLangevin, NoCorrector
from cmkt_plugin.diffusion.parameterizations import (
    CleanPrediction,
    NoisePrediction,
    PreconditionedPrediction,
)
from cmkt_plugin.diffusion.predictors import DDIM, ReverseDiffusion
from cmkt_plugin.diffusion.samplers import (
    PredictorCorrector,
    ProbabilityFlowODE,
)
from cmkt_plugin.diffusion.score_model import ScoreModel
from cmkt_plugin.diffusion.score_network import ScoreUNet
from cmkt_plugin.diffusion.sde import OUVESDE, like
from cmkt_plugin.diffusion.step_schedules import PowerSteps, UniformSteps
from cmkt_plugin.diffusion.stock_samplers import stock_sampler

SDE = OUVESDE()
SPREAD = 0.3
PARAMETERIZATIONS = [
    NoisePrediction(),
    CleanPrediction(SPREAD),
    PreconditionedPrediction(SPREAD),
]
every_one = pytest.mark.parametrize(
    "parameterization", PARAMETERIZATIONS, ids=lambda p: type(p).__name__
)


def complex_noise(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.complex64, generator=generator)


def lively(module):
    """Weights that an untrained network, which gives zero, has not."""
    generator = torch.Generator().manual_seed(0)
    for parameter in module.parameters():
        parameter.data += 0.1 * torch.randn(
            parameter.shape, generator=generator
        )
    return module


def network(**options):
    sizes = {"model_channels": 8, "channel_mult": [1, 1, 1]}
    sizes["norm_num_groups"] = 2
    torch.manual_seed(0)
    return lively(ScoreUNet(bins=16, **{**sizes, **options}))


@pytest.mark.parametrize("bins, frames", [(16, 8), (13, 1), (17, 31)])
def test_any_number_of_bins_and_frames(bins, frames):
    x, y = complex_noise(2, 2, bins, frames)
    with torch.no_grad():
        out = network()(x, torch.tensor([0.03, 1.0]), [y])
    assert out.shape == x.shape and out.dtype == torch.complex64
    assert out.abs().min() > 0


def test_every_input_is_looked_at():
    x, y, estimate = complex_noise(3, 1, 16, 8)
    visual, t = torch.randn(1, 8, 5), torch.tensor([0.5])
    net = network(conditions=2, visual_width=5)
    inputs = {"x": x, "t": t, "y": y, "estimate": estimate, "visual": visual}

    def run(x, t, y, estimate, visual):
        with torch.no_grad():
            return net(x, t, [y, estimate], visual)

    before = run(**inputs)
    for name, value in inputs.items():
        for part in [1, 1j] if value.is_complex() else [1]:
            after = run(**{**inputs, name: value + 0.1 * part})
            assert not torch.allclose(before, after, atol=1e-5), (name, part)


def test_times_close_to_each_other_are_told_apart():
    x = complex_noise(1, 16, 8)
    with torch.no_grad():
        one, other = (network()(x, torch.tensor([t]), [x]) for t in (0.5, 0.51))
    assert (one - other).abs().max() > 1e-3 * one.abs().max()


def test_no_picture_is_a_picture_of_zeros():
    x, t = complex_noise(2, 16, 8), torch.ones(2)
    net, zeros = network(visual_width=5), torch.zeros(2, 8, 5)
    assert torch.equal(net(x, t, [x]), net(x, t, [x], zeros))
    assert net.visual_map(zeros).abs().max() == 0


def test_untrained_network_changes_nothing():
    x, t = complex_noise(2, 16, 8), torch.ones(2)
    net = ScoreUNet(bins=16, model_channels=8, channel_mult=[1, 2])
    assert net(x, t, [x]).abs().max() == 0


def test_wrong_number_of_conditions_is_named():
    x = complex_noise(1, 16, 8)
    with pytest.raises(ValueError, match="conditions: 1, found 2"):
        network()(x, torch.ones(1), [x, x])


def test_groups_of_one_channel_are_refused():
    """Normalized one by one, channels lose what the time adds to each."""
    with pytest.raises(ValueError, match="8 channels in norm_num_groups: 8"):
        network(norm_num_groups=8)
    assert network(norm_num_groups=4)


@pytest.mark.parametrize(
    "channels, blocks, millions",
    [(16, 1, 0.66), (16, 2, 0.94), (40, 2, 5.9), (88, 2, 28.5)],
)
def test_sizes_are_those_that_are_told(channels, blocks, millions):
    with torch.device("meta"):
        net = ScoreUNet(model_channels=channels, num_res_blocks=blocks)
    found = sum(p.numel() for p in net.parameters()) / 1e6
    assert found == pytest.approx(millions, rel=0.02)


@every_one
@pytest.mark.parametrize("time", [0.03, 0.2, 0.6, 1.0])
def test_right_output_gives_the_noise_that_was_drawn(parameterization, time):
    clean, noisy, noise = complex_noise(3, 4, 16, 8).to(torch.complex128)
    t = torch.full((4,), time, dtype=torch.float64)
    at = (SDE.perturbed(clean, noisy, t, noise), noisy, t, SDE)
    output = parameterization.wanted(clean, noise, *at)
    assert torch.allclose(parameterization.noise(output, *at), noise)


@every_one
def test_wanted_and_seen_are_of_one_size_at_all_times(parameterization):
    """Drawn of the spread that it was told."""
    noisy, noise, residual = complex_noise(3, 1, 100, 100)
    clean = noisy + SPREAD * residual
    for time in (0.03, 0.1, 0.3, 0.6, 1.0):
        t = torch.tensor([time])
        at = (SDE.perturbed(clean, noisy, t, noise), noisy, t, SDE)
        wanted = parameterization.wanted(clean, noise, *at)
        assert wanted.abs().square().mean() == pytest.approx(1, abs=0.05)
        if not isinstance(parameterization, NoisePrediction):
            seen = parameterization.scaled(*at)
            assert seen.abs().square().mean() == pytest.approx(1, abs=0.05)


def test_preconditioned_is_noise_early_and_clean_spectrum_late():
    clean, noisy, noise = complex_noise(3, 1, 16, 8)
    clean = noisy + SPREAD * clean
    sde = OUVESDE(sigma_max=50.0, t_eps=1e-4)
    for time, expected in ((1e-4, -noise), (1.0, (clean - noisy) / SPREAD)):
        t = torch.tensor([time])
        at = (sde.perturbed(clean, noisy, t, noise), noisy, t, sde)
        wanted = PARAMETERIZATIONS[2].wanted(clean, noise, *at)
        assert torch.allclose(wanted, expected, atol=0.05)


class BestGaussian(torch.nn.Module):
    """The network that knows a Gaussian: its mean difference to the noisy."""

    def __init__(self, parameterization):
        super().__init__()
        self.parameterization = parameterization

    def forward(self, scaled, t, spectra, visual):
        assert self.x is not None
        x, noisy = self.x, spectra[-1]
        kept = SDE.decay(t) * SPREAD
        total = like(kept**2 + SDE.variance(t), x)
        clean = noisy + like(kept * SPREAD, x) / total * (x - noisy)
        noise = like(SDE.deviation(t), x) / total * (x - noisy)
        return self.parameterization.wanted(clean, noise, x, noisy, t, SDE)


@every_one
def test_score_of_a_gaussian_is_the_exact_one(parameterization):
    """Clean is noisy plus a Gaussian: x - noisy is one of known variance."""
    x, noisy = complex_noise(2, 3, 16, 8)
    t = torch.tensor([0.03, 0.4, 1.0])
    net = BestGaussian(parameterization)
    net.x = x
    model = ScoreModel(net, SDE, None, parameterization)
    variance = (SDE.decay(t) * SPREAD) ** 2 + SDE.variance(t)
    expected = -(x - noisy) / like(variance, x)
    assert torch.allclose(model.score(x, t, [noisy]), expected, rtol=1e-3)


@every_one
def test_matching_pairs_output_and_what_it_should_be(parameterization):
    clean, noisy, noise = complex_noise(3, 2, 16, 8)
    t = torch.tensor([0.1, 0.9])
    model = ScoreModel(network(), SDE, None, parameterization)
    output, wanted = model.match(clean, [noisy], t=t, noise=noise)
    x = SDE.perturbed(clean, noisy, t, noise)
    at = (x, noisy, t, SDE)
    score = -parameterization.noise(output, *at) / like(SDE.deviation(t), x)
    assert torch.allclose(model.score(x, t, [noisy]), score, atol=1e-4)
    assert torch.allclose(parameterization.noise(wanted, *at), noise, atol=1e-4)


def test_last_of_the_conditions_is_where_the_drift_goes():
    noisy, estimate, noise = complex_noise(3, 1, 16, 8)
    sampler = PredictorCorrector(SDE, DDIM(), NoCorrector(), UniformSteps(1))
    net = ScoreUNet(
        bins=16, conditions=2, model_channels=8, channel_mult=[1, 1]
    )
    model = ScoreModel(net, SDE, sampler, CleanPrediction(SPREAD))
    # Untrained, it expects no difference to the target.
    found = model.sample([noisy, estimate], draw=lambda x: noise)
    assert torch.allclose(found, estimate, atol=1e-5)


@pytest.mark.parametrize(
    "names, expected",
    [
        ({}, (PredictorCorrector, ReverseDiffusion, AnnealedLangevin, 30)),
        (
            {"predictor": "euler_maruyama", "corrector": "none", "N": 2},
            (PredictorCorrector, ReverseDiffusion, NoCorrector, 2),
        ),
        ({"sampler_type": "ode", "N": 5}, (ProbabilityFlowODE, 5)),
        (
            {"sampler_type": "own", "N": 3},
            (PredictorCorrector, DDIM, NoCorrector, 3),
        ),
    ],
)
def test_stock_names(names, expected):
    own = PredictorCorrector(SDE, DDIM(), NoCorrector(), PowerSteps(9, 2))
    found = stock_sampler(own, **names)
    parts = [found]
    if isinstance(found, PredictorCorrector):
        parts += [found.predictor, found.corrector]
    types = tuple(type(part) for part in parts)
    assert (*types, found.steps.number) == expected
    assert own.steps.number == 9
    if "sampler_type" in names and names["sampler_type"] == "own":
        assert found.steps.exponent == 2


def test_stock_numbers_reach_the_corrector():
    own = ProbabilityFlowODE(SDE, UniformSteps(9))
    found = stock_sampler(own, corrector_steps=4, snr=0.1).corrector
    assert (found.steps, found.snr) == (4, 0.1)


def test_no_predictor_leaves_the_steps_to_the_corrector():
    own = ProbabilityFlowODE(SDE, UniformSteps(9))
    sampler = stock_sampler(own, predictor="none", corrector="none", N=3)
    target, noise = complex_noise(2, 1, 16, 8)
    start = SDE.prior(target, noise)
    found = sampler(lambda x, t: x, target, draw=lambda x: noise)
    assert torch.allclose(found, start)


@pytest.mark.parametrize(
    "names, message",
    [
        ({"sampler_type": "edm"}, "sampler_type is 'edm'.*pc, ode, own"),
        (
            {"predictor": "heun"},
            "predictor is 'heun'.*reverse_diffusion, euler_maruyama, none",
        ),
        ({"corrector": "langevin"}, "corrector is 'langevin'.*ald, none"),
    ],
)
def test_unknown_stock_names_are_refused_with_those_there_are(names, message):
    with pytest.raises(ValueError, match=message):
        stock_sampler(ProbabilityFlowODE(SDE, UniformSteps(9)), **names)
