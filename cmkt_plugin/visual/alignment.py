"""Cuts picture and sound of a clip to what has both."""

from math import ceil

from cmkt_plugin.visual.lips import FRAME_RATE
from cmkt_plugin.visual.sound import SAMPLE_RATE


def cut_to_both(frames, samples, lead, tolerance):
    """Says which frames and samples are of the same time.

    The first frame kept and the first sample kept belong together to a
    sample: that is where an offset of less than a frame goes.

    Arguments
    ---------
    frames : int
        Frames of the picture, 25 a second.
    samples : int
        Samples of the sound, 16 kHz.
    lead : float
        When the sound begins after the first frame (s); below 0: before it.
    tolerance : float
        How much of the longer may be cut (s).

    Returns
    -------
    frames, samples : slice
        What to keep. A frame that is begun counts.

    Raises
    ------
    ValueError
        If more than the tolerance would be cut.

    Example
    -------
    >>> cut_to_both(75, 48000, lead=0.05, tolerance=0.5)
    (slice(2, 75, None), slice(480, 47200, None))
    """
    seconds = [frames / FRAME_RATE, samples / SAMPLE_RATE]
    # The least bit less: a whole frame is not to be rounded up to two.
    skipped = max(0, ceil(lead * FRAME_RATE - 1e-6))
    begin = max(0, round((skipped / FRAME_RATE - lead) * SAMPLE_RATE))
    step = SAMPLE_RATE // FRAME_RATE
    kept = min((frames - skipped) * step, samples - begin)
    cut = max(seconds) - max(kept, 0) / SAMPLE_RATE
    if kept <= 0 or cut > tolerance:
        raise ValueError(
            f"{seconds[0]:.2f} s of picture and {seconds[1]:.2f} s of sound, "
            f"which begins {1000 * lead:.0f} ms after it, have "
            f"{max(kept, 0) / SAMPLE_RATE:.2f} s in common; expected to lose "
            f"at most {tolerance} s; cut the longer one, or allow more"
        )
    last = skipped + ceil(kept / step)
    return slice(skipped, last), slice(begin, begin + kept)
