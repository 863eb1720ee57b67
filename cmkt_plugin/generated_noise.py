"""Noise made from random numbers: coloured noise, hum and clatter.

Every function takes a random generator and a length in samples and returns
float64 noise of arbitrary level. The ranges of `TRAIN` and `TEST` do not
overlap, so that no test noise was heard in training.
"""

from dataclasses import dataclass

import numpy as np

RATE = 16000


@dataclass(frozen=True)
class Ranges:
    """Lowest and highest value of what is drawn for each item.

    Arguments
    ---------
    slope : tuple
        Coloured noise: its power falls with frequency to this exponent.
    modulation_hz : tuple
        Rate of the slow change of level, Hz.
    hum_hz : tuple
        Fundamental of the hum, Hz.
    ring_hz : tuple
        Resonance of a struck object, Hz.
    hits_per_s : tuple
        Strokes per second.
    """

    slope: tuple
    modulation_hz: tuple
    hum_hz: tuple
    ring_hz: tuple
    hits_per_s: tuple


TRAIN = Ranges(
    slope=(0.5, 1.2),
    modulation_hz=(0.3, 1.5),
    hum_hz=(48, 110),
    ring_hz=(700, 2000),
    hits_per_s=(4, 8),
)
TEST = Ranges(
    slope=(1.3, 1.8),
    modulation_hz=(1.7, 3.0),
    hum_hz=(120, 180),
    ring_hz=(2200, 3500),
    hits_per_s=(2, 3.5),
)


def coloured(rng, length, ranges):
    """Noise with a falling spectrum whose level swells and fades."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    hertz = np.fft.rfftfreq(length, 1 / RATE)
    # Flat below 50 Hz: otherwise nearly all the power would be inaudible.
    spectrum *= np.maximum(hertz, 50) ** (-rng.uniform(*ranges.slope) / 2)
    noise = np.fft.irfft(spectrum, length)
    seconds = np.arange(length) / RATE
    turn = rng.uniform(*ranges.modulation_hz) * seconds + rng.random()
    level_db = rng.uniform(2, 5) * np.sin(2 * np.pi * turn)
    return noise * 10 ** (level_db / 20)


def hum(rng, length, ranges):
    """A machine's hum: a wavering fundamental, harmonics, a little hiss."""
    seconds = np.arange(length) / RATE
    # 2 ms of wander, less than once a second: pitch wavers by about 1 %
    wander = 0.002 * np.sin(2 * np.pi * rng.uniform(0.3, 1) * seconds)
    phase = 2 * np.pi * rng.uniform(*ranges.hum_hz) * (seconds + wander)
    noise = np.zeros(length)
    for harmonic in range(1, 25):
        height = rng.uniform(0.2, 1) / harmonic
        noise += height * np.sin(harmonic * phase + rng.uniform(0, 2 * np.pi))
    return noise + 0.03 * noise.std() * rng.standard_normal(length)


def clatter(rng, length, ranges):
    """Things knocked together: short strokes that ring and die away."""
    noise = 0.02 * rng.standard_normal(length)
    rate = rng.uniform(*ranges.hits_per_s)
    # One stroke at least: a silent item would have no SNR.
    for _ in range(max(1, rng.poisson(rate * length / RATE))):
        start = rng.integers(length)
        seconds = np.arange(length - start) / RATE
        decay = np.exp(-seconds / rng.uniform(0.02, 0.08))
        ring = np.sin(2 * np.pi * rng.uniform(*ranges.ring_hz) * seconds)
        hiss = rng.standard_normal(len(seconds))
        noise[start:] += rng.uniform(0.3, 1) * decay * (ring + 0.5 * hiss)
    return noise
