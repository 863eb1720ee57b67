"""From a latent sequence to a clean complex spectrum."""

import torch
from torch import nn

EPSILON = 1e-12  # the root has no slope at 0


class ComplexMask(nn.Module):
    """Bounded complex ratio mask, and optionally a mapping added to it.

    Estimate ``M Y + R`` with ``M = bound * tanh(|z|) * z / |z|``, z and R
    complex and predicted. Without training M is about 1 and R is 0.

    Arguments
    ---------
    width : int
        Width of the latent.
    bins : int
        Frequencies of the spectrum.
    bound : float
        Largest magnitude of the mask, above 1.
    mapping : bool
        Whether to add R: where noise hides speech, no mask of the noise
        gives it back.

    Raises
    ------
    ValueError
        If the bound is not above 1.

    Example
    -------
    >>> mask = ComplexMask(width=8, bins=5, bound=2.0)
    >>> spectrum = torch.randn(2, 5, 7, dtype=torch.complex64)
    >>> mask(torch.randn(2, 7, 8), spectrum).shape
    torch.Size([2, 5, 7])
    """

    def __init__(self, width, bins, bound=2.0, mapping=False):
        super().__init__()
        if bound <= 1:
            raise ValueError(
                f"the bound of the mask is {bound}, expected more than 1: "
                "clean parts must be able to pass as they are"
            )
        self.bound = bound
        self.hidden = nn.Linear(width, width)
        self.mask = _head(width, bins)
        with torch.no_grad():
            start = torch.atanh(torch.tensor(1 / bound))
            self.mask.bias[:bins] = start
        self.mapping = _head(width, bins) if mapping else None

    def forward(self, latent, noisy):
        """Estimates the clean spectrum.

        Arguments
        ---------
        latent : torch.Tensor
            (batch, frames, width)
        noisy : torch.Tensor
            Complex (batch, bins, frames).

        Returns
        -------
        torch.Tensor
            Complex (batch, bins, frames).
        """
        hidden = nn.functional.gelu(self.hidden(latent))
        z = _to_complex(self.mask(hidden))
        size = (z.real.square() + z.imag.square() + EPSILON).sqrt()
        estimate = self.bound * torch.tanh(size) / size * z * noisy
        if self.mapping is not None:
            estimate = estimate + _to_complex(self.mapping(hidden))
        return estimate


def _head(width, bins):
    head = nn.Linear(width, 2 * bins)
    nn.init.normal_(head.weight, std=0.01)
    nn.init.zeros_(head.bias)
    return head


def _to_complex(features):
    """(batch, frames, 2 * bins) -> complex (batch, bins, frames)"""
    # Under autocast there are no complex numbers of half precision.
    real, imaginary = features.float().transpose(1, 2).chunk(2, dim=1)
    return torch.complex(real, imaginary)
