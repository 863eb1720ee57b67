"""Enhances signals of any sampling rate with a model of one rate."""

import numpy as np
import soxr


def enhance_at_rate(
    noisy, rate, enhance, model_rate, dry_wet=1.0, keep_high_band=False
):
    """Enhances windows of recordings at the recordings' rate.

    Arguments
    ---------
    noisy : numpy.ndarray
        Windows (windows, time, channels).
    rate : int
        Their sampling rate (Hz).
    enhance : callable
        Maps signals (time, signals) at the model's rate to such of the same
        shape.
    model_rate : int
        The model's rate (Hz).
    dry_wet : float
        Share of the enhanced signal in the result, 0 to 1; the rest is noisy.
    keep_high_band : bool
        Whether what the model's rate cannot carry is added to the enhanced
        signal, at the level it had.

    Returns
    -------
    numpy.ndarray
        Windows (windows, time, channels).

    Example
    -------
    >>> noisy = np.random.randn(3, 44100, 2).astype("float32")
    >>> enhance_at_rate(noisy, 44100, lambda x: 0.1 * x, 16000).shape
    (3, 44100, 2)
    """
    windows, samples, channels = noisy.shape
    noisy = noisy.transpose(1, 0, 2).reshape(samples, windows * channels)
    low_band = resample(noisy, rate, model_rate)
    wet = resample(enhance(low_band), model_rate, rate, samples)
    if keep_high_band and rate > model_rate:
        wet = wet + (noisy - resample(low_band, model_rate, rate, samples))
    mixed = dry_wet * wet + (1 - dry_wet) * noisy
    return mixed.reshape(samples, windows, channels).transpose(1, 0, 2)


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
        Samples (time, signals).

    Example
    -------
    >>> there = resample(np.zeros((441, 2), dtype="float32"), 44100, 16000)
    >>> there.shape, resample(there, 16000, 44100, samples=441).shape
    ((160, 2), (441, 2))
    """
    if rate != new_rate:
        signals = soxr.resample(signals, rate, new_rate, quality="HQ")
    if samples is not None:
        missing = max(0, samples - len(signals))
        signals = np.pad(signals[:samples], ((0, missing), (0, 0)))
    return signals
