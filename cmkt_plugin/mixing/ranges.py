"""Refuses knobs of the mixing that are out of their range."""

import math


def require_range(knob, bounds):
    """Refuses bounds that are reversed, or are not two finite numbers.

    Arguments
    ---------
    knob : str
        Their name.
    bounds : tuple of float
        Lowest and highest value (dB).

    Returns
    -------
    tuple of float

    Example
    -------
    >>> require_range("snr", [-5, 10])
    (-5, 10)
    >>> require_range("snr", (10, -5))
    Traceback (most recent call last):
    ValueError: snr is (10, -5): expected [lowest, highest] ...
    """
    try:
        low, high = bounds
        valid = math.isfinite(low) and math.isfinite(high) and low <= high
    except (TypeError, ValueError):
        valid = False
    if not valid:
        raise _wrong(knob, bounds, "[lowest, highest] in dB, e.g. [-5, 10]")
    return low, high


def require_counts(knob, bounds):
    """Refuses bounds that are reversed, or are not two counts.

    Arguments
    ---------
    knob : str
        Their name.
    bounds : tuple of int
        Fewest and most.

    Returns
    -------
    tuple of int

    Example
    -------
    >>> require_counts("babble_talkers", (0, 4))
    Traceback (most recent call last):
    ValueError: babble_talkers is (0, 4): expected [fewest, most], ...
    """
    try:
        low, high = bounds
        whole = isinstance(low, int) and isinstance(high, int)
        valid = whole and 1 <= low <= high
    except (TypeError, ValueError):
        valid = False
    if not valid:
        raise _wrong(knob, bounds, "[fewest, most], from 1, e.g. [3, 6]")
    return low, high


def require_positive(knob, value):
    """Refuses what is not a number above 0.

    Arguments
    ---------
    knob : str
        Its name.
    value : float
        The number.

    Returns
    -------
    float

    Example
    -------
    >>> require_positive("early_ms", -50)
    Traceback (most recent call last):
    ValueError: early_ms is -50: expected a number above 0
    """
    if not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise _wrong(knob, value, "a number above 0")
    return value


def require_probability(knob, value):
    """Refuses what is not within 0 and 1.

    Arguments
    ---------
    knob : str
        Its name.
    value : float
        The probability.

    Example
    -------
    >>> require_probability("rir_probability", -0.5)
    Traceback (most recent call last):
    ValueError: rir_probability is -0.5: expected a probability ...
    """
    if not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise _wrong(knob, value, "a probability between 0 and 1")


def require_speeds(speeds):
    """Refuses speeds that are not factors in whole hundredths.

    Arguments
    ---------
    speeds : list of float
        The factors.

    Returns
    -------
    tuple of float

    Example
    -------
    >>> require_speeds([0.9, 1.0, 1.1])
    (0.9, 1.0, 1.1)
    >>> require_speeds([90, 100])
    Traceback (most recent call last):
    ValueError: speed is [90, 100]: expected factors between 0.5 and 2 ...
    """
    try:
        rounded = tuple(round(float(speed), 2) for speed in speeds)
        valid = rounded and all(
            0.5 <= speed <= 2 and math.isclose(speed, given)
            for speed, given in zip(rounded, speeds)
        )
    except (TypeError, ValueError):
        valid = False
    if not valid:
        raise _wrong(
            "speed",
            speeds,
            "factors between 0.5 and 2 in whole hundredths, e.g. [0.9, 1.1]",
        )
    return rounded


def _wrong(knob, found, expected):
    return ValueError(f"{knob} is {found}: expected {expected}")
