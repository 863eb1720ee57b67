"""Steps back in time: each gives the mean and deviation of the next x."""

from cmkt_plugin.diffusion.sde import like


class ReverseDiffusion:
    """Euler-Maruyama step of the reverse SDE, the predictor of SGMSE+.

    Song et al. 2021 (arXiv 2011.13456), equation 6 and appendix E. A step
    longer than ``2 (sigma(t) / g(t))^2``, 0.26 at T, goes past the mean
    further than x was from it: for fewer than 8 steps take ``DDIM``.

    Example
    -------
    >>> import torch
    >>> from cmkt_plugin.diffusion.sde import OUVESDE
    >>> x, target = torch.zeros(2, 3), torch.ones(2, 3)
    >>> t, until = torch.full((2,), 0.5), torch.full((2,), 0.4)
    >>> mean, deviation = ReverseDiffusion()(
    ...     OUVESDE(), lambda x, t: 0 * x, x, target, t, until
    ... )
    >>> mean[0], deviation
    (tensor([-0.1500, -0.1500, -0.1500]), tensor([0.1073, 0.1073]))
    """

    def __call__(self, sde, score, x, target, t, until):
        """One step.

        Arguments
        ---------
        sde : OUVESDE
            The forward process.
        score : callable
            ``score(x, t)``.
        x, target : torch.Tensor
            (batch, ...), the first one at time ``t``.
        t, until : torch.Tensor
            Times (batch,): from, and back to.

        Returns
        -------
        tuple of torch.Tensor
            Mean of x at ``until`` (batch, ...) and its deviation (batch,).
        """
        step = t - until
        variance = sde.diffusion(t) ** 2 * step
        mean = x - like(step, x) * sde.drift(x, target, t)
        return mean + like(variance, x) * score(x, t), variance.sqrt()


# The two of the literature differ for equations that have a discretisation of
# their own, which this one has not.
EulerMaruyama = ReverseDiffusion


class DDIM:
    """Step with the exact mean and deviation for the clean one expected.

    Song, Meng and Ermon 2021 (arXiv 2010.02502), equation 12, for the
    marginals of ``OUVESDE``: what is expected to be clean goes forward again
    to the earlier time, with the noise that x has. However long a step, its
    only error is that of the clean one expected.

    Arguments
    ---------
    eta : float
        Share of fresh noise: 0 takes all of it from x (a solver of the
        probability flow), 1 draws from the exact posterior of x given the
        clean one.

    Raises
    ------
    ValueError
        If eta is not from 0 to 1.

    Example
    -------
    >>> import torch
    >>> from cmkt_plugin.diffusion.sde import OUVESDE
    >>> x, target = torch.zeros(2, 3), torch.ones(2, 3)
    >>> t, until = torch.full((2,), 0.5), torch.full((2,), 0.4)
    >>> mean, deviation = DDIM(eta=1)(
    ...     OUVESDE(), lambda x, t: 0 * x, x, target, t, until
    ... )
    >>> mean[0], deviation
    (tensor([-0.1618, -0.1618, -0.1618]), tensor([0.0704, 0.0704]))
    """

    def __init__(self, eta=0.0):
        if not 0 <= eta <= 1:
            raise ValueError(f"eta is {eta}, expected 0 to 1")
        self.eta = eta

    def __call__(self, sde, score, x, target, t, until):
        """One step, as ``ReverseDiffusion.__call__``."""
        clean = sde.denoised(x, target, t, score(x, t))
        fresh = self.eta**2 * self._posterior_variance(sde, t, until)
        kept = (sde.variance(until) - fresh).clamp(min=0) / sde.variance(t)
        noise = x - sde.mean(clean, target, t)
        mean = sde.mean(clean, target, until)
        return mean + like(kept.sqrt(), x) * noise, fresh.sqrt()

    def _posterior_variance(self, sde, t, until):
        """Variance of x at ``until``, given x at ``t`` and the clean one."""
        decay = sde.decay(2 * (t - until))
        ratio = sde.variance(until) / sde.variance(t)
        # Rounding must not leave a negative variance for a step of length 0.
        return sde.variance(until) * (1 - decay * ratio).clamp(min=0)
