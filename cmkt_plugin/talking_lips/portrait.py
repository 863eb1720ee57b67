"""Draws a talker without the mouth, once for open and once for shut eyes."""

import numpy as np

from cmkt_plugin.talking_lips.person import CANVAS, CENTRE_X
from cmkt_plugin.visual.media import load_cv2

SUBPIXEL = 4  # bits behind the point in coordinates of polygons


def portrait(person, eyes_open=True):
    """Head and shoulders of a talker.

    Arguments
    ---------
    person : Person
        Whom to draw.
    eyes_open : bool
        Whether the eyes are open.

    Returns
    -------
    numpy.ndarray
        Blue, green, red and opacity (384, 384, 4), uint8.

    Example
    -------
    >>> from cmkt_plugin.talking_lips.person import draw_person
    >>> portrait(draw_person(np.random.default_rng(0))).shape
    (384, 384, 4)
    """
    image = np.zeros((CANVAS, CANVAS, 4), dtype="float32")
    _hair_behind(image, person)
    _shoulders(image, person)
    _ears(image, person)
    paint(image, face_outline(person), person.skin)
    _relief(image, person)
    _beard(image, person)
    for side in (-1, 1):
        _eye(image, person, side, eyes_open)
        _brow(image, person, side)
    _nose(image, person)
    _hair_before(image, person)
    image[0] = 0  # or high hair goes on above the canvas
    return np.clip(image, 0, 255).astype("uint8")


def paint(image, points, colour, opacity=1.0, blur=0.0):
    """Fills a polygon, with soft edges if asked.

    Arguments
    ---------
    image : numpy.ndarray
        Changed in place (height, width, 4), float32.
    points : array
        Corners (points, 2), x and y in pixels.
    colour : tuple
        Blue, green, red.
    opacity : float
        1 covers what is below.
    blur : float
        Deviation of the edge in pixels.
    """
    cv2 = load_cv2()
    # Only the polygon's surroundings are touched: 20 times as fast.
    margin = 2 + int(4 * blur)
    left, top = np.maximum(np.min(points, 0).astype(int) - margin, 0)
    right, bottom = np.max(points, 0).astype(int) + margin + 1
    part = image[top:bottom, left:right]
    mask = np.zeros(part.shape[:2], dtype="uint8")
    corners = fixed_point(np.asarray(points) - (left, top))
    cv2.fillPoly(mask, [corners], 255, cv2.LINE_AA, SUBPIXEL)
    cover = mask.astype("float32") * (opacity / 255)
    if blur:
        cover = cv2.GaussianBlur(cover, (0, 0), blur)
    # A soft shade lies on what is there: it makes nothing opaque.
    channels = 3 if blur else 4
    new = np.array((*colour, 255)[:channels], dtype="float32")
    part[:, :, :channels] += cover[:, :, None] * (new - part[:, :, :channels])


def fixed_point(points):
    """Coordinates as OpenCV takes them with fractions of pixels."""
    return np.round(np.asarray(points) * (1 << SUBPIXEL)).astype("int32")


def oval(x, y, half_width, half_height, power=2.0, count=72):
    """Corners of a superellipse (count, 2)."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    cos, sin = np.cos(angle), np.sin(angle)
    round_x = np.sign(cos) * np.abs(cos) ** (2 / power)
    round_y = np.sign(sin) * np.abs(sin) ** (2 / power)
    return np.stack([x + half_width * round_x, y + half_height * round_y], 1)


def darker(colour, factor):
    """A colour, its brightness multiplied."""
    return tuple(min(255, factor * part) for part in colour)


def face_outline(person):
    """Corners of the face: an oval that narrows to the chin."""
    outline = oval(
        CENTRE_X,
        person.eye_y,
        person.half_width,
        person.half_height,
        person.jaw,
    )
    below = np.clip((outline[:, 1] - person.eye_y) / person.half_height, 0, 1)
    narrow = 1 - (0.30 - 0.08 * (person.jaw - 2)) * below**2
    outline[:, 0] = CENTRE_X + (outline[:, 0] - CENTRE_X) * narrow
    outline[:, 1] -= below * 0.02 * person.half_height
    return outline


def _hair_behind(image, person):
    if person.haircut == "bald":
        return
    x, y, wide, high = CENTRE_X, person.eye_y, person.half_width, 1.1
    paint(
        image,
        oval(x, y - 22, wide + 13, person.half_height * high - 18),
        person.hair,
    )
    if person.haircut == "long":
        paint(image, oval(x, y + 70, wide + 22, 170, 3), person.hair)


def _shoulders(image, person):
    x, chin = CENTRE_X, person.chin_y
    neck = 0.55 * person.half_width
    paint(image, oval(x, chin + 130, 185, 118, 3), person.clothes)
    paint(image, oval(x, chin + 6, neck, 60, 4), darker(person.skin, 0.8))
    paint(image, oval(x, chin - 4, neck, 22), darker(person.skin, 0.5), 0.6, 7)


def _ears(image, person):
    if person.haircut == "long":
        return
    for side in (-1, 1):
        x = CENTRE_X + side * (person.half_width + 2)
        paint(
            image, oval(x, person.eye_y + 20, 13, 29), darker(person.skin, 0.9)
        )
        paint(
            image,
            oval(x, person.eye_y + 20, 6, 19),
            darker(person.skin, 0.7),
            0.7,
            3,
        )


def _relief(image, person):
    """Forehead, cheeks and sockets: what light leaves on a face's shape."""
    wide, eye_y = person.half_width, person.eye_y
    bright, dark = darker(person.skin, 1.2), darker(person.skin, 0.55)
    paint(image, oval(CENTRE_X, eye_y - 62, 0.6 * wide, 34), bright, 0.6, 16)
    paint(image, oval(CENTRE_X, person.mouth_y + 44, 26, 15), bright, 0.4, 9)
    for side in (-1, 1):
        x = CENTRE_X + side * person.eye_x
        paint(image, oval(x, eye_y - 3, 0.29 * wide, 17), dark, 0.75, 8)
        paint(
            image,
            oval(x + side * 6, eye_y + 47, 0.25 * wide, 19),
            bright,
            0.75,
            12,
        )
        edge = CENTRE_X + side * 0.98 * wide
        paint(image, oval(edge, eye_y + 45, 16, 110), dark, 0.5, 12)


def _beard(image, person):
    if not person.beard:
        return
    x, y, wide = CENTRE_X, person.mouth_y, person.half_width
    shade = darker(person.hair, 0.9)
    paint(image, oval(x, y + 30, 0.68 * wide, 58, 2.5), shade, person.beard, 9)
    paint(image, oval(x, y - 24, 0.40 * wide, 8), shade, person.beard, 4)


def _eye(image, person, side, is_open):
    x, y, wide = CENTRE_X + side * person.eye_x, person.eye_y, person.eye_size
    high = 0.52 * wide
    lid = darker(person.skin, 0.35)
    if not is_open:
        paint(image, oval(x, y, wide, high), darker(person.skin, 0.85))
        paint(image, oval(x, y + high - 1, wide, 2.5), lid)
        return
    paint(image, oval(x, y - 1.5, wide + 2.5, high + 2.5), lid)
    paint(image, oval(x, y, wide, high), (215, 220, 225))
    paint(image, oval(x, y - 1, 0.9 * high, 0.98 * high), person.iris)
    paint(image, oval(x, y - 1, 0.45 * high, 0.48 * high), (8, 8, 8))
    paint(image, oval(x - 3, y - 4, 2.2, 2.2), (250, 250, 250))
    paint(image, oval(x, y - high, wide, 3.5), darker(lid, 0.7), 0.8, 1.5)


def _brow(image, person, side):
    along = np.linspace(-1, 1, 24)
    x = CENTRE_X + side * (person.eye_x + 1.35 * person.eye_size * along)
    middle = person.eye_y - 1.45 * person.eye_size
    y = middle - person.brow_tilt * along + 5 * along**2
    half = person.brow / 2 * (1.1 - 0.6 * np.clip(along, 0, 1))
    points = np.concatenate(
        [np.stack([x, y - half], 1), np.stack([x, y + half], 1)[::-1]]
    )
    # Darker than the skin, or no cascade finds the face.
    shade = np.minimum(darker(person.hair, 0.6), darker(person.skin, 0.4))
    paint(image, points, shade, 0.8)
    paint(image, points, shade, 0.5, 2)


def _nose(image, person):
    x, tip, wide = CENTRE_X, person.nose_y, person.nose_width
    high = tip - person.eye_y
    bright, dark = darker(person.skin, 1.25), darker(person.skin, 0.55)
    middle = person.eye_y + 0.45 * high
    for side in (-1, 1):
        paint(image, oval(x + side * 15, middle, 6, 0.5 * high), dark, 0.4, 6)
        paint(image, oval(x + side * wide * 0.85, tip + 1, 6, 8), dark, 0.5, 3)
    paint(image, oval(x, middle, 8, 0.6 * high), bright, 0.75, 5)
    paint(image, oval(x, tip - 4, 10, 9), bright, 0.5, 4)
    paint(image, oval(x, tip + 11, wide, 4), dark, 0.5, 3)
    for side in (-1, 1):
        paint(
            image,
            oval(x + side * wide * 0.45, tip + 8, 6, 3.2),
            darker(person.skin, 0.25),
            0.85,
        )
    paint(image, oval(x, tip + 24, 4, 8), dark, 0.25, 3)


def _hair_before(image, person):
    """What of the hair lies over the forehead."""
    if person.haircut == "bald":
        return
    low = {"short": 0.60, "long": 0.64, "fringe": 0.50, "side": 0.56}
    top = person.eye_y - person.half_height
    edge = person.eye_y - low[person.haircut] * person.half_height
    along = np.linspace(-1, 1, 40)
    x = CENTRE_X + (person.half_width + 8) * along
    lean = 14 * along if person.haircut == "side" else 0
    lower = edge + 34 * np.abs(along) ** 3 + lean
    upper = top - 8 + 1.0 * (edge - top) * along**4
    points = np.concatenate(
        [np.stack([x, lower], 1), np.stack([x, upper], 1)[::-1]]
    )
    paint(image, points, person.hair)
    paint(image, points + (0, 6), darker(person.hair, 0.8), 0.4, 5)
