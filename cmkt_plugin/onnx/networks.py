"""What of an enhancer goes into an ONNX graph: all but the transform.

A graph of the spectrum maps ``log1p`` of the noisy magnitude (batch, frames,
bins) to that of the enhanced one, whichever mask is between the two; the
phase stays outside. A graph of the waveform maps (batch, time) to (batch,
time), the length rounded as the model does. Each has the ``stft`` to compute
outside, or None, and whether the waveform ends at the last whole hop.
"""

import torch
from speechbrain.lobes.models.EnhanceResnet import EnhanceResnet

from cmkt_plugin.enhancers import SpectralMask, WaveformMapping, WaveformMask


class MaskedFeatures(torch.nn.Module):
    """Graph of a ``SpectralMask``: the mask is on the features."""

    def __init__(self, enhancer):
        super().__init__()
        self.net = enhancer.net
        self.stft = enhancer.features.stft
        self.ends_at_last_hop = False

    def forward(self, features):
        return self.net(features) * features


class MaskedSpectrum(torch.nn.Module):
    """Graph of an ``EnhanceResnet``: the mask is on the spectrum."""

    def __init__(self, enhancer):
        super().__init__()
        self.net = enhancer.net
        self.stft = enhancer.net.stft
        self.ends_at_last_hop = True

    def forward(self, features):
        mask = self.net.DNN(self.net.CNN(features)).clamp(min=0, max=1)
        weight = self.net.mask_weight
        # ONNX has no expm1.
        magnitude = features.exp() - 1
        return torch.log1p((weight * mask + 1 - weight) * magnitude)


class MaskedCode(torch.nn.Module):
    """Graph of a ``WaveformMapping``: the mask is on a learned code."""

    def __init__(self, enhancer):
        super().__init__()
        self.encoder = enhancer.encoder
        self.masknet = enhancer.masknet
        self.decoder = enhancer.decoder
        self.stft = None

    def forward(self, noisy):
        code = self.encoder(noisy)
        # The decoder drops the batch dimension of a batch of one.
        wav = self.decoder(code * self.masknet(code)[0])
        return wav.reshape(noisy.shape[0], -1)


def network_of(enhancer):
    """The network of an enhancer, ready to be exported.

    Arguments
    ---------
    enhancer : torch.nn.Module
        An adapter of ``cmkt_plugin.enhancers``.

    Returns
    -------
    torch.nn.Module
        See above.

    Raises
    ------
    ValueError
        If it is not known what to take.
    """
    if isinstance(enhancer, SpectralMask):
        return MaskedFeatures(enhancer)
    if isinstance(enhancer, WaveformMapping):
        return MaskedCode(enhancer)
    net = getattr(enhancer, "net", None)
    if isinstance(enhancer, WaveformMask) and isinstance(net, EnhanceResnet):
        return MaskedSpectrum(enhancer)
    found = type(enhancer).__name__
    if net is not None:
        found += f" of {type(net).__name__}"
    raise ValueError(
        f"{found} cannot be exported as ONNX, only a SpectralMask, a WaveformMapping and a WaveformMask of "
        "an EnhanceResnet: use the model with PyTorch"
    )
