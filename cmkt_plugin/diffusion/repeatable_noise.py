"""Noise that is the same at every call, for every item and on any device."""

import torch


class RepeatableNoise:
    """Draws noise from a generator of its own.

    All items of a batch get the same noise: what one alone would get.

    Arguments
    ---------
    seed : int
        Of the generator.

    Example
    -------
    >>> x = torch.zeros(3, 2, 5, dtype=torch.complex64)
    >>> noise = RepeatableNoise(seed=0)(x)
    >>> noise.shape, torch.equal(noise[0], RepeatableNoise(seed=0)(x[1:])[1])
    (torch.Size([3, 2, 5]), True)
    """

    def __init__(self, seed):
        # Of the CPU: a GPU's would draw others.
        self.generator = torch.Generator().manual_seed(seed)

    def __call__(self, x):
        """Noise of variance 1 like x (batch, ...)."""
        noise = torch.randn(
            x.shape[1:], dtype=x.dtype, generator=self.generator
        )
        return noise.to(x.device).expand_as(x)
