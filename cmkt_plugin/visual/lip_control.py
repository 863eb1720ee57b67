"""Controls: is it the picture that the enhancer gains from?

Each is used as a clip's own lips would be, in training, in the test, or in
both. What helps as much with the lips of another clip is no lip reading.
"""

import random
from collections import Counter

import numpy as np


class OwnLips:
    """Every clip with its own lips: nothing is changed.

    Example
    -------
    >>> entries = {"a": {"lips_file": "a.lips.npz"}, "b": {}}
    >>> OwnLips().sources(entries)
    {'a': 'a.lips.npz', 'b': None}
    """

    def sources(self, entries):
        """Whose lips each clip is shown with.

        Arguments
        ---------
        entries : dict
            Utterance to ``speaker`` and, where there is video, ``lips_file``.

        Returns
        -------
        dict
            Utterance to a file of lips; None for none.
        """
        return {name: entry.get("lips_file") for name, entry in entries.items()}

    def shown(self, pixels, present, utterance):
        """What is shown of them.

        Arguments
        ---------
        pixels : numpy.ndarray
            Grey crops (frames, 96, 96), uint8.
        present : numpy.ndarray
            1 where a face was found (frames,), uint8.
        utterance : str
            The clip.

        Returns
        -------
        pixels, present : numpy.ndarray
            As they came in.
        """
        return pixels, present


class NoLips(OwnLips):
    """Nothing is seen of any clip.

    Example
    -------
    >>> NoLips().sources({"a": {"lips_file": "a.lips.npz"}})
    {'a': None}
    """

    def sources(self, entries):
        """No lips for any clip; see ``OwnLips``."""
        return dict.fromkeys(entries)


class ShuffledLips(OwnLips):
    """Every clip with the lips of another one, of another speaker if possible.

    Arguments
    ---------
    seed : int
        Fixes the permutation.

    Example
    -------
    >>> entries = {
    ...     n: {"lips_file": f"{n}.npz", "speaker": n[0]} for n in ("a1", "b1")
    ... }
    >>> ShuffledLips(seed=1).sources(entries)
    {'a1': 'b1.npz', 'b1': 'a1.npz'}
    """

    def __init__(self, seed):
        self.seed = seed

    def sources(self, entries):
        """Lips permuted among the clips that have any; see ``OwnLips``.

        Raises
        ------
        ValueError
            If there are no two clips to exchange them.
        """
        own = super().sources(entries)
        names = sorted(name for name in own if own[name] is not None)
        if len(names) < 2:
            raise ValueError(
                f"ShuffledLips: found {len(names)} clips with lips in the set, "
                "expected at least two to exchange them; use another control"
            )
        random.Random(f"{self.seed}").shuffle(names)
        names.sort(key=lambda name: entries[name]["speaker"])
        speakers = Counter(entries[name]["speaker"] for name in names)
        # Speaker by speaker, rotated by the most frequent one's clips: nobody
        # meets their own speaker unless that is more than half of all.
        step = max(speakers.values()) if len(speakers) > 1 else 1
        others = names[step:] + names[:step]
        return {**own, **{n: own[other] for n, other in zip(names, others)}}


class DroppedFrames(OwnLips):
    """A part of the frames is lost, each for itself.

    Arguments
    ---------
    fraction : float
        Of the frames, on the average. What is lost at one fraction is lost at
        every higher one.
    seed : int
        Fixes which.

    Example
    -------
    >>> pixels = np.full((8, 96, 96), 255, np.uint8)
    >>> drop = DroppedFrames(fraction=0.5, seed=1)
    >>> drop.shown(pixels, np.ones(8, np.uint8), "a")[1]
    array([1, ...], dtype=uint8)
    """

    def __init__(self, fraction, seed):
        if not 0 <= fraction <= 1:
            raise ValueError(
                f"DroppedFrames: fraction is {fraction}, expected a part of "
                "the frames between 0 and 1"
            )
        self.fraction = fraction
        self.seed = seed

    def shown(self, pixels, present, utterance):
        """The frames that are not lost; see ``OwnLips``."""
        source = random.Random(f"{self.seed}/{utterance}")
        kept = np.array([source.random() >= self.fraction for _ in present])
        kept = kept.astype(np.uint8)
        return pixels * kept[:, None, None], present * kept
