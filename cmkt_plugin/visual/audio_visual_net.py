"""Predictive enhancement of complex spectra, with lips or without."""

import torch
from torch import nn

from cmkt_plugin.enhancers import frame_lengths
from cmkt_plugin.visual.complex_mask import ComplexMask
from cmkt_plugin.visual.frame_rate import (
    fit_video,
    to_audio_frames,
    video_counts,
)
from cmkt_plugin.visual.temporal import Temporal


class AudioVisualNet(nn.Module):
    """D(y, V): a first estimate of the clean complex spectrum (method 2.2).

    Arguments
    ---------
    bins : int
        Frequencies of the spectrum.
    width : int
        Width of all sequences.
    temporal : torch.nn.Module
        Sequence model over the fused (batch, frames, width); see
        ``Temporal``. What it returns is the latent to tap.
    lip_encoder : torch.nn.Module, optional
        Maps Lips to (batch, video frames, width); None: audio only, without
        `fusion` and `visual_dropout`.
    fusion : torch.nn.Module, optional
        One of ``cmkt_plugin.visual.fusion``.
    visual_dropout : torch.nn.Module, optional
        Takes video away in training; None: it is always there.
    position : torch.nn.Module, optional
        Positional encoding for the temporal model; see ``Temporal``.
    bound : float
        Largest magnitude of the mask.
    mapping : bool
        Whether what no mask can give back is added to the masked spectrum.

    Raises
    ------
    ValueError
        If there is a lip encoder and no fusion.

    Example
    -------
    >>> from cmkt_plugin.visual.fusion import Concatenation
    >>> from cmkt_plugin.visual.lip_encoder import LipEncoder
    >>> from cmkt_plugin.visual.lips import Lips
    >>> net = AudioVisualNet(
    ...     bins=5,
    ...     width=4,
    ...     temporal=torch.nn.Identity(),
    ...     lip_encoder=LipEncoder(4, torch.nn.Identity(), channels=2),
    ...     fusion=Concatenation(4),
    ... )
    >>> spectrum = torch.randn(2, 5, 26, dtype=torch.complex64)
    >>> pixels = torch.randint(256, (2, 6, 96, 96), dtype=torch.uint8)
    >>> lips = Lips(pixels, torch.ones(2, 6, dtype=torch.uint8))
    >>> estimate, visual = net(spectrum, 0.008, lips)
    >>> estimate.shape, visual.shape
    (torch.Size([2, 5, 26]), torch.Size([2, 26, 4]))
    """

    def __init__(
        self,
        bins,
        width,
        temporal,
        lip_encoder=None,
        fusion=None,
        visual_dropout=None,
        position=None,
        bound=2.0,
        mapping=False,
    ):
        super().__init__()
        if lip_encoder is not None and fusion is None:
            raise ValueError(
                "there is a lip_encoder and no fusion: set one of "
                "cmkt_plugin.visual.fusion, or lip_encoder: null"
            )
        self.audio = nn.Sequential(nn.Linear(3 * bins, width), nn.GELU())
        self.lip_encoder = lip_encoder
        # One knob leaves the video out: no parameter stays without use.
        self.fusion = fusion if lip_encoder is not None else None
        self.visual_dropout = visual_dropout
        self.temporal = Temporal(temporal, position)
        self.mask = ComplexMask(width, bins, bound, mapping)

    def forward(self, spectrum, hop, lips=None, lengths=None):
        """Estimates clean spectra.

        Arguments
        ---------
        spectrum : torch.Tensor
            Noisy, compressed and complex (batch, bins, frames).
        hop : float
            Seconds between its frames.
        lips : cmkt_plugin.visual.lips.Lips, optional
            The video; longer or shorter than the audio, it is cut or filled
            up with frames that are not present.
        lengths : torch.Tensor, optional
            Relative lengths (batch,); None: all are full.

        Returns
        -------
        torch.Tensor
            Complex (batch, bins, frames).
        torch.Tensor or None
            What was seen, (batch, frames, width); None without lip encoder.
        """
        frames = spectrum.shape[-1]
        if lengths is None:
            lengths = torch.ones(len(spectrum), device=spectrum.device)
        counts = frame_lengths(lengths, frames)
        sequence, visual = self.audio(_real_features(spectrum)), None
        if self.lip_encoder is not None:
            visual = self._see(lips, counts, frames, hop)
            sequence = self.fusion(sequence, visual, counts)
        latent = self.temporal(sequence, counts)
        return self.mask(latent, spectrum), visual

    def _see(self, lips, counts, frames, hop):
        """Visual features at the frame rate of the audio."""
        # The same with and without video, so that no video is one case only.
        counts = video_counts(counts, hop)
        lips = fit_video(lips, counts)
        if self.visual_dropout is not None:
            lips = self.visual_dropout(lips)
        visual = self.lip_encoder(lips, counts)
        return to_audio_frames(visual, counts, frames, hop)


def _real_features(spectrum):
    """Magnitude, real and imaginary part (batch, frames, 3 * bins)."""
    parts = [spectrum.abs(), spectrum.real, spectrum.imag]
    return torch.cat(parts, dim=1).transpose(1, 2)
