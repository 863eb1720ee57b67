"""The predictive stage as an enhancer of waveforms."""

import torch

from cmkt_plugin.enhancers import Enhanced


class PredictiveEnhancer(torch.nn.Module):
    """Estimates the clean complex spectrum in one pass.

    Noisy and clean speech are divided by the peak of the noisy one, as score
    models want it; the features compared by the loss are those of that scale.

    Arguments
    ---------
    transform : cmkt_plugin.diffusion.compressed_stft.CompressedSTFT
        The compressed complex spectrum.
    net : torch.nn.Module
        ``cmkt_plugin.visual.audio_visual_net.AudioVisualNet``.
    sample_rate : int
        Of the waveforms (Hz); tells the time of the frames.

    Example
    -------
    >>> from cmkt_plugin.diffusion.compressed_stft import CompressedSTFT
    >>> from cmkt_plugin.visual.audio_visual_net import AudioVisualNet
    >>> net = AudioVisualNet(256, 4, torch.nn.Identity())
    >>> enhancer = PredictiveEnhancer(CompressedSTFT(), net)
    >>> clean, noisy = torch.randn(2, 2, 8001)
    >>> enhanced = enhancer(noisy, torch.ones(2), clean=clean)
    >>> enhanced.wav.shape, enhanced.features.shape, enhanced.target.shape
    (torch.Size([2, 8001]), torch.Size([2, 63, 512]), torch.Size([2, 63, 512]))
    """

    def __init__(self, transform, net, sample_rate=16000):
        super().__init__()
        self.transform = transform
        self.net = net
        self.sample_rate = sample_rate

    @property
    def hop_length(self):
        """Samples between the model's frames."""
        return self.transform.hop_length

    def forward(self, noisy, lengths, need_wav=True, clean=None, lips=None):
        """Enhances a batch.

        Arguments
        ---------
        noisy : torch.Tensor
            Noisy waveforms (batch, time).
        lengths : torch.Tensor
            Relative lengths (batch,).
        need_wav : bool
            False leaves out the resynthesis.
        clean : torch.Tensor, optional
            Clean waveforms (batch, time), to tell the target of the loss.
        lips : cmkt_plugin.visual.lips.Lips, optional
            The video; None: audio only.

        Returns
        -------
        cmkt_plugin.enhancers.Enhanced
            Waveforms (batch, time); features of the estimate and, with
            `clean`, of the clean speech (batch, frames, 2 * bins).
        """
        peak = self.transform.peak(noisy)
        spectrum = self.transform(noisy / peak)
        estimate, _ = self.estimate(spectrum, lips, lengths)
        features = self.transform.features(estimate)
        wav, target = None, None
        if need_wav:
            wav = self.transform.inverse(estimate, noisy.shape[1]) * peak
        if clean is not None:
            target = self.transform.features(self.transform(clean / peak))
        return Enhanced(wav, features, target)

    def estimate(self, spectrum, lips=None, lengths=None):
        """What a score model refines.

        Arguments
        ---------
        spectrum : torch.Tensor
            Of noisy speech divided by its peak, complex (batch, bins,
            frames).
        lips : cmkt_plugin.visual.lips.Lips, optional
            The video; None: audio only.
        lengths : torch.Tensor, optional
            Relative lengths (batch,); None: all are full.

        Returns
        -------
        torch.Tensor
            The estimate, complex (batch, bins, frames).
        torch.Tensor or None
            What was seen (batch, frames, width); None without lip encoder.
        """
        hop = self.transform.hop_length / self.sample_rate
        return self.net(spectrum, hop, lips, lengths)
