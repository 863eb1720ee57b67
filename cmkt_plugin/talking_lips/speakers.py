"""The talkers of the rendered corpus: voice, face and way of moving."""

import zlib
from typing import NamedTuple

import numpy as np

from cmkt_plugin.talking_lips.mouth_track import Articulation
from cmkt_plugin.talking_lips.person import Person, draw_person

# eSpeak NG's variants, each in one split only: no voice is heard in two.
VARIANTS = {
    "train": (
        *("m1", "f1", "m3", "f2", "m4", "f4", "m6", "steph", "m7", "f5"),
        *("michel", "aunty", "Mike", "linda", "max", "Alicia", "Gene"),
        *("belinda", "Henrique", "Andrea", "Marco", "antonio", "pablo", "Lee"),
    ),
    "valid": ("m5", "Annie", "ed", "shelby"),
    "test": ("m2", "f3", "Andy", "grandma", "david", "anika", "rob", "paul"),
}
# Few: every further accent brings phones that an hour of speech hardly shows.
ACCENTS = ("en-us", "en", "en-gb-x-rp", "en-us-nyc")


class Speaker(NamedTuple):
    """A talker.

    Arguments
    ---------
    name : str
        Such as "train03".
    voice : str
        Of eSpeak NG, with its variant.
    speed, pitch : int
        Words per minute; 0 to 99.
    person : Person
        The face.
    articulation : Articulation
        How the lips move.
    """

    name: str
    voice: str
    speed: int
    pitch: int
    person: Person
    articulation: Articulation


def speakers(split, count, seed):
    """The talkers of a split.

    Arguments
    ---------
    split : str
        "train", "valid" or "test".
    count : int
        How many.
    seed : int
        Of the corpus.

    Returns
    -------
    list of Speaker
        The first of a longer list are those of a shorter one.

    Raises
    ------
    ValueError
        If there are not so many voices.

    Example
    -------
    >>> [speaker.name for speaker in speakers("test", 2, seed=0)]
    ['test01', 'test02']
    """
    variants = VARIANTS[split]
    if count > len(variants):
        raise ValueError(
            f"{count} speakers in {split}: expected {len(variants)} at most, "
            "the voices there are. Render more clips of each instead."
        )
    return [
        _speaker(f"{split}{number + 1:02d}", number, variant, seed)
        for number, variant in enumerate(variants[:count])
    ]


def generator(seed, name):
    """Random numbers that belong to a name, whatever else is drawn.

    Arguments
    ---------
    seed : int
        Of the corpus.
    name : str
        Whose numbers they are.

    Returns
    -------
    numpy.random.Generator

    Example
    -------
    >>> a, b = generator(0, "test01"), generator(0, "test01")
    >>> a.random() == b.random() != generator(1, "test01").random()
    True
    """
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def _speaker(name, number, variant, seed):
    rng = generator(seed, name)
    return Speaker(
        name=name,
        voice=f"{ACCENTS[number % len(ACCENTS)]}+{variant}",
        speed=int(rng.integers(165, 196)),
        pitch=int(rng.integers(25, 86)),
        person=draw_person(rng),
        articulation=Articulation(
            extent=rng.uniform(0.75, 1.1),
            timing_s=rng.uniform(0.008, 0.016),
            spread=rng.uniform(0.15, 0.25),
            tremor=rng.uniform(0.01, 0.02),
        ),
    )
