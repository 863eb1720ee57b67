"""The lips of a video's talker, frame by frame."""

from typing import NamedTuple

import numpy as np

from cmkt_plugin.visual.crop import crop
from cmkt_plugin.visual.face_detector import CascadeDetector
from cmkt_plugin.visual.lips import SIZE
from cmkt_plugin.visual.mouth import MouthGeometry
from cmkt_plugin.visual.video import Timing, at_frame_rate, read_frames, timing


class LipRegions(NamedTuple):
    """Crops of one video at 25 frames/s.

    Arguments
    ---------
    pixels : numpy.ndarray
        Grey crops (frames, 96, 96), uint8; 0 where no face was found.
    present : numpy.ndarray
        Whether one was found (frames,), bool.
    timing : Timing
        Of the video's own frames.
    shape : tuple of int
        Height and width of the picture as it is shown (pixels).
    damaged : int
        Frames of the video that FFmpeg had to patch; they count as absent.
    """

    pixels: np.ndarray
    present: np.ndarray
    timing: Timing
    shape: tuple
    damaged: int


def find_lips(path, detector=None, mouth=None, start=None):
    """Finds the lips in a video.

    The video is decoded twice: smoothing looks ahead, and the frames of a
    long recording do not fit into memory.

    Arguments
    ---------
    path : str or Path
        The video.
    detector : callable
        As ``CascadeDetector``, which is the default.
    mouth : callable
        As ``MouthGeometry``, which is the default.
    start : fractions.Fraction or None
        When the first crop is shown (seconds on the file's clock); None takes
        the time of the first frame.

    Returns
    -------
    LipRegions

    Raises
    ------
    UnusableClip
        If there is no picture, or the file is damaged. A video without a face
        is none of these: its frames are all absent.
    """
    detector, mouth = detector or CascadeDetector(), mouth or MouthGeometry()
    frames = _NotedFrames(path)
    images = at_frame_rate(frames, start)
    faces = [[] if image is None else detector(image) for image in images]
    squares, present = mouth(faces)
    pixels = np.zeros((len(faces), SIZE, SIZE), np.uint8)
    images = at_frame_rate(read_frames(path), start)
    for frame, image in enumerate(images):
        if present[frame]:
            pixels[frame] = crop(image, squares[frame])
    return LipRegions(
        pixels, present, timing(frames.spans), frames.shape, frames.damaged
    )


class _NotedFrames:
    """Frames of a video, and what is known of those that have gone by."""

    def __init__(self, path):
        self.path = path
        self.spans, self.shape, self.damaged = [], (0, 0), 0

    def __iter__(self):
        for frame in read_frames(self.path):
            self.spans.append((frame.time, frame.duration))
            if frame.image is None:
                self.damaged += 1
            else:
                self.shape = frame.image.shape
            yield frame
