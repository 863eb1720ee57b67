"""Splits a corpus into training, validation and test, by speaker."""

import random

from cmkt_plugin.clean_speech import in_several_splits
from cmkt_plugin.preparation import as_names
from cmkt_plugin.shown import first_few

SPLITS = ("train", "valid", "test")


class ByColumn:
    """As the corpus says: the column ``split`` of its table.

    Example
    -------
    >>> from avse_table import Clip
    >>> clips = [Clip(n, n, n, "", split=n) for n in SPLITS]
    >>> {name: len(part) for name, part in ByColumn()(clips).items()}
    {'train': 1, 'valid': 1, 'test': 1}
    """

    def __call__(self, clips):
        """Splits the clips.

        Arguments
        ---------
        clips : list of Clip
            All of them.

        Returns
        -------
        dict
            ``train``, ``valid`` and ``test`` to lists of Clip.
        """
        other = [clip.id for clip in clips if clip.split not in SPLITS]
        if other:
            raise ValueError(
                f"{len(other)} of {len(clips)} clips are in no split: "
                f"{first_few(other)}; expected train, valid or test in the "
                "column split. Fill it, or choose another --split, e.g. "
                "'!new:avse_split.SpeakerFractions [0.1, 0.1]'"
            )
        parts = {name: [] for name in SPLITS}
        for clip in clips:
            parts[clip.split].append(clip)
        return parts


class BySpeaker:
    """Named speakers for validation and test, all others for training.

    Arguments
    ---------
    valid, test : list of str, or str with commas
        The speakers.

    Example
    -------
    >>> from avse_table import Clip
    >>> clips = [Clip(f"{s}_1", "a.mpg", s, "") for s in ("s1", "s2", "s3")]
    >>> parts = BySpeaker(valid="s2", test=["s3"])(clips)
    >>> [clip.id for clip in parts["train"]]
    ['s1_1']
    """

    def __init__(self, valid, test):
        self.valid, self.test = as_names(valid), as_names(test)

    def __call__(self, clips):
        """Splits the clips; see ``ByColumn``."""
        speakers = {clip.speaker for clip in clips}
        unknown = [s for s in (*self.valid, *self.test) if s not in speakers]
        if unknown:
            raise ValueError(
                f"no clip of the speakers {', '.join(unknown)}; found "
                f"{first_few(sorted(speakers), shown=20)}"
            )
        both = sorted(set(self.valid) & set(self.test))
        if both:
            raise ValueError(
                f"{first_few(both)} in validation and test, expected each "
                "speaker in one of them"
            )
        parts = {name: [] for name in SPLITS}
        for clip in clips:
            name = "valid" if clip.speaker in self.valid else "train"
            name = "test" if clip.speaker in self.test else name
            parts[name].append(clip)
        return parts


class SpeakerFractions:
    """Parts of the speakers for validation and test, at least one of each.

    Arguments
    ---------
    valid, test : float
        Parts of the speakers.
    seed : int
        Fixes which.

    Example
    -------
    >>> from avse_table import Clip
    >>> clips = [Clip(f"s{n}_1", "a.mpg", f"s{n}", "") for n in range(11)]
    >>> parts = SpeakerFractions(valid=0.2, test=0.2)(clips)
    >>> {name: len(part) for name, part in parts.items()}
    {'train': 7, 'valid': 2, 'test': 2}
    """

    def __init__(self, valid=0.1, test=0.1, seed=0):
        for name, value in (("valid", valid), ("test", test)):
            if not 0 < value < 1:
                raise ValueError(
                    f"SpeakerFractions: {name} is {value}, expected a part of "
                    "the speakers between 0 and 1"
                )
        self.valid, self.test, self.seed = valid, test, seed

    def __call__(self, clips):
        """Splits the clips; see ``ByColumn``."""
        speakers = sorted({clip.speaker for clip in clips})
        valid = max(1, round(self.valid * len(speakers)))
        test = max(1, round(self.test * len(speakers)))
        if valid + test >= len(speakers):
            raise ValueError(
                f"{len(speakers)} speakers: {valid} for validation and {test} "
                "for the test leave none for training; expected at least one "
                "speaker for each of the three. Lower the fractions"
            )
        random.Random(f"{self.seed}").shuffle(speakers)
        return BySpeaker(speakers[:valid], speakers[valid : valid + test])(
            clips
        )


def require_disjoint(parts):
    """Refuses splits that share a speaker.

    Arguments
    ---------
    parts : dict
        Split to list of Clip.
    """
    shared = in_several_splits(
        (clip.speaker, name) for name, clips in parts.items() for clip in clips
    )
    if shared:
        raise ValueError(
            f"{len(shared)} speakers are in several splits: "
            f"{first_few(shared)}; expected others in training, validation "
            "and test: a voice or a face that is known tells nothing of new "
            "ones. Correct the column split, or choose another --split"
        )
