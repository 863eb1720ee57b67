"""The picture of a video: grey, upright, 25 frames/s whatever it had."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from cmkt_plugin.visual.lips import FRAME_RATE
from cmkt_plugin.visual.media import opened, picture_of
from cmkt_plugin.visual.unusable_clip import CORRUPT, NO_PICTURE, UnusableClip

# Seconds after which a picture that stands still shows no lips any more.
STALE = Fraction(1, 5)
LONGEST_GAP = 60  # seconds between frames; more is a broken time stamp
LATE = 0.5  # seconds by which a picture may end before the file says
VARIABLE = 0.25  # of the usual distance of frames, by which others differ


class Frame(NamedTuple):
    """A picture of a video.

    Arguments
    ---------
    time : fractions.Fraction
        When it is shown, on the file's clock (seconds).
    duration : fractions.Fraction
        How long (seconds).
    image : numpy.ndarray or None
        Grey picture (height, width), uint8; None where FFmpeg has patched
        what was damaged.
    """

    time: Fraction
    duration: Fraction
    image: np.ndarray


def read_frames(path):
    """Decodes a video's frames, upright and with square pixels.

    Arguments
    ---------
    path : str or Path
        The video. Phones write portrait videos lying down, with a note by how
        much to turn them: they are turned.

    Yields
    ------
    Frame

    Raises
    ------
    UnusableClip
        If there is no picture, or the file is damaged.
    """
    with opened(path) as container:
        stream = _video_stream(path, container)
        usual = 1 / (stream.average_rate or stream.guessed_rate or FRAME_RATE)
        time = None
        for frame in container.decode(stream):
            time = _next_time(path, frame, time, usual)
            duration = (frame.duration or 0) * frame.time_base or usual
            image = None if frame.is_corrupt else _upright(frame, stream)
            yield Frame(time, duration, image)
        if time is None:
            raise UnusableClip(path, NO_PICTURE, "its picture has no frames")
        _require_end(path, stream, time + duration)


def at_frame_rate(frames, start=None, rate=FRAME_RATE):
    """Resamples frames by their time stamps.

    Frame j is the one that is shown at ``start + j / rate``, rounded to half
    a frame as by FFmpeg's filter ``fps``: other and variable frame rates need
    nothing else.

    Arguments
    ---------
    frames : iterable of Frame
        As from ``read_frames``.
    start : fractions.Fraction or None
        When the first is shown (seconds on the file's clock); None takes the
        time of the first frame.
    rate : int
        Frames per second.

    Yields
    ------
    numpy.ndarray or None
        A picture; None where there is none: before the first frame, and where
        one stands still for longer than ``STALE``.

    Example
    -------
    >>> half = Fraction(1, 50)  # 50 frames/s
    >>> frames = [Frame(j * half, half, j) for j in range(6)]
    >>> list(at_frame_rate(frames))
    [0, 2, 4]
    >>> list(at_frame_rate(frames, start=Fraction(-1, 25)))
    [None, 0, 2, 4]
    """
    slot, shown = 0, None
    for frame in frames:
        start = frame.time if start is None else start
        while _end(start, slot, rate) <= frame.time:
            yield _if_fresh(shown, start + Fraction(slot, rate))
            slot += 1
        shown = frame
    while shown and _end(start, slot, rate) <= shown.time + shown.duration:
        yield _if_fresh(shown, start + Fraction(slot, rate))
        slot += 1


class Timing(NamedTuple):
    """When a video's frames are shown, on the file's clock (seconds)."""

    start: Fraction
    end: Fraction
    rate: float  # frames per second, on average
    is_variable: bool


def timing(spans):
    """Sums up when frames are shown.

    Arguments
    ---------
    spans : list of tuple
        Time and duration of each frame (seconds).

    Returns
    -------
    Timing

    Example
    -------
    >>> timing([(0.0, 0.5), (0.5, 0.5), (1.0, 0.5), (2.5, 0.5)])
    Timing(start=0.0, end=3.0, rate=1.333..., is_variable=True)
    """
    times = np.array([float(time) for time, _ in spans])
    last, duration = spans[-1]
    end = last + duration
    # Of a single frame, its own duration.
    steps = np.diff(times) if len(times) > 1 else np.array([float(duration)])
    usual = np.median(steps)
    return Timing(
        spans[0][0],
        end,
        len(spans) / float(end - spans[0][0]),
        bool(np.any(np.abs(steps - usual) > VARIABLE * usual)),
    )


def _video_stream(path, container):
    stream = picture_of(container)
    if stream is None:
        raise UnusableClip(
            path,
            NO_PICTURE,
            "expected a video stream, found "
            f"{', '.join(s.type for s in container.streams) or 'nothing'}; "
            "leave it out, or name the file that holds the picture",
        )
    return stream


def _next_time(path, frame, before, usual):
    """The time of a frame; old formats (AVI) do not note all of them."""
    if frame.pts is not None:
        time = frame.pts * frame.time_base
    else:
        time = Fraction(0) if before is None else before + usual
    if before is not None and not before <= time <= before + LONGEST_GAP:
        raise UnusableClip(
            path,
            CORRUPT,
            f"a frame at {float(time):.2f} s follows one at "
            f"{float(before):.2f} s; write the file anew with FFmpeg",
        )
    return time


def _require_end(path, stream, end):
    """Refuses a file that is shorter than it says: a download cut off."""
    begun = (stream.start_time or 0) * stream.time_base
    if stream.duration:
        promised = begun + stream.duration * stream.time_base
    else:  # Matroska has it as a text
        hours, minutes, seconds = map(
            Fraction, stream.metadata.get("DURATION", "0:0:0").split(":")
        )
        promised = 3600 * hours + 60 * minutes + seconds
    if promised - end > LATE:
        raise UnusableClip(
            path,
            CORRUPT,
            f"its picture ends at {float(end):.2f} s, expected "
            f"{float(promised):.2f} s; copy or download it again",
        )


def _upright(frame, stream):
    shape = stream.sample_aspect_ratio or 1
    width = round(frame.width * shape) if shape > 0 else frame.width
    image = frame.to_ndarray(format="gray", width=width)
    turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, turns))


def _end(start, slot, rate):
    return start + Fraction(2 * slot + 1, 2 * rate)


def _if_fresh(frame, time):
    if frame is None or time > frame.time + STALE:
        return None
    return frame.image
