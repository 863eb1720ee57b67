"""Draws from a generator, the same with every version of Python.

Only ``random()`` is used: it is all that Python promises to keep.
"""


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
