"""By how much the sound of a clip is late: given, or detected."""

from typing import NamedTuple

import numpy as np
from scipy.signal import butter, sosfiltfilt

from cmkt_plugin.visual.lips import FRAME_RATE
from cmkt_plugin.visual.sound import SAMPLE_RATE

STEP = 0.01  # seconds between offsets tried, and between envelope values
WINDOW = 17  # envelope values, over which its changes are averaged
SPEECH = (200, 4000)  # Hz
LONGEST = 600  # seconds: of an hour, ten minutes tell enough
FEWEST = 25  # movements of the mouth, of which anything can be told


class Offset(NamedTuple):
    """An offset and how sure it is.

    Arguments
    ---------
    ms : float
        How late the sound is against the picture (ms); below 0: early.
    correlation : float or None
        Of mouth and sound, moved by that; None where it was given.
    """

    ms: float
    correlation: float = None


class GivenOffset:
    """The same offset for every clip.

    Arguments
    ---------
    ms : float
        How late the sound is against the picture (ms).

    Example
    -------
    >>> GivenOffset(80)(None, None, None, None)
    Offset(ms=80.0, correlation=None)
    """

    def __init__(self, ms=0.0):
        self.settings = {"offset_ms": float(ms)}

    def __call__(self, pixels, present, samples, lead):
        """The offset, whatever the clip; see ``DetectedOffset``."""
        return Offset(self.settings["offset_ms"])


class DetectedOffset:
    """Finds the offset at which mouth and sound change together.

    Correlated are the logarithm of how much the crops change from frame to
    frame and how much the envelope of the sound changes. On GRID's eleven
    clips of 3 s, which are in step, the highest correlation lies at -10 to
    30 ms. Of a second or two nothing is certain, and of drawn lips little: give
    an offset that is known, as of one camera, instead.

    Arguments
    ---------
    largest : float
        The largest offset looked for (ms).
    certain : float
        Correlation times the root of the number of frames, below which
        nothing is moved: of few frames, high correlations come by chance
        (0.45 at 230 ms in 1.7 s that are in step).
    smallest : float
        Offsets up to it count as none (ms): less than a frame cannot be told
        from a short clip.

    Example
    -------
    >>> still = np.zeros((50, 96, 96), np.uint8)
    >>> DetectedOffset()(still, np.ones(50), np.zeros(32000), 0.0)
    Offset(ms=0.0, correlation=0.0)
    """

    def __init__(self, largest=400.0, certain=4.5, smallest=40.0):
        self.settings = {
            "largest_offset_ms": float(largest),
            "certain": certain,
            "smallest_offset_ms": float(smallest),
        }

    def __call__(self, pixels, present, samples, lead):
        """Detects the offset of one clip.

        Arguments
        ---------
        pixels : numpy.ndarray
            Crops (frames, 96, 96), uint8, at 25 frames/s.
        present : numpy.ndarray
            Whether a face was found (frames,).
        samples : numpy.ndarray
            The sound at 16 kHz (time,).
        lead : float
            When the sound begins after the first frame (s), by the file.

        Returns
        -------
        Offset
            0 where it is smaller than can be told, or uncertain.
        """
        movement, times = mouth_movement(
            pixels[: LONGEST * FRAME_RATE], present[: LONGEST * FRAME_RATE]
        )
        changes = envelope_changes(samples[: LONGEST * SAMPLE_RATE])
        steps = round(self.settings["largest_offset_ms"] / 1000 / STEP)
        offsets = STEP * np.arange(-steps, steps + 1)
        found = [
            _correlation(movement, changes, times + offset - lead)
            for offset in offsets
        ]
        best = int(np.argmax(found))
        ms, correlation = 1000 * float(offsets[best]), found[best]
        certainty = correlation * len(movement) ** 0.5
        certain = certainty >= self.settings["certain"]
        if not certain or abs(ms) <= self.settings["smallest_offset_ms"]:
            ms = 0.0
        return Offset(round(ms, 1), round(correlation, 3))


def offset_of(wanted):
    """What gives the offset of each clip.

    Arguments
    ---------
    wanted : float, str or callable
        ms, "auto", or an object as the two above.

    Returns
    -------
    callable

    Raises
    ------
    ValueError
        If it is none of them.

    Example
    -------
    >>> offset_of("auto").settings["largest_offset_ms"]
    400.0
    """
    if callable(wanted):
        return wanted
    if wanted == "auto":
        return DetectedOffset()
    try:
        ms = float(wanted)
    except (TypeError, ValueError):
        ms = float("nan")
    if not np.isfinite(ms):
        raise ValueError(
            f"offset {wanted!r}: expected by how many ms the sound is late, "
            "or 'auto'"
        )
    return GivenOffset(ms)


def mouth_movement(pixels, present):
    """How much the crops change.

    Arguments
    ---------
    pixels, present : numpy.ndarray
        As for ``DetectedOffset``.

    Returns
    -------
    movement : numpy.ndarray
        Logarithm of the mean change (changes,), where two frames that follow
        each other have a face.
    times : numpy.ndarray
        When it happens: between the two (s).
    """
    present = np.asarray(present) != 0
    there = np.flatnonzero(present[1:] & present[:-1])
    # The inner part: the rest is the border of the face.
    mouths = pixels[:, 24:80, 16:80]
    changes = np.array(
        [np.abs(np.int16(mouths[n + 1]) - mouths[n]).mean() for n in there]
    )
    # The floor keeps frames that are alike from weighing most.
    floor = 0.2 * changes.mean() + 1e-3 if len(changes) else 1.0
    return np.log(changes + floor), (there + 0.5) / FRAME_RATE


def envelope_changes(samples):
    """How much the sound's envelope changes, every 10 ms.

    Arguments
    ---------
    samples : numpy.ndarray
        Sound at 16 kHz (time,).

    Returns
    -------
    numpy.ndarray
        Smoothed changes of the compressed envelope (values,).
    """
    hop = round(STEP * SAMPLE_RATE)
    if len(samples) <= 4 * hop:
        return np.zeros(2)
    band = butter(2, SPEECH, "bandpass", fs=SAMPLE_RATE, output="sos")
    power = sosfiltfilt(band, samples) ** 2
    power = np.convolve(power, np.ones(2 * hop + 1), "same")[::hop]
    # Compressed as loudness is (power 0.3): else the loudest vowel decides.
    envelope = np.maximum(power, 0) ** 0.15
    changes = np.abs(np.gradient(envelope))
    return np.convolve(changes, np.hanning(WINDOW), "same")


def _correlation(movement, changes, times):
    """Correlation of movements with the changes of the sound at times (s)."""
    heard = (times >= 0) & (times <= STEP * (len(changes) - 1))
    if heard.sum() < FEWEST:
        return 0.0
    sound = np.interp(times[heard], STEP * np.arange(len(changes)), changes)
    picture = movement[heard]
    spread = sound.std() * picture.std()
    if spread < 1e-12:  # silence, or a face that stands still
        return 0.0
    product = (sound - sound.mean()) * (picture - picture.mean())
    return float(product.mean() / spread)
