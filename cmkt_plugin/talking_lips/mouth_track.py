"""From phones to the movement of a mouth.

Every phone pulls each parameter of the mouth towards the target of its viseme
with a strength that falls exponentially with the distance in time; the
parameter is the mean of the targets so weighted: the dominance functions of
Cohen and Massaro (Modeling coarticulation in synthetic visual speech, 1993).
"""

from typing import NamedTuple

import numpy as np

from cmkt_plugin.talking_lips.visemes import SILENCE, viseme_of
from cmkt_plugin.visual.lips import FRAME_RATE

PARAMETERS = ("opening", "width", "rounding", "teeth", "tongue", "tuck")

# Targets in the order of PARAMETERS; width from -1 (narrow) to 1 (spread),
# the others from 0 to 1; tuck is the lower lip under the upper teeth.
TARGETS = {
    "lips-closed": (0.00, -0.05, 0.10, 0.0, 0.0, 0.0),
    "tongue-front": (0.20, 0.15, 0.00, 0.9, 0.6, 0.0),
    "tongue-back": (0.30, 0.05, 0.05, 0.4, 0.1, 0.0),
    "postalveolar": (0.26, -0.40, 0.55, 1.0, 0.0, 0.0),
    "lip-on-teeth": (0.10, 0.05, 0.00, 1.0, 0.0, 1.0),
    "consonant-rounded": (0.16, -0.70, 0.90, 0.0, 0.0, 0.0),
    "spread": (0.26, 0.80, 0.00, 0.7, 0.3, 0.0),
    "half-spread": (0.50, 0.45, 0.00, 0.6, 0.3, 0.0),
    "open": (0.90, 0.10, 0.00, 0.4, 0.3, 0.0),
    "central": (0.45, 0.00, 0.05, 0.3, 0.2, 0.0),
    "open-rounded": (0.68, -0.45, 0.60, 0.1, 0.1, 0.0),
    "close-rounded": (0.24, -0.80, 1.00, 0.0, 0.0, 0.0),
    "r-coloured": (0.36, -0.25, 0.45, 0.4, 0.1, 0.0),
    SILENCE: (0.02, 0.00, 0.00, 0.0, 0.0, 0.0),
}

# How strongly a viseme insists on its opening, its outline (width, rounding)
# and what is seen inside (teeth, tongue, tuck): closed lips must close, while
# a /k/ takes the lips of its neighbours.
DOMINANCE = {
    "lips-closed": (6.0, 0.5, 2.0),
    "tongue-front": (1.0, 0.3, 1.2),
    "tongue-back": (0.5, 0.2, 0.5),
    "postalveolar": (1.2, 2.0, 2.0),
    "lip-on-teeth": (4.0, 0.5, 4.0),
    "consonant-rounded": (1.5, 3.0, 1.0),
    "spread": (1.0, 1.2, 1.0),
    "half-spread": (1.0, 1.0, 1.0),
    "open": (1.2, 0.8, 1.0),
    "central": (0.6, 0.4, 0.6),
    "open-rounded": (1.2, 1.5, 1.0),
    "close-rounded": (1.2, 2.5, 1.0),
    "r-coloured": (0.8, 1.0, 0.8),
    SILENCE: (0.8, 0.6, 0.8),
}
REACH_BEFORE_S = 0.045  # a phone shows before it sounds ...
REACH_AFTER_S = 0.03  # ... longer than it stays: anticipation
PLATEAU = 0.3  # of a phone's duration, in its middle: full strength
LOWEST = np.array([0, -1, 0, 0, 0, 0], dtype=float)


class Articulation(NamedTuple):
    """How a clip's talker moves the lips.

    Arguments
    ---------
    extent : float
        Size of all movements; 1 takes the targets as they are.
    timing_s : float
        Deviation of a phone's place in time (s).
    spread : float
        Deviation of a phone's targets, as a part of them.
    tremor : float
        Deviation of every frame.
    """

    extent: float = 1.0
    timing_s: float = 0.012
    spread: float = 0.2
    tremor: float = 0.015


def mouth_track(phones, seconds, articulation, rng):
    """Parameters of the mouth for every frame of a clip.

    Arguments
    ---------
    phones : list of Phone
        Of the clip, in order.
    seconds : float
        Length of the clip.
    articulation : Articulation
        The talker's.
    rng : numpy.random.Generator
        Source of the jitter.

    Returns
    -------
    numpy.ndarray
        (frames, parameters), frame j at j / 25 s.

    Example
    -------
    >>> from cmkt_plugin.talking_lips.synthesis import Phone
    >>> phones = [Phone(0.1, 0.3, "b"), Phone(0.3, 0.6, "ɑ")]
    >>> still = Articulation(timing_s=0, spread=0, tremor=0)
    >>> track = mouth_track(phones, 0.7, still, np.random.default_rng(0))
    >>> track.shape
    (18, 6)
    >>> bool(track[5, 0] < 0.1 < 0.6 < track[11, 0])  # closed, then open
    True
    """
    draw = rng.standard_normal
    segments = with_pauses(phones, seconds)
    visemes = [viseme for _, _, viseme in segments]
    targets = np.array([TARGETS[viseme] for viseme in visemes])
    # In proportion, or lips would not close; a little everywhere.
    vary = articulation.extent * (1 + articulation.spread * draw(targets.shape))
    targets = targets * vary + 0.2 * articulation.spread * draw(targets.shape)
    centres = np.array([(start + end) / 2 for start, end, _ in segments])
    centres = centres + articulation.timing_s * draw(len(visemes))
    halves = np.array([(end - start) / 2 for start, end, _ in segments])
    frames = np.arange(int(np.ceil(seconds * FRAME_RATE - 1e-9)))
    weights = _dominance(
        visemes, centres, halves * PLATEAU, frames / FRAME_RATE
    )
    track = (weights * targets).sum(1) / weights.sum(1)
    track = track + articulation.tremor * draw(track.shape)
    return np.clip(track, LOWEST, 1)


def with_pauses(phones, seconds):
    """The visemes of a clip, silence where there is no phone.

    Arguments
    ---------
    phones : list of Phone
        Of the clip, in order.
    seconds : float
        Length of the clip.

    Returns
    -------
    list of tuple
        start (s), end (s), viseme: without a gap.

    Example
    -------
    >>> from cmkt_plugin.talking_lips.synthesis import Phone
    >>> with_pauses([Phone(0.1, 0.3, "b")], 0.4)
    [(0.0, 0.1, 'silence'), (0.1, 0.3, 'lips-closed'), (0.3, 0.4, 'silence')]
    """
    segments, at = [], 0.0
    for phone in phones:
        if phone.start > at:
            segments.append((at, phone.start, SILENCE))
        segments.append((phone.start, phone.end, viseme_of(phone.symbol)))
        at = phone.end
    return segments + [(at, seconds, SILENCE)] * (at < seconds)


def _dominance(visemes, centres, plateaus, times):
    """Strength of each phone (frames, phones, parameters)."""
    strengths = np.array([DOMINANCE[viseme] for viseme in visemes])
    strengths = np.repeat(strengths, (1, 2, 3), axis=1)
    away = times[:, None] - centres  # (frames, phones)
    reach = np.where(away < 0, REACH_BEFORE_S, REACH_AFTER_S)
    distance = np.maximum(np.abs(away) - plateaus, 0) / reach
    return strengths * np.exp(-distance)[:, :, None]
