"""A Gaussian clean signal, of which everything is known in closed form."""

import torch
from scipy.linalg import hadamard

from cmkt_plugin.diffusion.sde import OUVESDE, like

SDE = OUVESDE()
CENTRE, SPREAD, TARGET = 0.3, 0.2, 1.0  # of the clean one, and y


def marginal(t):
    """Mean and variance of x at times (batch,)."""
    decay = torch.exp(-SDE.stiffness * t)
    mean = decay * CENTRE + (1 - decay) * TARGET
    return mean, (decay * SPREAD) ** 2 + SDE.variance(t)


def score(x, t):
    """The exact score."""
    mean, variance = marginal(t)
    return (like(mean, x) - x) / like(variance, x)


class OrthogonalNoise:
    """Noise whose moments over the batch are exact, so that none is random.

    Everything here is linear in the noise: with draws that are orthogonal
    and of variance 1, mean and variance over the batch are the true ones.
    """

    def __init__(self, dtype=torch.float64):
        phase = 1 if dtype.is_floating_point else 0.6 + 0.8j
        self.columns = iter(phase * torch.from_numpy(hadamard(256)).T[1:])
        self.dtype = dtype

    def __call__(self, x):
        return next(self.columns).to(self.dtype)[:, None]


def error_at_the_end(sampler, dtype=torch.float64):
    """How far mean and deviation at t_eps are from the exact ones."""
    draw = OrthogonalNoise(dtype)
    times = sampler.steps(SDE).double()
    mean, variance = marginal(times)
    start = mean[0] + variance[0].sqrt() * draw(None)
    target = torch.full_like(start, TARGET)
    x = sampler(score, target, draw, start)
    deviation = (x - x.mean()).abs().square().mean().sqrt()
    off = (x.mean() - mean[-1]).abs() + (deviation - variance[-1].sqrt()).abs()
    return off.item()
