"""Where the mouth is: from the face's geometry, smoothed over time."""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter1d


class Mouths(NamedTuple):
    """The square around the mouth in each frame.

    Arguments
    ---------
    squares : numpy.ndarray
        Centre's x and y, and the side (frames, 3), in pixels; 0 without face.
    present : numpy.ndarray
        Whether a face was found (frames,), bool.
    """

    squares: np.ndarray
    present: np.ndarray


class MouthGeometry:
    """Follows one face through the frames and tells where its mouth is.

    A cascade's boxes jump by tenths of their size from frame to frame, which
    would look like speech. So the size is smoothed more than the place: heads
    move, and change their size hardly. Frames without a face count for
    nothing in it, and stay without one.

    Arguments
    ---------
    down : float
        The mouth's centre, below the top of the face's box, as a share of its
        height.
    side : float
        Side of the square, as a share of the box's width. From the nose to
        the chin: lip-reading uses the jaw.
    place_frames, size_frames : float
        Deviations of the Gaussian windows that smooth place and size
        (frames).
    memory : int
        Frames after which a face that was lost is taken for gone: a face at
        another place is then the talker. Until then it must overlap.

    Example
    -------
    >>> from cmkt_plugin.visual.face_detector import Face
    >>> faces = [[Face(100, 50, 100, 100)], [], [Face(100, 50, 100, 100)]]
    >>> mouths = MouthGeometry()(faces)
    >>> mouths.squares[0].round(1).tolist(), mouths.present.tolist()
    ([150.0, 130.0, 55.0], [True, False, True])
    """

    def __init__(
        self,
        down=0.8,
        side=0.55,
        place_frames=3.0,
        size_frames=12.0,
        memory=12,
    ):
        self.settings = {
            "down": down,
            "side": side,
            "place_frames": place_frames,
            "size_frames": size_frames,
            "memory": memory,
        }

    def __call__(self, faces):
        """Tells where the mouth is.

        Arguments
        ---------
        faces : list of list of Face
            The faces found in each frame.

        Returns
        -------
        Mouths
        """
        boxes, takes = follow(faces, self.settings["memory"])
        squares = np.zeros((len(boxes), 3))
        # Smoothed over a cut, the mouth would glide from place to place.
        for take in range(1, takes.max(initial=0) + 1):
            first, last = np.flatnonzero(takes == take)[[0, -1]]
            inside = slice(first, last + 1)
            here = takes[inside] == take
            squares[inside][here] = self._squares(boxes[inside], here)[here]
        return Mouths(squares, takes > 0)

    def _squares(self, boxes, present):
        down, side = self.settings["down"], self.settings["side"]
        centres = boxes[:, :2] + boxes[:, 2:] / 2
        x, y = smooth(centres, present, self.settings["place_frames"]).T
        width, height = smooth(
            boxes[:, 2:], present, self.settings["size_frames"]
        ).T
        return np.stack([x, y + (down - 0.5) * height, side * width], 1)


def follow(faces, memory):
    """Follows the largest face.

    Arguments
    ---------
    faces : list of list of Face
        The faces found in each frame.
    memory : int
        As for ``MouthGeometry``.

    Returns
    -------
    boxes : numpy.ndarray
        Left, top, width, height (frames, 4); zeros without a face.
    takes : numpy.ndarray
        Which stretch a frame belongs to (frames,): 1, 2, ...; 0 without a
        face. A new one begins where the face has jumped.
    """
    boxes = np.zeros((len(faces), 4))
    takes = np.zeros(len(faces), dtype=int)
    last, take = None, 0
    for frame, found in enumerate(faces):
        if last is None or frame - last > memory:
            face = max(found, key=lambda f: f.width * f.height, default=None)
            take += face is not None
        else:
            face = _nearest(found, boxes[last])
        if face is not None:
            boxes[frame], takes[frame], last = face, take, frame
    return boxes, takes


def smooth(values, present, deviation):
    """Averages over time with a Gaussian window, over what is there only.

    Arguments
    ---------
    values : numpy.ndarray
        (frames, width)
    present : numpy.ndarray
        Whether a frame counts (frames,); one must.
    deviation : float
        Of the window (frames).

    Returns
    -------
    numpy.ndarray
        (frames, width)

    Example
    -------
    >>> smooth(np.array([[2.0], [99.0], [2.0]]), np.array([1, 0, 1]), 1.0)
    array([[2.], [2.], [2.]])
    """
    weights = np.asarray(present, dtype=float)[:, None]
    window = {"sigma": deviation, "axis": 0, "mode": "constant"}
    total = gaussian_filter1d(weights * values, **window)
    share = gaussian_filter1d(weights, **window)
    # Far from every face nothing is left to divide by.
    return total / np.maximum(share, 1e-12)


def _nearest(found, box):
    """The face whose centre lies nearest, if it is within half a width."""
    left, top, width, height = box
    centre = np.array([left + width / 2, top + height / 2])

    def distance(face):
        x, y = face.left + face.width / 2, face.top + face.height / 2
        return np.hypot(*(centre - (x, y)))

    face = min(found, key=distance, default=None)
    if face is None or distance(face) > width / 2:
        return None
    return face if width / 2 < face.width < 2 * width else None
