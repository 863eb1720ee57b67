"""Enhances recordings in windows that overlap, joined by cross-fades."""

from itertools import groupby, islice, pairwise
from math import ceil, floor

import numpy as np


class OverlapAdd:
    """Windows with context on both sides, cross-faded where they overlap.

    The windows begin whole hops of the model apart, so that the frames of two
    neighbours are the same frames: a model that sees no further than
    ``context`` gives what it gives in one pass. A recording that is no longer
    than one window is one pass.

    Arguments
    ---------
    window : float
        Length of a window, its context included (s).
    context : float
        What a window has at least on either side of the part that is kept (s).
    fade : float
        Length of the cross-fade between neighbours (s); 0 joins them hard.
    batch : int
        Windows, counted for every channel, that pass through the model
        together.

    Raises
    ------
    ValueError
        If the windows have no room for the contexts and the cross-fades.

    Example
    -------
    >>> windows = OverlapAdd(window=2.0, context=0.5, fade=0.1)
    >>> windows.spans(samples=40000, rate=10000, hop=100)
    [(0, 20000), (10000, 30000), (20000, 40000)]
    >>> noisy = np.random.randn(40000, 2)  # (time, channels)
    >>> pieces = windows([noisy], 40000, 10000, 100, lambda noisy: 0.5 * noisy)
    >>> np.allclose(np.concatenate(list(pieces)), 0.5 * noisy)
    True
    """

    def __init__(self, window=10.0, context=1.0, fade=0.1, batch=4):
        # "not >" and "not >=" refuse NaN too.
        if not (context > 0 and fade >= 0):
            raise ValueError(
                f"context {context} s and fade {fade} s: expected a positive "
                "context and a fade of 0 s or more"
            )
        if fade > 2 * context:
            raise ValueError(
                f"a fade of {fade} s does not fit in the overlap of two "
                f"windows: expected at most 2 x context = {2 * context} s"
            )
        shortest = 2 * context + 4 * fade
        if not window > shortest:
            raise ValueError(
                f"window {window} s: expected more than 2 x context + 4 x fade "
                f"= {shortest} s; make it longer or the others shorter"
            )
        if batch < 1 or batch != int(batch):
            raise ValueError(
                f"batch {batch}: expected a whole number of windows, 1 or more"
            )
        self.window = window
        self.context = context
        self.fade = fade
        self.batch = int(batch)

    def __call__(self, blocks, samples, rate, hop, enhance):
        """Enhances a recording; holds a few windows of it in memory.

        Arguments
        ---------
        blocks : iterable of numpy.ndarray
            The recording from start to end, in blocks (time, channels) of any
            length.
        samples : int
            Its length.
        rate : int
            Its sampling rate (Hz).
        hop : int or fractions.Fraction
            The model's hop in samples at this rate.
        enhance : callable
            Maps windows (windows, time, channels) to such of the same shape.

        Returns
        -------
        iterator of numpy.ndarray
            The enhanced recording from start to end, in pieces
            (time, channels).
        """
        spans = self.spans(samples, rate, hop)
        enhanced = self._in_batches(cut(blocks, spans), enhance)
        return cross_fade(enhanced, spans, round(self.fade * rate))

    def in_one(self, samples, rate):
        """Whether so many samples at a rate (Hz) are no longer than a window.

        Returns
        -------
        bool
        """
        return samples <= round(self.window * rate)

    def spans(self, samples, rate, hop):
        """Where the windows of a recording begin and end.

        The last window is moved back to be as long as the others.

        Arguments
        ---------
        samples : int
            Length of the recording.
        rate : int
            Its sampling rate (Hz).
        hop : int or fractions.Fraction
            The model's hop in samples at this rate.

        Returns
        -------
        list of tuple of int
            First sample of each window and the one after its last.
        """
        window = round(self.window * rate)
        if self.in_one(samples, rate):
            return [(0, samples)]
        core = window - 2 * ceil(self.context * rate)
        step = nearest_to_hops(core, core // 2, hop)
        spans = [
            (start, start + window)
            for start in range(0, samples - window, step)
        ]
        before = spans[-1][0]
        last = nearest_to_hops(samples - window - before, step, hop)
        return [*spans, (before + last, samples)]

    def _in_batches(self, windows, enhance):
        for (_, channels), equal in groupby(windows, key=np.shape):
            together = max(1, self.batch // channels)
            while batch := list(islice(equal, together)):
                # No copy of the only one: it may have many channels.
                stacked = np.stack(batch) if batch[1:] else batch[0][None]
                yield from enhance(stacked)


def nearest_to_hops(wanted, limit, hop):
    """The sample between two that is nearest to a whole number of hops.

    With rates that have little in common few samples are whole hops.

    Arguments
    ---------
    wanted : int
        The sample that is taken if several are equally near.
    limit : int
        How far it may be from there, in either direction.
    hop : int or fractions.Fraction
        Samples in a hop.

    Returns
    -------
    int
        The sample.

    Example
    -------
    >>> nearest_to_hops(1000, 500, hop=256)
    768
    >>> from fractions import Fraction
    >>> nearest_to_hops(441000, 220500, hop=Fraction(256 * 44100, 16000))
    441000
    """
    if limit < wanted:
        hops = range(floor(wanted / hop), ceil(limit / hop) - 1, -1)
    else:
        hops = range(ceil(wanted / hop), floor(limit / hop) + 1)
    near = (n * hop for n in hops)
    return round(min(near, key=lambda x: abs(x - round(x)), default=limit))


def cut(blocks, spans):
    """Cuts windows out of a recording that comes in blocks.

    Arguments
    ---------
    blocks : iterable of numpy.ndarray
        The recording (time, channels), in blocks of any length.
    spans : list of tuple of int
        First sample of each window and the one after its last, in order.

    Returns
    -------
    iterator of numpy.ndarray
        The windows (time, channels).
    """
    blocks = iter(blocks)
    held, first = next(blocks), 0
    for start, stop in spans:
        held, first = held[start - first :], start
        parts, missing = [held], stop - start - len(held)
        while missing > 0:
            parts.append(next(blocks))
            missing -= len(parts[-1])
        if len(parts) > 1:
            held = np.concatenate(parts)
        yield held[: stop - start]


def cross_fade(windows, spans, fade):
    """Joins windows in the middle of what they have in common.

    Arguments
    ---------
    windows : iterable of numpy.ndarray
        The windows (time, channels).
    spans : list of tuple of int
        First sample of each window and the one after its last, in order.
    fade : int
        Samples of the linear cross-fade; the weights of the two add up to 1.

    Returns
    -------
    iterator of numpy.ndarray
        Pieces (time, channels) that follow on each other.

    Example
    -------
    >>> windows = np.array([[0.0] * 6, [1.0] * 6])[..., np.newaxis]
    >>> pieces = cross_fade(windows, [(0, 6), (4, 10)], fade=2)
    >>> np.concatenate(list(pieces))[:, 0].tolist()
    [0.0, 0.0, 0.0, 0.0, 0.25, 0.75, 1.0, 1.0, 1.0, 1.0]
    """
    rise = (np.arange(fade, dtype="float32")[:, np.newaxis] + 0.5) / fade
    ends = [
        (before + after - fade) // 2
        for (_, before), (after, _) in pairwise(spans)
    ]
    tail, done = None, 0
    for window, (start, stop), end in zip(
        windows, spans, [*ends, spans[-1][1]]
    ):
        if tail is not None:
            head = window[done - start : done - start + fade]
            yield tail + rise * (head - tail)
            done += fade
        yield window[done - start : end - start]
        # A copy: a view would keep the whole window in memory.
        tail, done = window[end - start : end - start + fade].copy(), end
