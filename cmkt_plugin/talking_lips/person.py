"""A drawn talker: what tells one face from another."""

from typing import NamedTuple

CANVAS = 384  # pixels, of the square on which a talker is drawn
CENTRE_X = CANVAS // 2

# BGR, from dark to light; a talker's skin lies between two neighbours.
SKINS = (
    (45, 66, 106),
    (70, 100, 150),
    (105, 140, 190),
    (135, 172, 217),
    (165, 195, 233),
)
HAIRS = (
    (20, 18, 18),
    (30, 40, 60),
    (40, 70, 115),
    (80, 135, 185),
    (150, 150, 155),
    (45, 75, 160),
)
IRISES = ((35, 50, 75), (60, 75, 60), (120, 90, 60), (25, 30, 45))
HAIRCUTS = ("short", "long", "fringe", "bald", "side")


class Person(NamedTuple):
    """Shape and colours of a talker; lengths in pixels of the canvas.

    Arguments
    ---------
    skin, lips, hair, iris, clothes : tuple
        Colours (blue, green, red), 0 to 255.
    haircut : str
        One of ``HAIRCUTS``.
    half_width, half_height : float
        Of the face.
    jaw : float
        Exponent of the face's outline: 2 is an ellipse, more is squarer.
    eye_y, eye_x, eye_size : float
        Height of the eyes, distance of each from the middle, half width.
    brow, brow_tilt : float
        Thickness; rise from the inner to the outer end.
    nose_y, nose_width : float
        Height of its tip, half width.
    mouth_y, mouth_width : float
        Height of the mouth; half width at rest.
    upper_lip, lower_lip : float
        Thickness.
    beard : float
        Darkness of a beard, 0 for none.
    """

    skin: tuple
    lips: tuple
    hair: tuple
    iris: tuple
    clothes: tuple
    haircut: str
    half_width: float
    half_height: float
    jaw: float
    eye_y: float
    eye_x: float
    eye_size: float
    brow: float
    brow_tilt: float
    nose_y: float
    nose_width: float
    mouth_y: float
    mouth_width: float
    upper_lip: float
    lower_lip: float
    beard: float

    @property
    def chin_y(self):
        """Height of the chin."""
        return self.eye_y + 0.98 * self.half_height


def draw_person(rng):
    """A talker drawn by lot.

    Arguments
    ---------
    rng : numpy.random.Generator
        Decides everything.

    Returns
    -------
    Person

    Example
    -------
    >>> import numpy as np
    >>> draw_person(np.random.default_rng(0)).haircut in HAIRCUTS
    True
    """
    skin = _between(SKINS, rng.uniform(0, len(SKINS) - 1))
    half_width = rng.uniform(104, 122)
    half_height = half_width * rng.uniform(1.22, 1.38)
    eye_y = 166 + rng.uniform(-5, 5)
    mouth_y = eye_y + half_height * rng.uniform(0.60, 0.65)
    return Person(
        skin=skin,
        lips=_lips(skin, rng),
        hair=_hair(skin, rng),
        iris=IRISES[rng.integers(len(IRISES))],
        clothes=tuple(rng.uniform(30, 220, 3)),
        haircut=HAIRCUTS[rng.integers(len(HAIRCUTS))],
        half_width=half_width,
        half_height=half_height,
        jaw=rng.uniform(2.0, 2.7),
        eye_y=eye_y,
        eye_x=half_width * rng.uniform(0.40, 0.45),
        eye_size=half_width * rng.uniform(0.17, 0.21),
        brow=rng.uniform(6, 12),
        brow_tilt=rng.uniform(-4, 6),
        nose_y=eye_y + (mouth_y - eye_y) * rng.uniform(0.56, 0.62),
        nose_width=half_width * rng.uniform(0.18, 0.25),
        mouth_y=mouth_y,
        mouth_width=half_width * rng.uniform(0.34, 0.42),
        upper_lip=rng.uniform(8, 13),
        lower_lip=rng.uniform(11, 18),
        beard=rng.choice([0, 0, 0, rng.uniform(0.15, 0.45)]),
    )


def _between(colours, place):
    """The colour at a place between 0 and the last one's number."""
    low = min(int(place), len(colours) - 2)
    part = place - low
    return tuple(
        (1 - part) * a + part * b
        for a, b in zip(colours[low], colours[low + 1])
    )


def _hair(skin, rng):
    """Of any colour; dark where the skin is dark."""
    choice = HAIRS if sum(skin) > 300 else HAIRS[:2]
    return choice[rng.integers(len(choice))]


def _lips(skin, rng):
    """Redder than the skin, and darker, some much."""
    blue, green, red = skin
    paint = rng.uniform(0.6, 0.85)
    return blue * (paint + 0.08), green * paint, min(255, red * 0.98)
