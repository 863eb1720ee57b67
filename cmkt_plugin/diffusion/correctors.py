"""Steps that stay at a time and bring x closer to its distribution there."""

import math

from cmkt_plugin.diffusion.sde import like


class AnnealedLangevin:
    """Langevin steps whose size follows the noise, the corrector of SGMSE+.

    Song and Ermon 2019 (arXiv 1907.05600), algorithm 1, with the step
    ``2 (snr * sigma(t))^2`` of SGMSE+. Steps of that size leave the variance
    of the noise too large by ``1 / (1 - snr^2)``.

    Arguments
    ---------
    snr : float
        Size of a step, relative to the deviation of the noise.
    steps : int
        How many.

    Raises
    ------
    ValueError
        If there is no such step.

    Example
    -------
    >>> import torch
    >>> from cmkt_plugin.diffusion.sde import OUVESDE
    >>> x, t = torch.ones(2, 3), torch.ones(2)
    >>> score = lambda x, t: -x  # of a Gaussian of variance 1
    >>> draw = torch.zeros_like
    >>> AnnealedLangevin(snr=0.5)(OUVESDE(), score, x, t, draw)[0]
    tensor([0.9243, 0.9243, 0.9243])
    """

    def __init__(self, snr=0.5, steps=1):
        if snr <= 0 or steps < 1:
            raise ValueError(
                f"snr is {snr} and steps {steps}, expected a number above 0 "
                "and 1 or more; for no correction there is NoCorrector"
            )
        self.snr, self.steps = snr, steps

    def __call__(self, sde, score, x, t, draw):
        """Corrects x.

        Arguments
        ---------
        sde : OUVESDE
            The forward process.
        score : callable
            ``score(x, t)``.
        x : torch.Tensor
            (batch, ...), at time ``t``.
        t : torch.Tensor
            Times (batch,).
        draw : callable
            ``draw(x)`` gives noise like x, of variance 1.

        Returns
        -------
        torch.Tensor
            x (batch, ...).
        """
        size = like(2 * self.snr**2 * sde.variance(t), x)
        for _ in range(self.steps):
            x = x + size * score(x, t) + math.sqrt(2) * size.sqrt() * draw(x)
        return x


class NoCorrector:
    """Leaves x as it is.

    Example
    -------
    >>> NoCorrector()(sde=None, score=None, x=1.0, t=None, draw=None)
    1.0
    """

    def __call__(self, sde, score, x, t, draw):
        """x itself."""
        return x
