"""Cuts the square around a mouth out of a picture."""

import numpy as np

from cmkt_plugin.visual.lips import SIZE
from cmkt_plugin.visual.media import load_cv2


def crop(image, square, size=SIZE):
    """Crops by an affine map: places and sizes are fractions of pixels.

    Arguments
    ---------
    image : numpy.ndarray
        Grey picture (height, width), uint8.
    square : numpy.ndarray
        Centre's x and y, and the side (pixels). What lies beyond the picture
        is its border, continued.
    size : int
        Pixels of the result's side.

    Returns
    -------
    numpy.ndarray
        (size, size), uint8.

    Example
    -------
    >>> image = np.arange(200, dtype=np.uint8)[None].repeat(200, 0)
    >>> crop(image, (100, 100, 96))[0, [0, 95]].tolist()
    [52, 147]
    """
    cv2 = load_cv2()
    x, y, side = square
    # A large face is sampled densely and then averaged: no moire.
    fine = size * max(1, round(side / size))
    scale = side / fine
    # A box's edges lie half a pixel before the centre of its first pixel.
    left, top = (centre - side / 2 + scale / 2 - 0.5 for centre in (x, y))
    back = np.array([[scale, 0, left], [0, scale, top]])
    crops = cv2.warpAffine(
        image,
        back,
        (fine, fine),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return cv2.resize(crops, (size, size), interpolation=cv2.INTER_AREA)
