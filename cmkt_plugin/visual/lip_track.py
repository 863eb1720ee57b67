"""The lips of a whole recording, window by window of its sound."""

from itertools import islice, repeat
from math import ceil

import numpy as np
import torch

from cmkt_plugin.overlap_add import cut
from cmkt_plugin.visual.lips import FRAME_RATE, SIZE, Lips


class LipTrack:
    """Mouth regions of one recording, prepared.

    Arguments
    ---------
    pixels : numpy.ndarray
        Grey crops (frames, 96, 96), uint8, at 25 frames/s, the first at the
        beginning of the sound. Only the frames of a window are ever copied:
        it may be mapped from a file.
    present : numpy.ndarray or None
        Whether a face was found in each frame (frames,); None: in all.

    Raises
    ------
    ValueError
        If shapes or types are others.

    Example
    -------
    >>> track = LipTrack(np.ones((50, SIZE, SIZE), np.uint8))
    >>> for pixels, present in track.windows([(0.0, 1.6), (1.6, 2.2)]):
    ...     print(pixels.shape, present.sum())
    (40, 96, 96) 40
    (15, 96, 96) 10
    """

    def __init__(self, pixels, present=None):
        # asanyarray: a mapped file stays one.
        self.pixels = np.asanyarray(pixels)
        is_lips = self.pixels.dtype == np.uint8 and len(self.pixels) > 0
        if not is_lips or self.pixels.shape[1:] != (SIZE, SIZE):
            raise ValueError(
                f"the lips are {self.pixels.shape} {self.pixels.dtype}, "
                f"expected grey crops (frames, {SIZE}, {SIZE}) of uint8 at "
                f"{FRAME_RATE} frames/s: 'cmkt lips' makes them of a video"
            )
        if present is None:
            present = np.ones(len(self.pixels))
        self.present = np.asarray(present) != 0
        if self.present.shape != self.pixels.shape[:1]:
            raise ValueError(
                f"present has shape {self.present.shape}, expected one mark "
                f"for each of {len(self.pixels)} frames"
            )

    def windows(self, spans):
        """The frames that are shown in pieces of the sound.

        Arguments
        ---------
        spans : list of tuple of float
            Beginning and end of each piece (s), in order; none begins after
            the end of the one before.

        Yields
        ------
        pixels : numpy.ndarray
            Crops (frames, 96, 96) that begin with the piece; zeros where
            there is no picture.
        present : numpy.ndarray
            1 where a face was found (frames,), uint8.
        """
        frames = [frame_span(*span) for span in spans]
        for window in cut(self._crops(frames[-1][1]), frames):
            yield window["pixels"], window["present"]

    def _crops(self, count):
        """The first frames in blocks, filled up with absent ones."""
        for first in range(0, count, FRAME_RATE):
            block = absent(FRAME_RATE)
            pixels = self.pixels[first : first + FRAME_RATE]
            block["pixels"][: len(pixels)] = pixels
            block["present"][: len(pixels)] = self.present[first:][:FRAME_RATE]
            yield block


def frame_span(start, stop):
    """The frames that are shown between two times (s).

    As in training, a frame that is begun counts.

    Example
    -------
    >>> frame_span(1.6, 2.21)
    (40, 56)
    """
    first = round(start * FRAME_RATE)
    # Of 10 s there are 250, also where a division has rounded up.
    return first, first + max(1, ceil((stop - start) * FRAME_RATE - 1e-6))


def absent(frames):
    """Frames without a face.

    Arguments
    ---------
    frames : int
        How many.

    Returns
    -------
    numpy.ndarray
        (frames,) with the fields ``pixels`` (96, 96) and ``present``.
    """
    crops = np.dtype(
        [("pixels", np.uint8, (SIZE, SIZE)), ("present", np.uint8)]
    )
    return np.zeros(frames, crops)


class WindowLips:
    """An enhancer that is shown the lips of the windows it gets.

    The windows of a recording come in their order, each with all its
    channels, but in groups of any size.

    Arguments
    ---------
    enhancer : callable
        ``enhancer(noisy, lengths, lips=lips)``.
    track : LipTrack
        The lips of the recording.
    spans : list of tuple of float
        Beginning and end of each window (s).
    channels : int
        Channels of the recording; all are shown the same lips.

    Example
    -------
    >>> track = LipTrack(np.ones((50, SIZE, SIZE), np.uint8))
    >>> seen = WindowLips(
    ...     lambda noisy, lengths, lips: lips.present.sum(dim=1).tolist(),
    ...     track,
    ...     [(0.0, 1.5), (1.0, 2.5)],
    ...     channels=1,
    ... )
    >>> seen(torch.zeros(2, 24000), torch.ones(2))
    [38, 25]
    """

    def __init__(self, enhancer, track, spans, channels):
        self.enhancer = enhancer
        self._clips = (
            clip
            for window in track.windows(spans)
            for clip in repeat(window, channels)
        )

    def __call__(self, noisy, lengths):
        """Enhances waveforms (batch, time), the next of the recording."""
        clips = islice(self._clips, len(noisy))
        pixels, present = (
            torch.from_numpy(np.stack(part)).to(noisy.device)
            for part in zip(*clips)
        )
        return self.enhancer(noisy, lengths, lips=Lips(pixels, present))
