#!/usr/bin/env python3
"""Compose the demo corpus's sentences from a small seeded grammar.

    python compose.py

writes `sentences.txt` beside this file: one sentence a line, none twice, four
to nine words each. The words of `grammar.py` are few on purpose, so that each
returns in other sentences, places and voices: said once, it teaches nothing.
"""

import os
import random
import re
from collections import Counter
from pathlib import Path

from grammar import FRAMES, SLOTS

HERE = Path(__file__).resolve().parent
SEED = 2503
COUNT = 720
WORDS = (4, 9)  # shortest and longest sentence
HELD_OUT = 120  # the last sentences, for validation and test


class Grammar:
    """Random sentences in which every alternative gets its turn.

    Arguments
    ---------
    seed : int
        Seed of the random generator.

    Example
    -------
    >>> Grammar(0).expand("turn [left/left] at the station.")
    'Turn left at the station.'
    """

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.used = {}

    def pick(self, alternatives):
        """The less used of two random alternatives."""
        pair = self.random.choices(alternatives, k=2)
        choice = min(pair, key=lambda text: self.used.get(text, 0))
        self.used[choice] = self.used.get(choice, 0) + 1
        return choice

    def expand(self, frame):
        """Fill one frame's slots and write it as a sentence."""
        text = re.sub(
            r"\{(\w+)\}|\[([^\]]+)\]",
            lambda m: self.pick(
                SLOTS[m[1]].split("|") if m[1] else m[2].split("/")
            ),
            frame,
        )
        return text[0].upper() + text[1:]


def words(sentence):
    """Lower-case words of a sentence, without punctuation."""
    return re.findall(r"[a-z]+", sentence.lower())


def is_natural(sentence):
    """Whether the length suits and no content word comes twice."""
    tokens = words(sentence)
    content = [t for t in tokens if len(t) > 2 and t != "the"]
    # "neighbour ... neighbours" counts as the same word twice.
    stems = {t[:4] for t in content}
    return WORDS[0] <= len(tokens) <= WORDS[1] and len(stems) == len(content)


def compose(count=COUNT, seed=SEED):
    """A list of `count` distinct sentences, frames in turn."""
    grammar, sentences = Grammar(seed), []
    while len(sentences) < count:
        frame = FRAMES[len(sentences) % len(FRAMES)]
        sentence = grammar.expand(frame)
        if is_natural(sentence) and sentence not in sentences:
            sentences.append(sentence)
    grammar.random.shuffle(sentences)
    return common_words_last(sentences)


def common_words_last(sentences):
    """Move sentences without any rare word to the end, HELD_OUT of them.

    A word that training never says cannot be retrieved in validation.
    """
    count = Counter(w for s in sentences for w in set(words(s)))
    common = [s for s in sentences if min(count[w] for w in words(s)) >= 4]
    held_out = set(common[-HELD_OUT:])
    # sort is stable: the order within either part stays shuffled
    return sorted(sentences, key=held_out.__contains__)


def main():
    """Write sentences.txt beside this file."""
    target = HERE / "sentences.txt"
    partial = target.with_suffix(".partial")
    partial.write_text("\n".join(compose()) + "\n", encoding="utf-8")
    os.replace(partial, target)


if __name__ == "__main__":
    main()
