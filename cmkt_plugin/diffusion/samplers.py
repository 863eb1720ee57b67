"""Samplers: from noise around the target to a clean spectrogram."""

import torch

from cmkt_plugin.diffusion.ode_solvers import heun
from cmkt_plugin.diffusion.sde import like


class PredictorCorrector:
    """Corrects x at every time, then steps back to the next one.

    Song et al. 2021 (arXiv 2011.13456), algorithm 1, in the order of SGMSE+.
    The last step goes to time 0 and adds no noise.

    Arguments
    ---------
    sde : OUVESDE
        The forward process.
    predictor : callable
        A step back in time, see ``predictors.py``.
    corrector : callable
        A step at a time, see ``correctors.py``.
    steps : callable
        Times, see ``step_schedules.py``; ``steps.number`` may be set.
    denoise : bool
        False stops at the last of the times.

    Example
    -------
    >>> from cmkt_plugin.diffusion.correctors import NoCorrector
    >>> from cmkt_plugin.diffusion.predictors import DDIM
    >>> from cmkt_plugin.diffusion.sde import OUVESDE
    >>> from cmkt_plugin.diffusion.step_schedules import UniformSteps
    >>> sde, clean, target = OUVESDE(), torch.zeros(2, 9), torch.ones(2, 9)
    >>> def score(x, t):
    ...     mean = sde.mean(clean, target, t)
    ...     return (mean - x) / like(sde.variance(t), x)
    >>> steps = UniformSteps(4)
    >>> sampler = PredictorCorrector(sde, DDIM(), NoCorrector(), steps)
    >>> torch.allclose(sampler(score, target), clean, atol=1e-6)
    True
    """

    def __init__(self, sde, predictor, corrector, steps, denoise=True):
        self.sde = sde
        self.predictor, self.corrector = predictor, corrector
        self.steps, self.denoise = steps, denoise

    @torch.no_grad()
    def __call__(self, score, target, draw=torch.randn_like, start=None):
        """Samples.

        Arguments
        ---------
        score : callable
            ``score(x, t)``, of x (batch, ...) at times (batch,).
        target : torch.Tensor
            Where the drift goes (batch, ...), real or complex.
        draw : callable
            ``draw(x)`` gives noise like x, of variance 1.
        start : torch.Tensor or None
            x at T (batch, ...); None draws it from the prior.

        Returns
        -------
        torch.Tensor
            Samples (batch, ...).
        """
        x = mean = _start(self.sde, target, draw, start)
        for t, until in _pairs(self.steps(self.sde), target, self.denoise):
            x = self.corrector(self.sde, score, x, t, draw)
            mean, deviation = self.predictor(
                self.sde, score, x, target, t, until
            )
            if (until > 0).all():
                x = mean + like(deviation, x) * draw(x)
        return mean if self.denoise else x


class ProbabilityFlowODE:
    """Follows the probability flow; random is only where it starts.

    Song et al. 2021 (arXiv 2011.13456), equation 13. The last step takes the
    clean spectrogram expected at the last time.

    Arguments
    ---------
    sde : OUVESDE
        The forward process.
    steps : callable
        Times, see ``step_schedules.py``; ``steps.number`` may be set.
    solver : callable
        A step of it, see ``ode_solvers.py``.
    denoise : bool
        False stops at the last of the times.

    Example
    -------
    >>> from cmkt_plugin.diffusion.sde import OUVESDE
    >>> from cmkt_plugin.diffusion.step_schedules import UniformSteps
    >>> sampler = ProbabilityFlowODE(OUVESDE(), UniformSteps(8))
    >>> sampler(lambda x, t: -x, torch.ones(2, 9)).shape
    torch.Size([2, 9])
    """

    def __init__(self, sde, steps, solver=heun, denoise=True):
        self.sde, self.steps = sde, steps
        self.solver, self.denoise = solver, denoise

    @torch.no_grad()
    def __call__(self, score, target, draw=torch.randn_like, start=None):
        """Samples, as ``PredictorCorrector.__call__``."""

        def flow(x, t):
            variance = like(self.sde.diffusion(t) ** 2, x)
            return self.sde.drift(x, target, t) - variance / 2 * score(x, t)

        x = _start(self.sde, target, draw, start)
        for t, until in _pairs(self.steps(self.sde), target, self.denoise):
            if (until > 0).all():
                x = self.solver(flow, x, t, until)
            else:
                x = self.sde.denoised(x, target, t, score(x, t))
        return x


def _start(sde, target, draw, start):
    return sde.prior(target, draw(target)) if start is None else start


def _pairs(times, target, denoise):
    """Where each step starts and ends, for all items (batch,)."""
    times = times.to(target.device)
    ends = torch.cat([times[1:], times.new_zeros(int(denoise))])
    for t, until in zip(times, ends):
        yield t.expand(len(target)), until.expand(len(target))
