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
            x at the first time (batch, ...); None draws it from the prior.

        Returns
        -------
        torch.Tensor
            Samples (batch, ...).
        """
        times = self.steps(self.sde)
        x = _start(self.sde, target, times, draw, start)
        for t, until in _spans(times, target):
            x = self.corrector(self.sde, score, x, t, draw)
            mean, deviation = self._predict(score, x, target, t, until)
            x = mean + like(deviation, x) * draw(x)
        if not self.denoise:
            return x
        t = _all(times[-1], target)
        x = self.corrector(self.sde, score, x, t, draw)
        return self._predict(score, x, target, t, 0 * t)[0]

    def _predict(self, score, x, target, t, until):
        return self.predictor(self.sde, score, x, target, t, until)


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
        A step of it, see ``ode_solvers.py``; ``heun`` asks for two scores.
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

        times = self.steps(self.sde)
        x = _start(self.sde, target, times, draw, start)
        for t, until in _spans(times, target):
            x = self.solver(flow, x, t, until)
        if not self.denoise:
            return x
        t = _all(times[-1], target)
        return self.sde.denoised(x, target, t, score(x, t))


def _start(sde, target, times, draw, start):
    if start is not None:
        return start
    return sde.prior(target, draw(target), _all(times[0], target))


def _spans(times, target):
    """Where each step starts and ends, but the last, to 0."""
    for t, until in zip(times[:-1], times[1:]):
        yield _all(t, target), _all(until, target)


def _all(t, target):
    """A time for every item (batch,)."""
    return t.to(target.device).expand(len(target))
