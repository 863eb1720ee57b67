"""The sound of a video or audio file: 16 kHz, mono."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from cmkt_plugin.any_rate import resample
from cmkt_plugin.visual.media import load_av, opened, sound_of
from cmkt_plugin.visual.unusable_clip import CORRUPT, NO_SOUND, UnusableClip

SAMPLE_RATE = 16000  # Hz
LARGEST_GAP = 0.25  # seconds of sound that may be missing in between
SMALLEST_GAP = 0.02  # half a frame; containers round times to milliseconds


class Sound(NamedTuple):
    """Sound of one channel.

    Arguments
    ---------
    samples : numpy.ndarray
        float32, full scale is 1 (time,).
    start : fractions.Fraction
        When it begins, on the file's clock (seconds).
    """

    samples: np.ndarray
    start: Fraction


def read_sound(path, sample_rate=SAMPLE_RATE):
    """Decodes the first audio stream of a file.

    Arguments
    ---------
    path : str or Path
        A video, or an audio file of any format that FFmpeg reads.
    sample_rate : int
        The rate wanted (Hz).

    Returns
    -------
    Sound
        The mean of all channels; silence in short gaps.

    Raises
    ------
    UnusableClip
        If there is no sound, or the file is damaged.
    """
    with opened(path) as container:
        stream = sound_of(
            container, path, "leave it out, or name an audio file beside it"
        )
        blocks, start, end, rate = _decode(container, stream)
    if not blocks:
        raise UnusableClip(path, NO_SOUND, "its audio stream has no samples")
    samples = np.concatenate(blocks)
    _require_no_gap(path, len(samples) / rate, float(end - start))
    samples = resample(samples[:, None], rate, sample_rate)[:, 0]
    return Sound(samples, start)


def _decode(container, stream):
    """Blocks of samples, when they begin and end, and their rate (Hz)."""
    # One format for all codecs; rate and channels stay the stream's.
    floats = load_av().AudioResampler(format="fltp")
    blocks, start, end, rate, count = [], None, Fraction(0), None, 0
    for frame in container.decode(stream):
        rate = frame.sample_rate
        time = end if frame.pts is None else frame.pts * frame.time_base
        start = time if start is None else start
        end = time + Fraction(frame.samples, rate)
        gap = time - start - Fraction(count, rate)
        if SMALLEST_GAP < gap <= LARGEST_GAP:
            # Joined, all that follows would be out of step with the lips.
            blocks.append(np.zeros(round(gap * rate), np.float32))
            count += len(blocks[-1])
        for part in floats.resample(frame):
            blocks.append(part.to_ndarray().mean(0))  # (time,)
            count += len(blocks[-1])
    return blocks, start, end, rate


def _require_no_gap(path, found, expected):
    """Refuses what is no short gap but a part that is missing."""
    if abs(found - expected) > LARGEST_GAP:
        raise UnusableClip(
            path,
            CORRUPT,
            f"{found:.2f} s of sound, expected {expected:.2f} s by its time "
            "stamps; write the file anew with FFmpeg",
        )
