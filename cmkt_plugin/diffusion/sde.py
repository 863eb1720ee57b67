"""The stochastic differential equation of SGMSE+.

Richter et al. 2023, "Speech Enhancement and Dereverberation with Diffusion-
based Generative Models" (arXiv 2208.05830), whose symbols are the comments on
the right: ``x_0`` is the clean spectrogram, ``y`` what the drift goes to, the
noisy spectrogram or a first estimate of the clean one.
"""

import math

import torch


def like(values, x):
    """A value for each item of a batch, in a shape to multiply the items by.

    Arguments
    ---------
    values : torch.Tensor
        (batch,).
    x : torch.Tensor
        (batch, ...).

    Returns
    -------
    torch.Tensor
        The values (batch, 1, ...).

    Example
    -------
    >>> like(torch.ones(2), torch.zeros(2, 256, 100)).shape
    torch.Size([2, 1, 1])
    """
    return values.reshape(-1, *[1] * (x.ndim - 1))


class OUVESDE:
    """Ornstein-Uhlenbeck SDE with an exploding variance.

    ``dx = gamma (y - x) dt + g(t) dw``. Tensors may be real or complex; noise
    is of variance 1 in both (``E|z|^2 = 1``, as ``torch.randn_like`` gives
    it), and a score is ``-(x - mean) / variance`` for a Gaussian in both.

    Arguments
    ---------
    stiffness : float
        ``gamma``: how fast the mean goes to the target.
    sigma_min, sigma_max : float
        Bounds of the noise that is added per unit of time.
    t_eps : float
        Smallest time that a score is asked for, of the largest, 1.

    Raises
    ------
    ValueError
        If the numbers make no such equation.

    Example
    -------
    >>> sde = OUVESDE()
    >>> clean, noisy = torch.randn(2, 4, 256, 100, dtype=torch.complex64)
    >>> t = torch.tensor([sde.t_eps, 0.1, 0.5, sde.T])
    >>> sde.perturbed(clean, noisy, t, torch.randn_like(clean)).shape
    torch.Size([4, 256, 100])
    >>> sde.deviation(t)
    tensor([0.0188, 0.0357, 0.1217, 0.3890])
    """

    T = 1.0

    def __init__(
        self, stiffness=1.5, sigma_min=0.05, sigma_max=0.5, t_eps=0.03
    ):
        if stiffness < 0:
            raise ValueError(
                f"stiffness is {stiffness}, expected 0 or more: below, the "
                "mean would run away from the target"
            )
        if not 0 < sigma_min < sigma_max:
            raise ValueError(
                f"sigma_min is {sigma_min} and sigma_max {sigma_max}, "
                "expected 0 < sigma_min < sigma_max"
            )
        if not 0 < t_eps < self.T:
            raise ValueError(f"t_eps is {t_eps}, expected 0 < t_eps < {self.T}")
        self.stiffness = stiffness
        self.sigma_min, self.sigma_max = sigma_min, sigma_max
        self.t_eps = t_eps
        self.log_ratio = math.log(sigma_max / sigma_min)

    def drift(self, x, target, t):
        """``f(x, y)``: what pulls x to the target, the same at all times.

        Arguments
        ---------
        x, target : torch.Tensor
            (batch, ...).
        t : torch.Tensor
            Times (batch,).

        Returns
        -------
        torch.Tensor
            (batch, ...).
        """
        return self.stiffness * (target - x)

    def diffusion(self, t):
        """``g(t)``: deviation of the noise per root of time.

        Arguments
        ---------
        t : torch.Tensor
            Times (batch,).

        Returns
        -------
        torch.Tensor
            (batch,).
        """
        sigma = self.sigma_min * torch.exp(self.log_ratio * t)
        return sigma * math.sqrt(2 * self.log_ratio)

    def decay(self, t):
        """``exp(-gamma t)``: how much of the clean one is left at a time."""
        return torch.exp(-self.stiffness * t)

    def mean(self, clean, target, t):
        """``mu(x_0, y, t)``: mean of x at a time, given the clean one.

        Arguments
        ---------
        clean, target : torch.Tensor
            (batch, ...).
        t : torch.Tensor
            Times (batch,).

        Returns
        -------
        torch.Tensor
            (batch, ...).
        """
        return target + like(self.decay(t), clean) * (clean - target)

    def variance(self, t):
        """``sigma(t)^2``: variance of x at a time, given the clean one.

        Arguments
        ---------
        t : torch.Tensor
            Times (batch,).

        Returns
        -------
        torch.Tensor
            (batch,).
        """
        rate = self.stiffness + self.log_ratio
        # The paper's difference of exponentials, exact also for small times.
        growth = self.decay(2 * t) * torch.expm1(2 * rate * t)
        return self.sigma_min**2 * growth * self.log_ratio / rate

    def deviation(self, t):
        """``sigma(t)``, as ``variance``."""
        return self.variance(t).sqrt()

    def perturbed(self, clean, target, t, noise):
        """``x_t``: the clean one at a time of the forward process.

        Arguments
        ---------
        clean, target, noise : torch.Tensor
            (batch, ...); the noise of variance 1.
        t : torch.Tensor
            Times (batch,).

        Returns
        -------
        torch.Tensor
            (batch, ...).
        """
        spread = like(self.deviation(t), noise) * noise
        return self.mean(clean, target, t) + spread

    def prior(self, target, noise, t=None):
        """``x_T``: where sampling starts, as if the target were clean.

        Arguments
        ---------
        target, noise : torch.Tensor
            (batch, ...); the noise of variance 1.
        t : torch.Tensor or None
            Times to start at (batch,); None takes T.

        Returns
        -------
        torch.Tensor
            (batch, ...).
        """
        if t is None:
            t = torch.full((len(target),), self.T, device=target.device)
        return self.perturbed(target, target, t, noise)

    def denoised(self, x, target, t, score):
        """``E[x_0 | x_t, y]``: the clean one expected from a score.

        Tweedie's formula gives the expected mean, which is solved for the
        clean one.

        Arguments
        ---------
        x, target, score : torch.Tensor
            (batch, ...), the score at x.
        t : torch.Tensor
            Times (batch,).

        Returns
        -------
        torch.Tensor
            (batch, ...).
        """
        mean = x + like(self.variance(t), x) * score
        return target + (mean - target) / like(self.decay(t), x)
