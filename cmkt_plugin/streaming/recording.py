"""Enhances long recordings with a stream: the model's state goes on."""

import numpy as np
import soxr
import torch

from cmkt_plugin.any_rate import QUALITY, fit
from cmkt_plugin.input_checks import check_enhanced


def stream_recording(blocks, size, group, open_channels):
    """Enhances a recording of any length in one go, with bounded memory.

    The counterpart of ``OverlapAdd`` for models that keep a state: nothing is
    cut, so nothing is joined.

    Arguments
    ---------
    blocks : iterable of numpy.ndarray
        The recording from start to end, in blocks (time, channels) of any
        length.
    size : int
        Samples that pass through the model at once, of every channel: the
        fewer, the less memory and the slower.
    group : int
        Channels that pass through the model together.
    open_channels : callable
        Makes a ``StreamedChannels`` for a number of channels.

    Returns
    -------
    iterator of numpy.ndarray
        The enhanced recording from start to end, in pieces (time, channels).
    """
    opened = []
    for block in blocks:
        for first in range(0, len(block), size):
            piece = block[first : first + size]
            groups = np.split(piece, range(group, piece.shape[1], group), 1)
            opened = opened or [open_channels(g.shape[1]) for g in groups]
            pairs = zip(opened, groups)
            yield np.concatenate([c.push(g) for c, g in pairs], axis=1)
    yield np.concatenate([c.flush() for c in opened], axis=1)


class StreamedChannels:
    """Some channels of a recording, at its rate, through one stream.

    Arguments
    ---------
    stream : EnhancementStream
        It has as many channels.
    between : cmkt_plugin.any_rate.RateAndMix
        What is between the recording and the model.
    name : str
        What an error calls the recording.
    listen : callable
        Called with what the model is about to hear (channels, time).

    Example
    -------
    >>> from types import SimpleNamespace
    >>> from cmkt_plugin.any_rate import RateAndMix
    >>> stream = SimpleNamespace(  # a model that does nothing, without delay
    ...     channels=2, push=lambda x: x, flush=lambda: torch.zeros(2, 0)
    ... )
    >>> between = RateAndMix(48000, 16000, keep_high_band=True)
    >>> channels = StreamedChannels(stream, between, "a.wav", lambda x: None)
    >>> noisy = np.random.randn(96000, 2).astype("float32")
    >>> first, rest = channels.push(noisy), channels.flush()
    >>> np.array_equal(np.concatenate([first, rest]), noisy)
    True
    """

    def __init__(self, stream, between, name, listen):
        self.stream, self.between = stream, between
        self.name, self.listen = name, listen
        there = between.rate, between.model_rate
        self._down = _Resampler(*there, stream.channels)
        self._up = _Resampler(*there[::-1], stream.channels)
        # What went in and waits for what comes out, at either rate.
        self._noisy = self._heard = np.zeros((0, stream.channels), "float32")

    def push(self, noisy):
        """Takes the next samples and returns those that are final now.

        Arguments
        ---------
        noisy : numpy.ndarray
            Samples (time, channels).

        Returns
        -------
        numpy.ndarray
            Enhanced samples (time, channels), on from where the last ended.
        """
        self._noisy = np.concatenate([self._noisy, noisy])
        change = self._change(self._down.push(noisy), last=False)
        return self._mixed(self._up.push(change))

    def flush(self):
        """Returns the samples that are left (time, channels)."""
        change = self._change(self._down.flush(), last=True)
        rest = np.concatenate([self._up.push(change), self._up.flush()])
        # There and back, soxr may have rounded to a sample more or less.
        return self._mixed(fit(rest, len(self._noisy)))

    def _change(self, heard, last):
        """What the model makes of its next samples (time, channels)."""
        signals = torch.from_numpy(np.ascontiguousarray(heard.T))
        self.listen(signals)
        enhanced = self.stream.push(signals)
        if last:
            enhanced = torch.cat([enhanced, self.stream.flush()], dim=1)
        self._heard = np.concatenate([self._heard, heard])
        check_enhanced(enhanced, torch.from_numpy(self._heard), self.name)
        heard, self._heard = _split(self._heard, enhanced.shape[1])
        return self.between.change(heard, enhanced.numpy().T)

    def _mixed(self, change):
        noisy, self._noisy = _split(self._noisy, len(change))
        return self.between.mix(noisy, change)


class _Resampler:
    """Resamples piece by piece, to the samples of ``any_rate.resample``."""

    def __init__(self, rate, new_rate, channels):
        self._none = np.zeros((0, channels), "float32")
        self._stream = None
        if rate != new_rate:
            self._stream = soxr.ResampleStream(
                rate, new_rate, channels, "float32", QUALITY
            )

    def push(self, samples):
        if self._stream is None:
            return samples
        return self._stream.resample_chunk(samples)

    def flush(self):
        if self._stream is None:
            return self._none
        return self._stream.resample_chunk(self._none, last=True)


def _split(samples, at):
    # A copy: a view would keep what is done with in memory.
    return samples[:at], samples[at:].copy()
