"""Draws from a generator, the same with every version of Python.

Only ``random()`` is used: it is all that Python promises to keep.
"""

import math


def pick(source, items):
    """Draws one of a sequence, with equal probability.

    Arguments
    ---------
    source : random.Random
        The generator.
    items : list or tuple
        What to draw from.

    Example
    -------
    >>> import random
    >>> pick(random.Random(0), "abcd")
    'd'
    """
    return items[int(source.random() * len(items))]


def between(source, bounds):
    """Draws a number with two decimals.

    Arguments
    ---------
    source : random.Random
        The generator.
    bounds : tuple of float
        Lowest and highest.

    Returns
    -------
    float

    Example
    -------
    >>> import random
    >>> between(random.Random(0), (-5, 10))
    7.67
    """
    low, high = bounds
    return round(low + (high - low) * source.random(), 2)


def level_between(source, bounds, step):
    """Draws one of evenly spaced levels, with equal probability.

    Arguments
    ---------
    source : random.Random
        The generator.
    bounds : tuple of float
        The lowest, and the highest that there may be.
    step : float or None
        From one level to the next; None draws any number, as ``between``.

    Returns
    -------
    float

    Example
    -------
    >>> import random
    >>> source = random.Random(0)
    >>> [level_between(source, (-10, 5), step=5) for _ in range(4)]
    [5.0, 5.0, -5.0, -5.0]
    >>> level_between(random.Random(0), (-5, 10), step=None)
    7.67
    """
    if step is None:
        return between(source, bounds)
    low, high = bounds
    # The tolerance keeps the highest where step is no binary fraction.
    count = math.floor((high - low) / step + 1e-6) + 1
    return round(float(low + step * pick(source, range(count))), 2)
