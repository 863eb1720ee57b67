"""A stream of random numbers beside PyTorch's global one.

The transfer draws random numbers too (initial weights, dropout, shifts). If it
drew them from the global generator, a baseline of the same seed would see
other dropout masks, and the two runs would differ by more than the transfer.
"""

import contextlib

import torch


class RandomStream:
    """Switches PyTorch's generators to a stream of its own while in use.

    Arguments
    ---------
    seed : int
        Seed of the stream.

    Example
    -------
    >>> _ = torch.manual_seed(0)
    >>> expected = torch.rand(2)
    >>> _ = torch.manual_seed(0)
    >>> stream = RandomStream(seed=1)
    >>> with stream.active():
    ...     first = torch.rand(2)
    >>> bool((torch.rand(2) == expected).all())
    True
    >>> with stream.active():  # goes on where it stopped
    ...     bool((torch.rand(2) == first).any())
    False
    """

    def __init__(self, seed):
        self.seed = seed
        self.states = {}

    @contextlib.contextmanager
    def active(self, device="cpu"):
        """Use the stream for what draws random numbers on ``device``.

        Arguments
        ---------
        device : torch.device or str
            A device with a generator of its own: the CPU or a GPU.

        Yields
        ------
        None
        """
        device = torch.device(device)
        if device.type == "cuda" and device.index is None:
            device = torch.device("cuda", torch.cuda.current_device())
        cuda = [device] if device.type == "cuda" else []
        with torch.random.fork_rng(devices=cuda):
            if device in self.states:
                self._resume(device)
            else:
                self._begin(device)
            yield
            self.states[device] = (
                torch.get_rng_state(),
                torch.cuda.get_rng_state(device) if cuda else None,
            )

    def _begin(self, device):
        # Not torch.manual_seed: it would reseed every GPU of the process.
        torch.default_generator.manual_seed(self.seed)
        if device.type == "cuda":
            torch.cuda.default_generators[device.index].manual_seed(self.seed)

    def _resume(self, device):
        on_cpu, on_device = self.states[device]
        torch.set_rng_state(on_cpu)
        if on_device is not None:
            torch.cuda.set_rng_state(on_device, device)
