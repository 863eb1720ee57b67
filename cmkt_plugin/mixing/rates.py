"""Other sampling rates and other speeds."""

import functools
import math

import numpy as np
import torch
from scipy.signal import resample_poly
from speechbrain.augment.time_domain import Resample


def frames_needed(length, rate, sample_rate):
    """Frames at ``rate`` that give ``length`` samples at ``sample_rate``.

    Example
    -------
    >>> frames_needed(160, rate=44100, sample_rate=16000)
    441
    """
    return -(-length * rate // sample_rate)


def change_rate(samples, rate, new_rate):
    """Resamples, in double precision.

    Arguments
    ---------
    samples : numpy.ndarray
        float64 (time,).
    rate, new_rate : int
        In Hz; unlike a bank of filters, any pair is quick.

    Returns
    -------
    numpy.ndarray
        float64, ceil(time * new_rate / rate) long.
    """
    if rate == new_rate:
        return samples
    common = math.gcd(rate, new_rate)
    return resample_poly(samples, new_rate // common, rate // common)


def length_at_speed(length, speed):
    """Samples left of ``length`` at a speed: as many as ``change_speed`` has.

    Example
    -------
    >>> length_at_speed(1000, 0.9)
    1112
    """
    return -(-length * 100 // round(100 * speed))


def change_speed(samples, speed):
    """Speeds up, with the pitch, as SpeechBrain's ``SpeedPerturb`` does.

    Its own ``forward`` would draw from PyTorch's global generator.

    Arguments
    ---------
    samples : numpy.ndarray
        int64 (time,).
    speed : float
        Factor, in whole hundredths.

    Returns
    -------
    numpy.ndarray
        int64, ceil(time / speed) long.

    Example
    -------
    >>> len(change_speed(np.zeros(1000, dtype=np.int64), 1.25))
    800
    """
    percent = round(100 * speed)
    if percent == 100:
        return samples
    waveform = torch.from_numpy(samples.astype(np.float64)).unsqueeze(0)
    resampled = _speed_perturbation(percent)(waveform).squeeze(0)
    return np.rint(resampled.numpy()).astype(np.int64)


@functools.cache
def _speed_perturbation(percent):
    return Resample(percent, 100, dtype=torch.float64)
