"""Who says what in the rendered corpus."""

from itertools import cycle, islice
from typing import NamedTuple

from cmkt_plugin.talking_lips.speakers import Speaker, generator, speakers


class Clip(NamedTuple):
    """A clip to render.

    Arguments
    ---------
    id : str
        Such as "train03_017".
    split : str
        "train", "valid" or "test".
    speaker : Speaker
        Who talks.
    text : str
        What is said.
    speed, pitch : int
        Of this clip: people vary, a synthesiser would not.
    """

    id: str
    split: str
    speaker: Speaker
    text: str
    speed: int
    pitch: int

    @property
    def video(self):
        """Its file, relative to the corpus's folder."""
        return f"{self.split}/{self.speaker.name}/{self.id}.mkv"

    @property
    def phones(self):
        """The file of its phones, relative to the corpus's folder."""
        return f"phones/{self.id}.csv"


def plan(sentences, sizes, seed):
    """The clips of a corpus.

    Arguments
    ---------
    sentences : list of str
        What there is to say. No sentence is said in two splits; within one
        they are repeated, by other speakers first, if there are too few.
    sizes : dict
        Split to the number of speakers and of clips of each.
    seed : int
        Decides voices, faces and movements.

    Returns
    -------
    list of Clip

    Raises
    ------
    ValueError
        If there are fewer sentences than splits, or too few voices.

    Example
    -------
    >>> sizes = {"train": (2, 2), "test": (1, 2)}
    >>> for clip in plan(["a", "b", "c", "d", "e"], sizes, seed=0):
    ...     print(clip.id, clip.text)
    train01_001 a
    train01_002 b
    train02_001 c
    train02_002 a
    test01_001 d
    test01_002 e
    """
    clips, shares = [], divide(sentences, sizes)
    for split, (count, each) in sizes.items():
        texts = cycle(shares[split])
        for speaker in speakers(split, count, seed):
            said = enumerate(islice(texts, each), start=1)
            clips += [_clip(split, speaker, n, text, seed) for n, text in said]
    return clips


def divide(sentences, sizes):
    """Distinct sentences to splits, as many to each as its part of the clips.

    Arguments
    ---------
    sentences : list of str
        In their order: the first go to the first split.
    sizes : dict
        Split to the number of speakers and of clips of each.

    Returns
    -------
    dict
        Split to its sentences.

    Raises
    ------
    ValueError
        If there are too few.

    Example
    -------
    >>> divide(["a", "b", "a", "c"], {"train": (1, 9), "test": (1, 1)})
    {'train': ['a', 'b'], 'test': ['c']}
    """
    rest = list(dict.fromkeys(sentences))
    clips = {split: count * each for split, (count, each) in sizes.items()}
    if len(rest) < len(clips):
        raise ValueError(
            f"{len(rest)} distinct sentences for {len(clips)} splits: expected "
            "at least one for each, better as many as there are clips."
        )
    shares, left = {}, sum(clips.values())
    for done, (split, wanted) in enumerate(clips.items(), start=1):
        share = round(len(rest) * wanted / left)
        # At least one for every split that is still to come
        share = min(max(1, share), len(rest) - (len(clips) - done))
        shares[split], rest = rest[:share], rest[share:]
        left -= wanted
    return shares


def _clip(split, speaker, number, text, seed):
    name = f"{speaker.name}_{number:03d}"
    rng = generator(seed, f"voice of {name}")
    speed = round(speaker.speed * rng.uniform(0.93, 1.07))
    pitch = min(99, max(0, speaker.pitch + int(rng.integers(-6, 7))))
    return Clip(name, split, speaker, text, speed, pitch)
