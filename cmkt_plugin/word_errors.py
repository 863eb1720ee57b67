"""Corrupts transcripts as a recogniser of a given word error rate would."""

import random

import regex
from speechbrain.utils.edit_distance import accumulatable_wer_stats
from speechbrain.utils.logger import get_logger

from cmkt_plugin.words import IDEOGRAPH

logger = get_logger(__name__)
# An ideograph is a word of its own: its error rate is the characters'.
WORD = regex.compile(rf"[{IDEOGRAPH}]|[^\s{IDEOGRAPH}]+")
BETWEEN_IDEOGRAPHS = regex.compile(rf"(?<=[{IDEOGRAPH}]) (?=[{IDEOGRAPH}])")


class WordErrors:
    """Substitutes, deletes and inserts words of the corpus.

    Every word is corrupted with the given probability, by one of the three
    errors with equal chance. The words that come in are drawn from the running
    text, so that frequent ones are frequent.

    Arguments
    ---------
    word_error_rate : float
        Expected errors per word, from 0 to 1.
    seed : int
        Seed; the errors of an utterance depend on it, on the utterance's name
        and on which words the set has how often, not on their order.

    Example
    -------
    >>> texts = {"a": "please call stella", "b": "we call it bear"}
    >>> WordErrors(0.0, seed=1)(texts) == texts
    True
    >>> WordErrors(1.0, seed=1)(texts)["b"].split() == texts["b"].split()
    False
    """

    def __init__(self, word_error_rate, seed):
        if not 0 <= word_error_rate <= 1:
            raise ValueError(
                f"word_error_rate is {word_error_rate}, expected 0 to 1."
            )
        self.rate = word_error_rate
        self.seed = seed

    def __call__(self, texts):
        """Corrupt the texts of a set.

        Arguments
        ---------
        texts : dict
            Utterance to text.

        Returns
        -------
        dict
            The same with errors; the rate that came out is logged.
        """
        if self.rate == 0:
            return dict(texts)
        right = {name: WORD.findall(text) for name, text in texts.items()}
        # In an order of its own: that of the utterances must not matter.
        running = sorted(word for words in right.values() for word in words)
        if len(set(running)) < 2:
            raise ValueError(
                f"word_error_rate {self.rate}: the text has "
                f"{len(set(running))} different words, expected at least two "
                "to put one in the place of the other."
            )
        wrong = {
            name: self._corrupt(
                words, running, keyed_random(f"{self.seed} errors", name)
            )
            for name, words in right.items()
        }
        # Two errors may undo or meet each other: the rate is measured.
        stats = accumulatable_wer_stats(
            list(right.values()), list(wrong.values())
        )
        logger.info(
            f"word errors: {stats['WER']:.1f} % of {len(running)} words "
            f"({100 * self.rate:g} % asked for)."
        )
        return {
            name: BETWEEN_IDEOGRAPHS.sub("", " ".join(words))
            for name, words in wrong.items()
        }

    def _corrupt(self, words, running, draw):
        result = []
        for word in words:
            error = int(draw.random() * 3) if draw.random() < self.rate else 3
            if error == 0:
                result.append(_another(word, running, draw))
            if error >= 2:
                result.append(word)
            if error == 2:
                result.append(draw.choice(running))
        return result


def keyed_random(seed, name):
    """Random numbers of one utterance, the same whatever else is drawn.

    Arguments
    ---------
    seed : int or str
        Seed of the experiment; with a word for what is drawn, because two
        draws with one seed and name are the same.
    name : str
        Name of the utterance.

    Returns
    -------
    random.Random
    """
    return random.Random(f"{seed} {name}")


def _another(word, running, draw):
    while (other := draw.choice(running)) == word:
        pass
    return other
