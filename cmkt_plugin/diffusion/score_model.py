"""A score model: how noisy spectrograms become clean ones, step by step."""

import torch

from cmkt_plugin.diffusion.repeatable_noise import RepeatableNoise
from cmkt_plugin.diffusion.sde import like
from cmkt_plugin.diffusion.stock_samplers import stock_sampler


class ScoreModel(torch.nn.Module):
    """Learns the score of diffused clean spectra, and samples with it.

    Richter et al. 2023 (arXiv 2208.05830). ``spectra`` are the conditions
    that the network sees, the last of them the ``target`` that the drift goes
    to: of a plain model the noisy spectrum alone, of one with a predictive
    stage its estimate (Lemercier et al. 2023, arXiv 2212.11851).

    Arguments
    ---------
    network : torch.nn.Module
        ``network(x, t, spectra, visual)``, see ``ScoreUNet``.
    sde : cmkt_plugin.diffusion.sde.OUVESDE
        The diffusion.
    sampler : callable
        Of ``cmkt_plugin.diffusion.samplers``.
    parameterization : object
        Of ``cmkt_plugin.diffusion.parameterizations``: what the network
        predicts.

    Example
    -------
    >>> from cmkt_plugin.diffusion.parameterizations import NoisePrediction
    >>> from cmkt_plugin.diffusion.samplers import ProbabilityFlowODE
    >>> from cmkt_plugin.diffusion.score_network import ScoreUNet
    >>> from cmkt_plugin.diffusion.sde import OUVESDE
    >>> from cmkt_plugin.diffusion.step_schedules import UniformSteps
    >>> network = ScoreUNet(bins=16, model_channels=8, channel_mult=[1, 2])
    >>> sampler = ProbabilityFlowODE(OUVESDE(), UniformSteps(2))
    >>> model = ScoreModel(network, OUVESDE(), sampler, NoisePrediction())
    >>> clean, noisy, noise = torch.randn(3, 2, 16, 9, dtype=torch.complex64)
    >>> t = torch.tensor([0.1, 0.9])
    >>> output, wanted = model.match(clean, [noisy], t=t, noise=noise)
    >>> output.shape, torch.equal(wanted, noise)
    (torch.Size([2, 16, 9]), True)
    >>> model.sample([noisy]).shape
    torch.Size([2, 16, 9])
    """

    def __init__(self, network, sde, sampler, parameterization):
        super().__init__()
        self.network = network
        self.sde = sde
        self.sampler = sampler
        self.parameterization = parameterization

    def match(self, clean, spectra, visual=None, *, t, noise):
        """Denoising score matching: one pass of the network.

        Arguments
        ---------
        clean : torch.Tensor
            Clean spectra, complex (batch, bins, frames).
        spectra : list of torch.Tensor
            The conditions, such as ``clean``.
        visual : torch.Tensor or None
            What the video shows (batch, frames, width).
        t : torch.Tensor
            Diffusion times (batch,).
        noise : torch.Tensor
            Noise like ``clean``, of variance 1.

        Returns
        -------
        tuple of torch.Tensor
            What the network predicts and what it should, such as ``clean``;
            their mean square difference is the loss.
        """
        target = spectra[-1]
        x = self.sde.perturbed(clean, target, t, noise)
        at = (x, target, t, self.sde)
        output = self.network(
            self.parameterization.scaled(*at), t, spectra, visual
        )
        return output, self.parameterization.wanted(clean, noise, *at)

    def score(self, x, t, spectra, visual=None):
        """The score of diffused spectra: where they are more probable.

        Arguments
        ---------
        x : torch.Tensor
            Diffused spectra, complex (batch, bins, frames).
        t : torch.Tensor
            Diffusion times (batch,).
        spectra, visual
            See ``match``.

        Returns
        -------
        torch.Tensor
            Complex (batch, bins, frames).
        """
        at = (x, spectra[-1], t, self.sde)
        output = self.network(
            self.parameterization.scaled(*at), t, spectra, visual
        )
        noise = self.parameterization.noise(output, *at)
        return -noise / like(self.sde.deviation(t), x)

    def sample(self, spectra, visual=None, draw=torch.randn_like, sampler=None):
        """Clean spectra that fit the conditions.

        Arguments
        ---------
        spectra, visual
            See ``match``.
        draw : callable
            ``draw(x)`` gives noise like x, of variance 1.
        sampler : callable or None
            Such as that of the model, which None takes.

        Returns
        -------
        torch.Tensor
            Complex (batch, bins, frames).
        """

        def score(x, t):
            return self.score(x, t, spectra, visual)

        return (sampler or self.sampler)(score, spectra[-1], draw)

    def enhance(self, Y, **sampling):
        """What ``speechbrain.inference.enhancement.SGMSEEnhancement`` calls.

        Arguments
        ---------
        Y : torch.Tensor
            Noisy spectra, complex (batch, 1, bins, frames).
        **sampling
            Arguments of ``stock_sampler``.

        Returns
        -------
        torch.Tensor
            Clean spectra, such as ``Y``. The noise that is drawn is the same
            in every call.
        """
        sampler = stock_sampler(self.sampler, **sampling)
        draw = RepeatableNoise(seed=0)
        return self.sample([Y[:, 0]], draw=draw, sampler=sampler)[:, None]
