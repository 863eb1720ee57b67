"""Units of the teacher: how a language model's pieces become tokens."""

import hashlib
import re
import unicodedata
from typing import NamedTuple

import torch

# Ideographs and kana are written without spaces: each one counts as a word.
IDEOGRAPH = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
LETTER = rf"[^\W{IDEOGRAPH}]"
WORD = rf"[{IDEOGRAPH}]|{LETTER}+(?:['’\-]{LETTER}+)*"
PUNCTUATION = r"[^\w\s]"


class Sentence(NamedTuple):
    """One transcript as the tokenizer cut it, special tokens dropped."""

    text: str
    piece_ids: list  # of int
    pieces: list  # of str
    # (start, end) characters of each piece in the text; None: not known
    spans: list


class TokenEmbeddings(NamedTuple):
    """What the teacher says about one transcript."""

    embeddings: torch.Tensor  # (tokens, width)
    token_ids: torch.Tensor  # (tokens,), int64
    tokens: list  # of str


class SubWords:
    """Tokens are the pieces of the language model's own tokenizer.

    Example
    -------
    >>> sentence = Sentence("okay", [7, 9], ["ok", "##ay"], [(0, 2), (2, 4)])
    >>> SubWords()(sentence, torch.zeros(2, 4)).tokens
    ['ok', '##ay']
    """

    needs_spans = False

    @property
    def settings(self):
        """What changes the tokens (dict, part of the cache's key)."""
        return {"units": "SubWords"}

    def __call__(self, sentence, embeddings):
        """Take the pieces as they are.

        Arguments
        ---------
        sentence : Sentence
            The tokenizer's pieces.
        embeddings : torch.Tensor
            One row per piece (pieces, width).

        Returns
        -------
        TokenEmbeddings
        """
        ids = torch.tensor(sentence.piece_ids, dtype=torch.int64)
        return TokenEmbeddings(embeddings, ids, list(sentence.pieces))


class WholeWords:
    """Tokens are the words of the transcript: the mean of a word's pieces.

    Words are cut from the text, not from the pieces ("ann's" is three words to
    BERT's tokenizer, a whole sentence is one to some of LLaMA's), so that every
    teacher has the same tokens. Inner apostrophes and hyphens belong to the
    word, ideographs are words of their own.

    Arguments
    ---------
    keep_punctuation : bool
        Whether punctuation marks are tokens too. They are not spoken: dropped
        unless asked for.

    Example
    -------
    >>> sentence = Sentence(
    ...     "Okay.",
    ...     [7, 9, 3],
    ...     ["ok", "##ay", "."],
    ...     [(0, 2), (2, 4), (4, 5)],
    ... )
    >>> pieces = torch.tensor([[1.0], [3.0], [9.0]])
    >>> words = WholeWords()(sentence, pieces)
    >>> words.tokens, words.embeddings
    (['okay'], tensor([[2.]]))
    """

    needs_spans = True

    def __init__(self, keep_punctuation=False):
        self.keep_punctuation = keep_punctuation
        pattern = f"{WORD}|{PUNCTUATION}" if keep_punctuation else WORD
        self._pattern = re.compile(pattern)

    @property
    def settings(self):
        """What changes the tokens (dict, part of the cache's key)."""
        return {
            "units": "WholeWords",
            "keep_punctuation": self.keep_punctuation,
        }

    def __call__(self, sentence, embeddings):
        """Average the pieces of each word.

        Arguments
        ---------
        sentence : Sentence
            The tokenizer's pieces with their places in the text.
        embeddings : torch.Tensor
            One row per piece (pieces, width).

        Returns
        -------
        TokenEmbeddings
            A word that no piece covers (cut off, or removed by the tokenizer)
            has no row.
        """
        rows, tokens = [], []
        for match in self._pattern.finditer(sentence.text):
            own = [
                index
                for index, (start, end) in enumerate(sentence.spans)
                if start < match.end() and end > match.start()
            ]
            if own:
                rows.append(embeddings[own].mean(dim=0))
                tokens.append(_normalise(match.group()))
        stacked = torch.stack(rows) if rows else embeddings[:0]
        ids = torch.tensor([word_id(w) for w in tokens], dtype=torch.int64)
        return TokenEmbeddings(stacked, ids, tokens)


def word_id(word):
    """Identity of a word type that is the same on every machine and run.

    Arguments
    ---------
    word : str
        The word as written.

    Returns
    -------
    int
        63 bits of a hash of the lower-cased word (fits a signed int64).

    Example
    -------
    >>> word_id("Bear") == word_id("bear")
    True
    """
    digest = hashlib.sha256(_normalise(word).encode("utf-8")).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def _normalise(word):
    return unicodedata.normalize("NFC", word).lower().replace("’", "'")
