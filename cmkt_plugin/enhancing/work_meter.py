"""Watches a model at work: how far it is, and a way to stop it."""

import threading
from contextlib import contextmanager


class Stopped(Exception):
    """The model was asked to stop, between two windows of a recording."""


class WorkMeter:
    """Counts the audio that a model hears in each thread.

    A recording of an hour is one file but many windows: with the windows
    counted, its progress can be told, and it need not be finished before a
    Ctrl-C takes effect. Threads cannot be killed.

    Arguments
    ---------
    model : cmkt_plugin.inference.CMKTEnhancement
        The model; each call of its ``enhancer`` is heard within ``watch``.

    Example
    -------
    >>> from types import SimpleNamespace
    >>> from torch import nn, zeros
    >>> from cmkt_plugin.overlap_add import OverlapAdd
    >>> model = SimpleNamespace(
    ...     enhancer=nn.Identity(), sample_rate=16000, windows=OverlapAdd()
    ... )
    >>> meter = WorkMeter(model)
    >>> with meter.watch(), meter.file(seconds=9.0, channels=2):
    ...     _ = model.enhancer(zeros(2, 8000))
    ...     meter.seconds()
    0.5
    """

    def __init__(self, model):
        self.model = model
        self._files = {}  # thread: [seconds heard, duration, factor]
        self._stopped = threading.Event()

    @contextmanager
    def watch(self):
        """Count from now until the end of the ``with`` block."""
        hook = self.model.enhancer.register_forward_pre_hook(self._hear)
        try:
            yield self
        finally:
            hook.remove()

    @contextmanager
    def file(self, seconds, channels):
        """This thread's calls belong to one file from now on.

        Arguments
        ---------
        seconds : float
            Its duration.
        channels : int
            Its channels; each is heard by itself.
        """
        windows, share = self.model.windows, 1.0
        if seconds > windows.window:  # what windows share is heard twice
            share -= 2 * windows.context / windows.window
        thread = threading.get_ident()
        self._files[thread] = [0.0, seconds, share / channels]
        try:
            yield
        finally:
            del self._files[thread]

    def seconds(self):
        """Seconds of the unfinished files that were heard so far."""
        return sum(min(heard, all) for heard, all, _ in [*self._files.values()])

    def stop(self):
        """Make the next call in every thread raise ``Stopped``."""
        self._stopped.set()

    def _hear(self, module, arguments):
        if self._stopped.is_set():
            raise Stopped("stopped before its end")
        file = self._files.get(threading.get_ident())
        if file:
            samples = arguments[0].numel()  # (batch, time)
            file[0] += file[2] * samples / self.model.sample_rate
