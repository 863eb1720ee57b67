"""Noise as long as the speech: recorded, or the babble of other talkers."""

import numpy as np

from cmkt_plugin.mixing.level import energy, gain
from cmkt_plugin.mixing.pcm import integers, read_cyclic, require_rate
from cmkt_plugin.mixing.rates import change_rate

# Root mean square of a voice in a babble, in 16-bit steps: -30 dB.
VOICE_RMS = 2**10


class SilentNoise(ValueError):
    """A span of digital silence: no gain brings it to an SNR."""


def recorded(path, offset, length, sample_rate):
    """Reads a span of recorded noise.

    Arguments
    ---------
    path : str
        The recording, of any rate.
    offset : int
        Frame, at its own rate, it begins at.
    length : int
        Samples wanted.
    sample_rate : int
        Their rate (Hz).

    Returns
    -------
    numpy.ndarray
        int64 (length,).

    Raises
    ------
    SilentNoise
        If there is nothing in the span.
    """
    span, rate = read_cyclic(path, offset, length, sample_rate)
    noise = integers(change_rate(span, rate, sample_rate)[:length], path)
    _require_sound(noise, path, offset)
    return noise


def babble(talkers, length, sample_rate):
    """Lets talkers speak at once, equally loud.

    Arguments
    ---------
    talkers : tuple of Talker
        Their recordings; shorter ones are repeated.
    length : int
        Samples wanted.
    sample_rate : int
        Their rate and that of the recordings (Hz).

    Returns
    -------
    numpy.ndarray
        int64 (length,).

    Raises
    ------
    SilentNoise
        If a talker's span is silent.
    ValueError
        If a recording has another rate.
    """
    total = np.zeros(length)
    for talker in talkers:
        path = talker.clean_wav
        span, rate = read_cyclic(path, talker.offset, length, sample_rate)
        require_rate(path, rate, sample_rate, "a talker's speech")
        voice = integers(span, path)
        _require_sound(voice, path, talker.offset)
        total += voice * gain(length * VOICE_RMS**2, energy(voice))
    return np.rint(total).astype(np.int64)


def _require_sound(samples, path, offset):
    if not samples.any():
        raise SilentNoise(
            f"{path}: the {len(samples)} samples from frame {offset} on are "
            "digital silence, which no gain brings to an SNR; cut it or take "
            "it out of the folder, and write the manifest again"
        )
