"""Keeps matrix products on a GPU in full float32."""

from contextlib import ContextDecorator
from threading import Lock

import torch

# On a GPU of 2020 or later, products in TF32 have 10 bits of mantissa.
_PRODUCTS = (torch.backends.cuda.matmul, torch.backends.cudnn)


class FullFloat32(ContextDecorator):
    """Switches TF32 off as long as any thread is inside.

    Importing SpeechBrain switches it on for the whole process, for the sake
    of training. What is enhanced would then depend on how it is cut: one pass
    and a stream, or a batch and its items, take other kernels and differ by
    1e-3. The switches belong to the process, so threads are counted: the last
    one to leave restores what the first one found.

    Example
    -------
    >>> torch.backends.cuda.matmul.allow_tf32 = True
    >>> with full_float32:
    ...     torch.backends.cuda.matmul.allow_tf32
    False
    >>> torch.backends.cuda.matmul.allow_tf32
    True
    """

    def __init__(self):
        self._lock = Lock()
        self._inside = 0
        self._before = []

    def __enter__(self):
        with self._lock:
            if not self._inside:
                self._before = [part.allow_tf32 for part in _PRODUCTS]
                self._allow(False, False)
            self._inside += 1

    def __exit__(self, *error):
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._allow(*self._before)

    @staticmethod
    def _allow(*switches):
        for part, allowed in zip(_PRODUCTS, switches):
            part.allow_tf32 = allowed


full_float32 = FullFloat32()
