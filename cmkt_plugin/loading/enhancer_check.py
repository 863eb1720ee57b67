"""Whether the parts of an enhancer that was just built fit together."""

from contextlib import contextmanager
from types import SimpleNamespace

import torch
from speechbrain.processing.features import ISTFT, STFT

from cmkt_plugin.features import LogMagnitude

# What an inverse transform must have in common with the transform.
SETTINGS = ("win_length", "hop_length", "center", "normalized_stft", "onesided")


def fault_of(enhancer, sample_rate):
    """Says what is wrong with an enhancer; "" for nothing.

    Half a second of noise is sent through it.

    Arguments
    ---------
    enhancer : torch.nn.Module
        An adapter of ``cmkt_plugin.enhancers``, in evaluation mode.
    sample_rate : int
        Of its waveforms (Hz).

    Returns
    -------
    str

    Raises
    ------
    Exception
        Whatever its parts raise.

    Example
    -------
    >>> from speechbrain.lobes.models.EnhanceResnet import EnhanceResnet
    >>> from cmkt_plugin.enhancers import WaveformMask
    >>> net = EnhanceResnet(channel_counts=[2], dense_count=1, dense_nodes=4)
    >>> enhancer = WaveformMask(net, LogMagnitude(net.stft)).eval()
    >>> fault_of(enhancer, 16000)
    ''
    >>> fault_of(enhancer, 8000)
    'its STFT has sample_rate 16000, the model 8000: give both the same'
    """
    fault = _fault_of_transforms(enhancer, sample_rate)
    if fault:
        return fault
    hop = getattr(enhancer, "hop_length", None)
    if not isinstance(hop, int) or hop < 1:
        return f"its hop_length is {hop}, expected one sample at least"
    generator = torch.Generator().manual_seed(0)
    # Two: of one, what mixes batch and channels up gives the same.
    noise = 0.1 * torch.randn(2, sample_rate // 2, generator=generator)
    with torch.no_grad(), _in_one_step(enhancer):
        wav = enhancer(noise, torch.ones(2)).wav
    if wav.shape == noise.shape:
        return ""
    return f"of {_shape(noise)} samples it makes {_shape(wav)}"


@contextmanager
def _in_one_step(enhancer):
    """A sampler takes one step: its result has the shape of any number's."""
    steps = getattr(enhancer, "steps", SimpleNamespace(number=1))
    number = steps.number
    steps.number = min(number, 1)
    try:
        yield
    finally:
        steps.number = number


def _fault_of_transforms(enhancer, sample_rate):
    features = getattr(enhancer, "features", None)
    if features is None:  # of a WaveformMapping, or with complex spectra
        return ""
    if not isinstance(features, LogMagnitude):
        return (
            f"its features are a {type(features).__name__}, expected a "
            "LogMagnitude"
        )
    stft, istft = features.stft, getattr(enhancer, "istft", None)
    for part, kind in ((stft, STFT), (istft, ISTFT)):
        if part is None:
            continue
        if not isinstance(part, kind):
            name = kind.__name__
            return f"its {name} is a {type(part).__name__}, expected a {name}"
        if part.sample_rate != sample_rate:
            return (
                f"its {kind.__name__} has sample_rate {part.sample_rate}, the "
                f"model {sample_rate}: give both the same"
            )
    for name in SETTINGS if istft is not None else ():
        one, other = getattr(stft, name), getattr(istft, name)
        if one != other:
            return (
                f"its STFT has {name} {one}, its ISTFT {other}: give both the "
                "same"
            )
    return ""


def _shape(wav):
    return " x ".join(map(str, wav.shape))
