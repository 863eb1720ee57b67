"""Enhances signals of any sampling rate with a model of one rate."""

from math import ceil

import numpy as np
import soxr

QUALITY = "HQ"  # of soxr; a stream and one call then give the same samples


class RateAndMix:
    """Between the signals of a recording and those of the model.

    Resampling loses the top of a band. Above the model's rate that is what
    the model cannot carry; below it, a sliver of the recording's own band.

    Arguments
    ---------
    rate : int
        Sampling rate of the recording (Hz).
    model_rate : int
        The model's (Hz).
    dry_wet : float
        Share of the enhanced signal in the result, 0 to 1; the rest is noisy.
    keep_high_band : bool
        Whether what a recording has above the model's band is added to the
        enhanced signal, at the level it had. What a recording of a lower rate
        loses at its own upper end is always added.

    Example
    -------
    >>> noisy = np.random.randn(44100, 2).astype("float32")
    >>> RateAndMix(44100, 16000).enhance(noisy, lambda x: 0.1 * x).shape
    (44100, 2)
    """

    def __init__(self, rate, model_rate, dry_wet=1.0, keep_high_band=False):
        self.rate, self.model_rate = rate, model_rate
        self.dry_wet = float(dry_wet)  # numpy's would make all float64
        self.keeps_rest = rate < model_rate or (
            keep_high_band and rate > model_rate
        )

    def enhance(self, noisy, enhance):
        """Enhances signals at the recording's rate.

        Arguments
        ---------
        noisy : numpy.ndarray
            Signals (time, signals).
        enhance : callable
            Maps signals (time, signals) at the model's rate to such of the
            same shape.

        Returns
        -------
        numpy.ndarray
            Signals (time, signals).
        """
        heard = resample(noisy, self.rate, self.model_rate)
        change = self.change(heard, enhance(heard))
        change = resample(change, self.model_rate, self.rate, len(noisy))
        return self.mix(noisy, change)

    def change(self, heard, enhanced):
        """What goes back to the recording's rate.

        Arguments
        ---------
        heard, enhanced : numpy.ndarray
            What the model got and gave, at its rate.

        Returns
        -------
        numpy.ndarray
            Only what the model changed, where the recording keeps the rest:
            what resampling loses is then never taken away.
        """
        return enhanced - heard if self.keeps_rest else enhanced

    def mix(self, noisy, change):
        """The result, of ``change`` at the recording's rate.

        Arguments
        ---------
        noisy, change : numpy.ndarray
            The same samples of both.

        Returns
        -------
        numpy.ndarray
            The mixture of enhanced and noisy.
        """
        wet = noisy + change if self.keeps_rest else change
        return self.dry_wet * wet + (1 - self.dry_wet) * noisy


def in_groups(noisy, size, enhance):
    """Enhances windows of recordings, so many signals at a time.

    Arguments
    ---------
    noisy : numpy.ndarray
        Windows (windows, time, channels).
    size : int
        Signals that are resampled and enhanced together: what bounds the
        memory of windows with many channels.
    enhance : callable
        Maps signals (time, signals) to such of the same shape.

    Returns
    -------
    numpy.ndarray
        Windows (windows, time, channels).

    Example
    -------
    >>> in_groups(np.ones((3, 100, 2)), 4, lambda x: x / x.shape[1])[:, 0, 0]
    array([0.25, 0.25, 0.5 ])
    """
    windows, samples, channels = noisy.shape
    signals = noisy.transpose(1, 0, 2).reshape(samples, windows * channels)
    enhanced = np.empty_like(signals)
    for first in range(0, signals.shape[1], size):
        group = slice(first, first + size)
        enhanced[:, group] = enhance(signals[:, group])
    return enhanced.reshape(samples, windows, channels).transpose(1, 0, 2)


def resample(signals, rate, new_rate, samples=None):
    """Resamples signals; their first samples stay at the same time.

    Arguments
    ---------
    signals : numpy.ndarray
        Samples (time, signals).
    rate : int
        Their rate (Hz).
    new_rate : int
        The rate wanted (Hz).
    samples : int or None
        The length wanted, where the way there and back has changed it.

    Returns
    -------
    numpy.ndarray
        Samples (time, signals), at least one.

    Example
    -------
    >>> there = resample(np.zeros((441, 2), dtype="float32"), 44100, 16000)
    >>> there.shape, resample(there, 16000, 44100, samples=441).shape
    ((160, 2), (441, 2))
    """
    if rate != new_rate:
        # Of less than half a sample at the new rate, soxr would leave none.
        signals = fit(signals, max(len(signals), ceil(rate / new_rate)))
        signals = soxr.resample(signals, rate, new_rate, quality=QUALITY)
    return signals if samples is None else fit(signals, samples)


def fit(signals, samples):
    """Cuts signals, or fills them up with zeros, to a number of samples.

    Arguments
    ---------
    signals : numpy.ndarray
        Samples (time, signals).
    samples : int
        Length wanted.

    Returns
    -------
    numpy.ndarray
        Samples (samples, signals).
    """
    missing = samples - len(signals)
    if missing <= 0:
        return signals[:samples]
    return np.pad(signals, ((0, missing), (0, 0)))
