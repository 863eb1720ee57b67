"""What an enhancer sees of a talker."""

import inspect
from typing import NamedTuple

import torch

FRAME_RATE = 25  # frames per second; frame j is shown at j / 25 s
SIZE = 96  # pixels, of the square grey crops


class Lips(NamedTuple):
    """Mouth regions of a batch of clips.

    Arguments
    ---------
    pixels : torch.Tensor
        Grey crops (batch, frames, 96, 96), uint8.
    present : torch.Tensor
        1 where a face was found, 0 where there is none or the clip has
        ended (batch, frames), uint8. The pixels of such frames mean nothing.

    Example
    -------
    >>> pixels = torch.zeros(2, 50, SIZE, SIZE, dtype=torch.uint8)
    >>> lips = Lips(pixels, torch.ones(2, 50, dtype=torch.uint8))
    >>> lips.pixels.shape[1] / FRAME_RATE  # seconds
    2.0
    """

    pixels: torch.Tensor
    present: torch.Tensor


def has_use_for_lips(enhancer):
    """Whether an enhancer has a use for lips.

    Arguments
    ---------
    enhancer : torch.nn.Module
        The adapter.

    Returns
    -------
    bool

    Example
    -------
    >>> has_use_for_lips(torch.nn.Linear(1, 1))
    False
    """
    takes = inspect.signature(enhancer.forward).parameters
    # Stages that are left out: what is shown to the others is not seen.
    blind = any(
        getattr(module, stage, module) is None
        for module in enhancer.modules()
        for stage in ("lip_encoder", "predictive")
    )
    return "lips" in takes and not blind
