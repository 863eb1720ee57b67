"""Complex spectrograms of compressed magnitude, as score models take them."""

import torch
from torch import nn

# Below this magnitude compression is linear: a power below 1 has an infinite
# slope at 0, where silence is.
LINEAR_BELOW = 1e-8

WINDOWS = {
    "hann": torch.hann_window,
    "sqrthann": lambda n_fft: torch.hann_window(n_fft).sqrt(),
}


class CompressedSTFT(nn.Module):
    """STFT whose magnitudes are compressed and whose phases are kept.

    ``factor * |S|^exponent * exp(i * angle(S))``, as in Richter et al. 2023
    (arXiv 2208.05830). It is what SpeechBrain's ``SGMSEEnhancement`` does
    with ``transform_type: exponent`` before it calls its score model, and
    undoes afterwards.

    Arguments
    ---------
    n_fft : int
        Samples of a window.
    hop_length : int
        Samples from a frame to the next.
    exponent : float
        Power of the magnitudes; 1 leaves them.
    factor : float
        Scale of the compressed magnitudes.
    window : str
        "hann" or "sqrthann", the names that ``SGMSEEnhancement`` has.

    Raises
    ------
    ValueError
        If there is no such window or a number cannot be.

    Example
    -------
    >>> transform = CompressedSTFT()
    >>> wav = torch.randn(2, 16000)
    >>> spectrum = transform(wav)
    >>> spectrum.shape, spectrum.dtype
    (torch.Size([2, 256, 126]), torch.complex64)
    >>> transform.features(spectrum).shape
    torch.Size([2, 126, 512])
    >>> torch.allclose(transform.inverse(spectrum, 16000), wav, atol=1e-4)
    True
    """

    def __init__(
        self,
        n_fft=510,
        hop_length=128,
        exponent=0.5,
        factor=0.15,
        window="hann",
    ):
        super().__init__()
        if window not in WINDOWS:
            raise ValueError(
                f"window is {window!r}, expected one of {', '.join(WINDOWS)}"
            )
        if exponent <= 0 or factor <= 0:
            raise ValueError(
                f"exponent is {exponent} and factor {factor}: expected "
                "numbers above 0, or the magnitudes are lost"
            )
        self.n_fft, self.hop_length = n_fft, hop_length
        self.exponent, self.factor = exponent, factor
        # Not saved: it follows from the arguments, and a model that loads
        # through SGMSEEnhancement has no place for it.
        self.register_buffer("window", WINDOWS[window](n_fft), persistent=False)

    @property
    def bins(self):
        """Frequencies of a spectrum."""
        return self.n_fft // 2 + 1

    def forward(self, wav):
        """Compressed spectrum of waveforms.

        Arguments
        ---------
        wav : torch.Tensor
            Waveforms (batch, time).

        Returns
        -------
        torch.Tensor
            Complex (batch, bins, frames); frame j is centred on sample
            ``j * hop_length``.
        """
        # The ends are mirrored, which needs more samples than are mirrored.
        missing = max(0, self.bins - wav.shape[-1])
        spectrum = torch.stft(
            nn.functional.pad(wav, (0, missing)),
            return_complex=True,
            **self._stft_options(wav.dtype),
        )
        return _raise_magnitude(spectrum, self.exponent) * self.factor

    def inverse(self, spectrum, samples):
        """Waveforms of a compressed spectrum.

        Arguments
        ---------
        spectrum : torch.Tensor
            Complex (batch, bins, frames).
        samples : int
            Length of the waveforms.

        Returns
        -------
        torch.Tensor
            Waveforms (batch, samples).
        """
        spectrum = _raise_magnitude(spectrum / self.factor, 1 / self.exponent)
        options = self._stft_options(spectrum.real.dtype)
        return torch.istft(spectrum, length=samples, **options)

    def features(self, spectrum):
        """A spectrum as real features, to compare with losses.

        Arguments
        ---------
        spectrum : torch.Tensor
            Complex (batch, bins, frames).

        Returns
        -------
        torch.Tensor
            Real (batch, frames, 2 * bins): real parts, then imaginary ones.
        """
        return torch.cat([spectrum.real, spectrum.imag], dim=1).transpose(1, 2)

    def peak(self, noisy):
        """What noisy and clean waveforms are divided by beforehand.

        Arguments
        ---------
        noisy : torch.Tensor
            Waveforms (batch, time).

        Returns
        -------
        torch.Tensor
            Largest magnitude of each (batch, 1), at least 1e-8, so that
            silence can be divided by it.
        """
        return noisy.abs().amax(dim=1, keepdim=True).clamp(min=1e-8)

    def _stft_options(self, dtype):
        return dict(
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            window=self.window.to(dtype),
            center=True,
        )


def _raise_magnitude(spectrum, power):
    """``|S|^power exp(i angle(S))`` without the angle, undefined at 0."""
    return spectrum * spectrum.abs().clamp(min=LINEAR_BELOW) ** (power - 1)
