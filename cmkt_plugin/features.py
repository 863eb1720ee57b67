"""Spectral features shared by the enhancers and the enhancement losses."""

import torch
from speechbrain.processing.features import spectral_magnitude
from speechbrain.utils.autocast import fwd_default_precision


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

    # 1e-14 is zero in half precision: the root would have no gradient there.
    @fwd_default_precision(cast_inputs=torch.float32)
    def forward(self, wav):
        """Computes the features in float32, whatever the autocast type.

        Arguments
        ---------
        wav : torch.Tensor
            Waveforms (batch, time).

        Returns
        -------
        torch.Tensor
            Features (batch, frames, bins).
        """
        return torch.log1p(spectral_magnitude(self.stft(wav), power=0.5))
