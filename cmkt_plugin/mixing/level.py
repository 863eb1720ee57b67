"""Energies and gains that are the same on every machine."""

import decimal

import numpy as np

# Far more digits than a float has, so that rounding to it is correct.
DIGITS = 40


def energy(samples):
    """Sums the squares, exactly.

    Arguments
    ---------
    samples : numpy.ndarray
        int64 (time,), below 2**20 over up to 2**22 samples.

    Returns
    -------
    int

    Example
    -------
    >>> energy(np.array([3, -4]))
    25
    """
    # On integers this is a plain loop: no BLAS, no rounding.
    return int(np.dot(samples, samples))


def gain(energy_wanted, energy_found, decibel=0.0):
    """The factor that gives samples an energy, correctly rounded.

    sqrt(energy_wanted / energy_found * 10 ** (decibel / 10))

    Arguments
    ---------
    energy_wanted, energy_found : int
        Sums of squares; the second must not be 0.
    decibel : float
        Added to the energy wanted.

    Returns
    -------
    float

    Example
    -------
    >>> gain(4, 1)
    2.0
    >>> gain(1, 1, decibel=-20)
    0.1
    """
    with decimal.localcontext() as context:
        context.prec = DIGITS
        ratio = decimal.Decimal(energy_wanted) / energy_found
        # Through its text: 0.1 dB is a tenth, not the float next to it.
        power = decimal.Decimal(10) ** (decimal.Decimal(str(decibel)) / 10)
        return float((ratio * power).sqrt())
