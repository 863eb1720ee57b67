"""What a score network is trained to predict, and the noise that follows.

All go by ``x = mean(clean, target, t) + deviation(t) * noise``: whoever knows
clean spectrum or noise knows the other, and the score is
``-noise / deviation(t)``. They differ in what a network finds easy, and in
how errors at different times are weighted.
"""

from cmkt_plugin.diffusion.sde import like


class NoisePrediction:
    """The network predicts the noise: Ho et al. 2020, and SGMSE.

    The error of the noise is the denoising score matching of SGMSE+, weighted
    with the variance (Richter et al. 2023, arXiv 2208.05830, equation 12).

    Example
    -------
    >>> import torch
    >>> from cmkt_plugin.diffusion.sde import OUVESDE
    >>> sde, t = OUVESDE(), torch.tensor([0.5])
    >>> clean, noisy, noise = torch.randn(3, 1, 4, 6)
    >>> x = sde.perturbed(clean, noisy, t, noise)
    >>> predicted = NoisePrediction().noise(noise, x, noisy, t, sde)
    >>> torch.allclose(predicted, noise)
    True
    """

    def scaled(self, x, target, t, sde):
        """What the network sees of x."""
        return x

    def noise(self, output, x, target, t, sde):
        """The noise in x, by the network's output."""
        return output

    def wanted(self, clean, noise, x, target, t, sde):
        """What the output should have been."""
        return noise


class CleanPrediction:
    """The network predicts what the clean spectrum has more than the target.

    It sees and gives amounts near 1, and its error is that of the clean
    spectrum at all times: the score matching's, weighted with the fourth
    power of the deviation instead of the second (and the mean's decay).

    Arguments
    ---------
    spread : float
        Root of the mean square of that difference.

    Raises
    ------
    ValueError
        If the spread is not above 0: nothing would be left to predict.

    Example
    -------
    >>> import torch
    >>> from cmkt_plugin.diffusion.sde import OUVESDE
    >>> sde, t = OUVESDE(), torch.tensor([0.5])
    >>> clean, noisy, noise = torch.randn(3, 1, 4, 6)
    >>> x = sde.perturbed(clean, noisy, t, noise)
    >>> perfect = CleanPrediction(0.1).wanted(clean, noise, x, noisy, t, sde)
    >>> predicted = CleanPrediction(0.1).noise(perfect, x, noisy, t, sde)
    >>> torch.allclose(predicted, noise, atol=1e-5)
    True
    """

    def __init__(self, spread=0.1):
        if spread <= 0:
            raise ValueError(f"spread is {spread}, expected a number above 0")
        self.spread = spread

    def _spread_at(self, t, sde):
        """Root of the mean square of ``x - target`` at a time."""
        kept = sde.decay(t) * self.spread
        return (kept**2 + sde.variance(t)).sqrt()

    def scaled(self, x, target, t, sde):
        """What the network sees of x."""
        return (x - target) / like(self._spread_at(t, sde), x)

    def noise(self, output, x, target, t, sde):
        """The noise in x, by the network's output."""
        clean = target + self.spread * output
        mean = sde.mean(clean, target, t)
        return (x - mean) / like(sde.deviation(t), x)

    def wanted(self, clean, noise, x, target, t, sde):
        """What the output should have been."""
        return (clean - target) / self.spread


class PreconditionedPrediction(CleanPrediction):
    """Between the two: the clean spectrum late, the noise early.

    Karras et al. 2022 (arXiv 2206.00364), section 5: the network predicts
    what the best linear guess from x lacks of the clean spectrum, which is of
    mean square 1 at all times. Where x has little noise that is the noise,
    where it has little else the clean spectrum.
    """

    def _guess(self, x, target, t, sde):
        """Best linear guess of ``clean - target`` from ``x - target``."""
        share = sde.decay(t) * (self.spread / self._spread_at(t, sde)) ** 2
        return like(share, x) * (x - target)

    def _lacks(self, t, sde):
        """Root of the mean square of what the guess lacks."""
        return self.spread * sde.deviation(t) / self._spread_at(t, sde)

    def noise(self, output, x, target, t, sde):
        """The noise in x, by the network's output."""
        lacking = like(self._lacks(t, sde), x) * output
        clean = target + self._guess(x, target, t, sde) + lacking
        mean = sde.mean(clean, target, t)
        return (x - mean) / like(sde.deviation(t), x)

    def wanted(self, clean, noise, x, target, t, sde):
        """What the output should have been."""
        lacking = clean - target - self._guess(x, target, t, sde)
        return lacking / like(self._lacks(t, sde), x)
