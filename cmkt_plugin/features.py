"""Spectral features shared by the enhancers and the enhancement losses."""

import torch
from speechbrain.processing.features import spectral_magnitude


class LogMagnitude(torch.nn.Module):
    """Compressed log-magnitude ``log1p(|STFT|)`` of a waveform.

    The features of SpeechBrain's ``recipes/Voicebank/enhance/spectral_mask``
    and of its ``SpectralMaskEnhancement``: a model trained on these loads
    there unchanged. The gradient stays finite for silence, because
    ``spectral_magnitude`` adds 1e-14 under the square root.

    Arguments
    ---------
    stft : torch.nn.Module
        ``speechbrain.processing.features.STFT``.

    Example
    -------
    >>> from speechbrain.processing.features import STFT
    >>> stft = STFT(sample_rate=16000, win_length=32, hop_length=16, n_fft=512)
    >>> LogMagnitude(stft)(torch.randn(2, 16000)).shape
    torch.Size([2, 63, 257])
    """

    def __init__(self, stft):
        super().__init__()
        self.stft = stft

    def forward(self, wav):
        """Computes the features in float32, whatever the type of the input.

        Arguments
        ---------
        wav : torch.Tensor
            Waveforms (batch, time).

        Returns
        -------
        torch.Tensor
            Features (batch, frames, bins).
        """
        # 1e-14 is zero in half precision: the root would have no slope there.
        spectrum = self.stft(wav.float())
        return torch.log1p(spectral_magnitude(spectrum, power=0.5))
