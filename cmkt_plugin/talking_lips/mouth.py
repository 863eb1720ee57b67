"""Draws the mouth into a portrait."""

import numpy as np

from cmkt_plugin.talking_lips.person import CENTRE_X
from cmkt_plugin.talking_lips.portrait import SUBPIXEL, darker, fixed_point
from cmkt_plugin.visual.media import load_cv2

INSIDE = (32, 22, 62)
TEETH = (205, 220, 226)
TONGUE = (92, 84, 178)
ALONG = np.linspace(-1, 1, 33)
ARCH = 1 - ALONG**2


def draw_mouth(image, person, shape):
    """Draws a mouth of a given shape.

    Arguments
    ---------
    image : numpy.ndarray
        A portrait (384, 384, 4), uint8; changed in place.
    person : Person
        Whose mouth it is.
    shape : numpy.ndarray
        ``mouth_track.PARAMETERS``.

    Example
    -------
    >>> from cmkt_plugin.talking_lips.person import CANVAS, draw_person
    >>> image = np.zeros((CANVAS, CANVAS, 4), dtype="uint8")
    >>> person = draw_person(np.random.default_rng(0))
    >>> draw_mouth(image, person, np.array([0.9, 0, 0, 0.5, 0.3, 0]))
    >>> bool(image[int(person.mouth_y), CENTRE_X].any())
    True
    """
    inner, upper, lower = outlines(person, shape)
    lips = person.lips
    _fill(image, upper, darker(lips, 0.86))
    _fill(image, lower, lips)
    middle = lower[: len(ALONG)] * 0.45 + lower[: len(ALONG) - 1 : -1] * 0.55
    _line(image, middle[10:-10], darker(lips, 1.13), 3)
    _fill(image, inner, INSIDE)
    _inside(image, person, shape, inner)
    # The seam of closed lips is seen, the corners always.
    _line(image, inner[: len(ALONG)], darker(lips, 0.5), 1)
    _line(image, inner[len(ALONG) :], darker(lips, 0.62), 1)
    soften(image, person)


def outlines(person, shape):
    """The polygons of a mouth.

    Arguments
    ---------
    person : Person
        Whose mouth it is.
    shape : numpy.ndarray
        ``mouth_track.PARAMETERS``.

    Returns
    -------
    tuple of numpy.ndarray
        Opening, upper lip, lower lip (points, 2): one edge from left to
        right, then the other one back.
    """
    opening, width, rounding, _, _, tuck = shape
    half = person.mouth_width * (1 + 0.20 * width - 0.30 * rounding)
    gap = 0.95 * person.mouth_width * opening
    x = CENTRE_X + half * ALONG
    form = ARCH ** (0.8 - 0.25 * rounding)
    y = person.mouth_y + 2 * ALONG**2 * (1 - 2 * max(width, 0))
    top, bottom = y - 0.35 * gap * form, y + 0.65 * gap * form - 3 * tuck
    bottom = np.maximum(top, bottom)
    # Shut lips are pressed, rounded ones are pushed forward.
    full = (1 + 0.35 * rounding) * (1 - 2.5 * max(0.0, 0.06 - opening))
    bow = 1 - 0.22 * np.exp(-((ALONG / 0.16) ** 2))
    outer_top = top - person.upper_lip * full * form * bow
    under = person.lower_lip * full * (1 - 0.6 * tuck)
    outer_bottom = bottom + under * form
    return (
        _ring(CENTRE_X + 0.94 * half * ALONG, top, bottom),
        _ring(x, outer_top, top),
        _ring(x, bottom, outer_bottom),
    )


def _ring(x, above, below):
    return np.concatenate(
        [np.stack([x, above], 1), np.stack([x, below], 1)[::-1]]
    )


def _inside(image, person, shape, inner):
    """Teeth and tongue, as far as the opening shows them."""
    opening, _, _, teeth, tongue, tuck = shape
    count = len(ALONG)
    top, bottom = inner[:count], inner[count:][::-1]
    depth = bottom[:, 1] - top[:, 1]
    long = 0.26 * person.mouth_width * (1 + 0.5 * tuck)
    hang = np.minimum(depth, long * teeth * np.minimum(1, 8 * opening))
    edge = top + np.stack([np.zeros(count), hang], 1)
    if hang.max() > 1:
        _fill(image, np.concatenate([top, edge[::-1]]), TEETH)
    rise = depth * min(1.0, 0.25 + tongue) * 0.75 * ARCH
    if tongue > 0.05 and (rise - hang).max() > 1:
        back = bottom - np.stack([np.zeros(count), rise], 1)
        back[:, 1] = np.maximum(back[:, 1], edge[:, 1])
        back, front = back[6:-6], bottom[6:-6]
        _fill(image, np.concatenate([back, front[::-1]]), TONGUE)


def soften(image, person):
    """Blurs the mouth's edges as a lens does."""
    cv2 = load_cv2()
    half = int(1.4 * person.mouth_width)
    y = int(person.mouth_y)
    part = image[y - half : y + half, CENTRE_X - half : CENTRE_X + half]
    part[:] = cv2.GaussianBlur(part, (0, 0), 1.2)


def _fill(image, points, colour):
    cv2 = load_cv2()
    cv2.fillPoly(
        image, [fixed_point(points)], (*colour, 255), cv2.LINE_AA, SUBPIXEL
    )


def _line(image, points, colour, thickness):
    cv2 = load_cv2()
    cv2.polylines(
        image,
        [fixed_point(points)],
        False,
        (*colour, 255),
        thickness,
        cv2.LINE_AA,
        SUBPIXEL,
    )
