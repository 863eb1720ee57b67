"""Watches a model at work: how far it is, and a way to stop it."""

import threading
from contextlib import contextmanager


class Stopped(Exception):
    """The model was asked to stop, in the middle of a recording."""


class WorkMeter:
    """Counts the audio that a model hears in each thread.

    A recording of an hour is one file but many windows, or many pieces of a
    stream: with these counted, its progress can be told, and it need not be
    finished before a Ctrl-C takes effect. Threads cannot be killed.

    Arguments
    ---------
    model : cmkt_plugin.inference.CMKTEnhancement
        The model; the meter is among its ``listeners`` within ``watch``.

    Example
    -------
    >>> from types import SimpleNamespace
    >>> from torch import zeros
    >>> model = SimpleNamespace(sample_rate=16000, streams=True, listeners=[])
    >>> meter = WorkMeter(model)
    >>> with meter.watch(), meter.file(seconds=9.0, channels=2):
    ...     model.listeners[0](zeros(2, 8000))
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
        self.model.listeners.append(self._hear)
        try:
            yield self
        finally:
            self.model.listeners.remove(self._hear)

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
        share = 1.0
        if not self.model.streams and seconds > self.model.windows.window:
            # What windows share is heard twice.
            windows = self.model.windows
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

    def _hear(self, signals):
        if self._stopped.is_set():
            raise Stopped("stopped before its end")
        file = self._files.get(threading.get_ident())
        if file:
            file[0] += file[2] * signals.numel() / self.model.sample_rate
