"""Controls: is it language that the teacher transfers?

Each control is used as the right text would be: `texts` changes the training
transcripts before they are embedded, `embeddings` what the standardisation
gives, in training and validation. If a control helps as much as the right text,
the gain is regularisation.
"""

import hashlib
import random
from collections import Counter, defaultdict

import numpy as np
import torch
from speechbrain.utils.logger import get_logger

logger = get_logger(__name__)


class CorpusTranscripts:
    """The right text: nothing is changed.

    Example
    -------
    >>> CorpusTranscripts().texts({"a": "We call it bear."}, {"a": 5})
    {'a': 'We call it bear.'}
    """

    def texts(self, words, count):
        """Transcripts to train on.

        Arguments
        ---------
        words : dict
            Utterance to its transcript.
        count : dict
            Utterance to its number of tokens.

        Returns
        -------
        dict
            Utterance to the transcript it gets.
        """
        return dict(words)

    def embeddings(self, embeddings, token_ids, utterance):
        """Targets of one utterance.

        Arguments
        ---------
        embeddings : torch.Tensor
            Standardised embeddings (tokens, width).
        token_ids : torch.Tensor
            Identities of the tokens (tokens,).
        utterance : str
            Name of the utterance.

        Returns
        -------
        torch.Tensor
            (tokens, width)
        """
        return embeddings


class ShuffledTranscripts(CorpusTranscripts):
    """Every utterance gets the transcript of another one.

    Among utterances of equal token count only, because the count tells the
    duration. An utterance without transcript stays so.

    Arguments
    ---------
    seed : int
        Fixes the permutation.

    Example
    -------
    >>> words = {"a": "one two", "b": "red green", "c": ""}
    >>> ShuffledTranscripts(seed=1).texts(words, {"a": 2, "b": 2, "c": 0})
    {'a': 'red green', 'b': 'one two', 'c': ''}
    """

    def __init__(self, seed):
        self.seed = seed

    def texts(self, words, count):
        """Transcripts permuted among utterances of equal token count.

        Arguments
        ---------
        words : dict
            Utterance to its transcript.
        count : dict
            Utterance to its number of tokens.

        Returns
        -------
        dict
            Utterance to the transcript it gets. Those that are alone with
            their count, or of whose text there is no other, keep it: logged.
        """
        classes = defaultdict(list)
        for name in sorted(words):
            if words[name].strip() and count[name] > 0:
                classes[count[name]].append(name)
        shuffled = dict(words)
        for size, names in classes.items():
            order = _different_texts(names, words, f"{self.seed} {size}")
            shuffled.update({n: words[other] for n, other in order})
        told = [name for names in classes.values() for name in names]
        stay = sum(shuffled[name] == words[name] for name in told)
        logger.info(
            f"Shuffled transcripts: of {len(told)} utterances with a "
            f"transcript {stay} keep it (no other text of their token count)."
        )
        return shuffled


class RandomEmbeddings(CorpusTranscripts):
    """Targets without meaning: standard normal, as standardised ones are.

    Arguments
    ---------
    seed : int
        Fixes the embeddings, whatever the order, worker or machine.
    fresh : bool
        False: one embedding per token type, identity without meaning. True:
        another one at every token of every utterance, noise.

    Example
    -------
    >>> control = RandomEmbeddings(seed=1)
    >>> ids = torch.tensor([4, 9, 4])
    >>> targets = control.embeddings(torch.zeros(3, 8), ids, "p226_001")
    >>> torch.equal(targets[0], targets[2])
    True
    """

    def __init__(self, seed, fresh=False):
        self.seed = seed
        self.fresh = fresh

    def embeddings(self, embeddings, token_ids, utterance):
        """Random targets of one utterance.

        Arguments
        ---------
        embeddings : torch.Tensor
            Standardised embeddings (tokens, width), for their shape.
        token_ids : torch.Tensor
            Identities of the tokens (tokens,).
        utterance : str
            Name of the utterance.

        Returns
        -------
        torch.Tensor
            (tokens, width)
        """
        names = [
            f"{utterance} {position}" if self.fresh else str(token)
            for position, token in enumerate(token_ids.tolist())
        ]
        rows = [self._normal(name, embeddings.shape[1]) for name in names]
        drawn = np.stack(rows) if rows else np.zeros(embeddings.shape)
        return torch.from_numpy(drawn).to(embeddings)

    def _normal(self, name, width):
        digest = hashlib.sha256(f"{self.seed} {name}".encode()).digest()
        seed = int.from_bytes(digest[:8], "big")
        return np.random.Generator(np.random.Philox(seed)).normal(size=width)


def _different_texts(names, words, seed):
    """Pairs (utterance, utterance whose text it gets), as few equal as can be.

    Equal texts side by side, the whole rotated by the size of the largest
    group: nobody then meets his own text unless it is more than half of all.
    """
    generator = random.Random(seed)
    names = generator.sample(names, len(names))
    groups = defaultdict(list)
    for name in names:
        groups[words[name]].append(name)
    order = [name for group in groups.values() for name in group]
    step = max(Counter(words[name] for name in names).values())
    return zip(order, order[step % len(order) :] + order[: step % len(order)])
