"""A corpus in name only, of any size: durations, sentences, annotation.

To measure what a large corpus costs where none is at hand. Durations are
spread as those of read speech cut at pauses and follow LibriSpeech's: a mean
of 12.3 s, few short ones, none above 16.5 s.
"""

import random
from itertools import accumulate
from pathlib import Path

SHORTEST, LONGEST = 1.5, 16.5  # s
WORDS_PER_SECOND = 2.7
SPEAKERS = 2000
# Offset of Mandelbrot's form of Zipf's law: frequency ~ 1 / (rank + OFFSET).
OFFSET = 2.7


def durations(count, seed=1):
    """Durations of utterances in seconds.

    Arguments
    ---------
    count : int
        How many.
    seed : int
        Seed of the generator.

    Returns
    -------
    list of float

    Example
    -------
    >>> drawn = durations(2000)
    >>> 12.0 < sum(drawn) / 2000 < 12.5, 1.5 <= min(drawn), max(drawn) <= 16.5
    (True, True, True)
    """
    generator = random.Random(seed)
    spread = LONGEST - SHORTEST
    return [
        round(SHORTEST + spread * generator.betavariate(2.5, 1), 3)
        for _ in range(count)
    ]


def read_words(path):
    """The words of a BERT vocabulary, most frequent ones first.

    Arguments
    ---------
    path : str or pathlib.Path
        Its ``vocab.txt``: after special pieces and single characters, in order
        of frequency.

    Returns
    -------
    list of str
        Lower-case words of ASCII letters; no pieces of words.

    Example
    -------
    >>> from cmkt_plugin import minilm
    >>> words = read_words(Path(minilm.folder(), "vocab.txt"))
    >>> words[:4], len(words) > 20000
    (['the', 'of', 'and', 'in'], True)
    """
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return [
        word
        for word in lines
        if word.isascii() and word.isalpha() and len(word) > 1
    ]


def sentences(count, words, seed=1):
    """Distinct sentences of the lengths that `durations` give.

    Arguments
    ---------
    count : int
        How many.
    words : list of str
        What they are made of, most frequent ones first.
    seed : int
        Seed of the generator.

    Returns
    -------
    list of str

    Example
    -------
    >>> drawn = sentences(500, ["we", "call", "it", "bear"])
    >>> len(set(drawn)), 32 < sum(len(s.split()) for s in drawn) / 500 < 35
    (500, True)
    """
    generator = random.Random(seed)
    weights = [1 / (rank + OFFSET) for rank in range(1, len(words) + 1)]
    cumulative = list(accumulate(weights))
    drawn = {}  # a dict keeps the order, unlike a set
    for seconds in durations(count, seed):
        length = round(seconds * WORDS_PER_SECOND)
        size = len(drawn)
        while len(drawn) == size:
            picked = generator.choices(words, cum_weights=cumulative, k=length)
            drawn[" ".join(picked)] = None
    return list(drawn)


def annotation(texts, clean_wav, seed=1):
    """Entries of clean speech, as a recipe's preparation writes them.

    Arguments
    ---------
    texts : list of str
        One per utterance.
    clean_wav : str
        Path of its recording, with the utterance's name for ``{name}``.
    seed : int
        Seed of the durations, the one of `sentences`.

    Returns
    -------
    dict
        Utterance to ``clean_wav``, ``length``, ``speaker`` and ``words``.

    Example
    -------
    >>> annotation(["we call it bear"], "{{data_root}}/{name}.wav")
    {'s0000_000000': {'clean_wav': '{data_root}/s0000_000000.wav', 'length':
     ..., 'speaker': 's0000', 'words': 'we call it bear'}}
    """
    entries = {}
    lengths = durations(len(texts), seed)
    for number, (text, length) in enumerate(zip(texts, lengths)):
        speaker = f"s{number % SPEAKERS:04}"
        name = f"{speaker}_{number:06}"
        entries[name] = {
            "clean_wav": clean_wav.format(name=name),
            "length": length,
            "speaker": speaker,
            "words": text,
        }
    return entries
