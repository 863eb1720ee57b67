"""Speech as it sounds in a room: exact convolution with its response."""

import numpy as np
from scipy.signal import oaconvolve

from cmkt_plugin.mixing.pcm import FULL_SCALE, read_whole


def reverberate(speech, rir_path, sample_rate, early_ms):
    """Convolves speech with a room impulse response.

    The response is scaled to 1 at its largest value, the direct sound, and
    both results begin there: they are as long as the dry speech, aligned to
    it and about as loud.

    Arguments
    ---------
    speech : numpy.ndarray
        int64 (time,).
    rir_path : str
        File of the response; its first channel counts.
    sample_rate : int
        Rate of the speech and, it must be, of the response (Hz).
    early_ms : float
        Milliseconds after the direct sound that count as early.

    Returns
    -------
    reverberant, early : numpy.ndarray
        int64 (time,): with the whole response, and with its early part.

    Raises
    ------
    ValueError
        If the response is empty, silent or of another rate.
    """
    response = read_whole(rir_path, sample_rate, "a room impulse response")
    direct = int(np.argmax(np.abs(response)))
    if not np.all(np.isfinite(response)) or response[direct] == 0:
        raise ValueError(
            f"{rir_path}: expected a room impulse response, found silence or "
            "values that are not numbers; take it out of the folder"
        )
    taps = np.rint(response / response[direct] * FULL_SCALE)
    early = taps[: direct + 1 + round(early_ms * sample_rate / 1000)]
    return _convolve(speech, taps, direct), _convolve(speech, early, direct)


def _convolve(speech, taps, direct):
    """Convolves integers, exactly, and rounds to the steps of the speech."""
    # The true sums are whole; the FFT's error is far below a half (a minute
    # at full scale through two seconds of full-scale taps: below 0.1).
    sums = np.rint(oaconvolve(speech.astype(np.float64), taps))
    wet = sums[direct : direct + len(speech)]
    return np.rint(wet / FULL_SCALE).astype(np.int64)
