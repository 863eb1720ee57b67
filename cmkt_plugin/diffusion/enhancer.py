"""The adapter of a score model: waveforms in, waveforms out."""

import torch

from cmkt_plugin.diffusion.frames import random_crop, reflected
from cmkt_plugin.diffusion.repeatable_noise import RepeatableNoise
from cmkt_plugin.enhancers import Enhanced

# Frames that SpeechBrain's SGMSEEnhancement fills spectra up to a multiple of.
STOCK_FRAMES = 64


class DiffusionEnhancer(torch.nn.Module):
    """Speech drawn by a score model, given noisy speech.

    Alone it is an enhancer such as SGMSE+ (Richter et al. 2023). With a
    ``predictive`` stage it refines what that one estimates, seeing both and
    what the lips show ("stochastic regeneration", Lemercier et al. 2023).

    Its ``features`` and their ``target`` are what the score network predicts
    and should (``parameterizations.py``): their mean square difference is the
    loss of denoising score matching. In evaluation mode times and noise are
    the same ones every time, so that losses of epochs can be compared, and an
    enhanced waveform is the same in every call.

    Arguments
    ---------
    transform : cmkt_plugin.diffusion.compressed_stft.CompressedSTFT
        From waveforms, of which the noisy one has a peak of 1, to spectra.
    score_model : cmkt_plugin.diffusion.score_model.ScoreModel
        With a network for as many conditions as there are.
    predictive : torch.nn.Module or None
        First stage, trained: ``estimate(spectrum, lips, lengths)`` gives a
        spectrum and what the lips show. It learns no more.
    crop_frames : int or None
        Train on a random stretch of so many frames; None: on all of them. A
        loss over the latent of the network needs all.
    seed : int
        Of the noise in evaluation mode.
    visual_dropout : torch.nn.Module or None
        Takes video away in training, as the first stage's own does no more;
        so that the score, too, is known where there is none. Not the same
        object as that one's.

    Raises
    ------
    ValueError
        If the two stages have different frames.

    Example
    -------
    >>> from cmkt_plugin.diffusion.compressed_stft import CompressedSTFT
    >>> from cmkt_plugin.diffusion.parameterizations import NoisePrediction
    >>> from cmkt_plugin.diffusion.samplers import ProbabilityFlowODE
    >>> from cmkt_plugin.diffusion.score_model import ScoreModel
    >>> from cmkt_plugin.diffusion.score_network import ScoreUNet
    >>> from cmkt_plugin.diffusion.sde import OUVESDE
    >>> from cmkt_plugin.diffusion.step_schedules import UniformSteps
    >>> network = ScoreUNet(bins=64, model_channels=8, channel_mult=[1, 2])
    >>> sampler = ProbabilityFlowODE(OUVESDE(), UniformSteps(2))
    >>> enhancer = DiffusionEnhancer(
    ...     CompressedSTFT(n_fft=126, hop_length=32),
    ...     ScoreModel(network, OUVESDE(), sampler, NoisePrediction()),
    ... ).eval()
    >>> noisy, lengths = torch.randn(2, 3000), torch.ones(2)
    >>> enhancer(noisy, lengths).wav.shape
    torch.Size([2, 3000])
    >>> trained = enhancer(noisy, lengths, need_wav=False, clean=noisy / 2)
    >>> trained.features.shape, trained.target.shape
    (torch.Size([2, 94, 128]), torch.Size([2, 94, 128]))
    """

    def __init__(
        self,
        transform,
        score_model,
        predictive=None,
        crop_frames=None,
        seed=0,
        visual_dropout=None,
    ):
        super().__init__()
        if predictive is not None:
            _check_frames(transform, predictive)
            predictive.requires_grad_(False).eval()
        self.transform = transform
        self.score_model = score_model
        self.predictive = predictive
        self.crop_frames = crop_frames
        self.seed = seed
        self.visual_dropout = visual_dropout
        self._evaluated = 0  # batches, since the mode was last switched

    def train(self, mode=True):
        """Switches the mode; the first stage stays in evaluation mode."""
        super().train(mode)
        if self.predictive is not None:
            self.predictive.eval()
        self._evaluated = 0
        return self

    @property
    def hop_length(self):
        """Samples between the model's frames."""
        return self.transform.hop_length

    @property
    def steps(self):
        """The steps of the sampler; their ``number`` may be set."""
        return self.score_model.sampler.steps

    def forward(self, noisy, lengths, need_wav=True, clean=None, lips=None):
        """Enhances a batch, and learns the score if told what is clean.

        Arguments
        ---------
        noisy : torch.Tensor
            Noisy waveforms (batch, time).
        lengths : torch.Tensor
            Relative lengths (batch,).
        need_wav : bool
            False leaves out the sampling.
        clean : torch.Tensor or None
            Clean waveforms (batch, time), to learn from; None: there is no
            target, and only a pass for the latent where nothing is sampled.
        lips : cmkt_plugin.visual.lips.Lips or None
            For the predictive stage.

        Returns
        -------
        Enhanced
            Waveforms (batch, time), features (batch, frames, 2 * bins) and
            their target. Without ``clean`` the features are those of the
            enhanced spectrum.

        Raises
        ------
        ValueError
            If the waveform is to be learned from: sampling has no gradient.
        """
        if need_wav and self.training and clean is not None:
            raise ValueError(
                "a DiffusionEnhancer draws its waveforms without gradient: "
                "train it with losses of the objective's 'features' alone, "
                "none of 'waveform'"
            )
        peak = self.transform.peak(noisy)
        spectra, visual = self._conditions(
            self.transform(noisy / peak), lips, lengths
        )
        features = target = wav = None
        # First of all: a latent is tapped in the network's first call.
        if clean is not None or not need_wav:
            clean = noisy if clean is None else clean
            features, target = self._match(
                self.transform(clean / peak), spectra, visual, lengths
            )
        if need_wav:
            spectrum = self._sample(spectra, visual)
            wav = peak * self.transform.inverse(spectrum, noisy.shape[1])
            if features is None:
                features = self.transform.features(spectrum)
        return Enhanced(wav, features, target)

    @torch.no_grad()
    def _conditions(self, noisy, lips, lengths):
        """What the network sees: spectra, the drift's target last; lips."""
        if self.predictive is None:
            return [noisy], None
        if self.visual_dropout is not None and lips is not None:
            lips = self.visual_dropout(lips)
        estimate, visual = self.predictive.estimate(noisy, lips, lengths)
        return [noisy, estimate], visual

    def _match(self, clean, spectra, visual, lengths):
        parts = [clean, *spectra]
        if visual is not None:
            parts.append(visual.transpose(1, 2))
        if self.training and self.crop_frames is not None:
            parts = random_crop(parts, lengths, self.crop_frames)
        clean, *spectra = parts
        if visual is not None:
            visual = spectra.pop().transpose(1, 2)
        t, noise = self._draws(clean)
        pair = self.score_model.match(clean, spectra, visual, t=t, noise=noise)
        return [self.transform.features(spectrum) for spectrum in pair]

    def _draws(self, clean):
        """Diffusion times (batch,) and noise to learn from."""
        sde = self.score_model.sde
        if self.training:
            uniform = torch.rand(len(clean), device=clean.device)
            noise = torch.randn_like(clean)
        else:
            seed = self.seed + self._evaluated
            generator = torch.Generator().manual_seed(seed)
            self._evaluated += 1
            uniform = torch.rand(len(clean), generator=generator)
            noise = torch.randn(
                clean.shape, dtype=clean.dtype, generator=generator
            )
        t = sde.t_eps + (sde.T - sde.t_eps) * uniform
        return t.to(clean.device), noise.to(clean.device)

    @torch.no_grad()
    def _sample(self, spectra, visual):
        frames = spectra[0].shape[-1]
        spectra = [reflected(s, STOCK_FRAMES) for s in spectra]
        if visual is not None:
            visual = reflected(visual.transpose(1, 2), STOCK_FRAMES)
            visual = visual.transpose(1, 2)
        draw = RepeatableNoise(self.seed)
        sample = self.score_model.sample(spectra, visual, draw)
        return sample[..., :frames]


def _check_frames(transform, predictive):
    if transform.hop_length != predictive.hop_length:
        raise ValueError(
            f"the predictive stage has a hop_length of {predictive.hop_length}"
            f" samples, the score model {transform.hop_length}: give both the "
            "same transform"
        )
