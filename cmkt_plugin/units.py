"""Units of the teacher: how a language model's pieces become tokens."""

from collections import Counter
from typing import NamedTuple, Optional

import torch

from cmkt_plugin.words import CHARACTER, WORD, matcher, normalise, word_id


class Sentence(NamedTuple):
    """One transcript as the tokenizer cut it, special tokens dropped."""

    text: str
    piece_ids: list  # of int
    pieces: list  # of str
    # (start, end) characters of each piece in the text; None: not known
    spans: list
    unknown_id: Optional[int] = None  # of the piece for what has no other


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

    def spell(self, text):
        """What the language model reads for a transcript: itself.

        Arguments
        ---------
        text : str
            A transcript.

        Returns
        -------
        str
        """
        return text

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
    BERT's tokenizer), so that every teacher has the same tokens. Inner
    apostrophes and hyphens belong to the word, ideographs are words of their
    own. Words of exactly the same pieces have the same embedding, and are one
    token: Qwen's tokenizer makes words of ideographs.

    A word that the tokenizer does not know at all has the unknown piece's
    string and identity, as it has its embedding: two such words are no
    negatives of each other.

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
    pattern = WORD

    def __init__(self, keep_punctuation=False):
        self.keep_punctuation = keep_punctuation
        self._matcher = matcher(self.pattern, keep_punctuation)

    @property
    def settings(self):
        """What changes the tokens (dict, part of the cache's key)."""
        return {
            "units": type(self).__name__,
            "keep_punctuation": self.keep_punctuation,
        }

    def spell(self, text):
        """As ``SubWords.spell``."""
        return text

    def __call__(self, sentence, embeddings):
        """Average the pieces of each token.

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
        covered = self._joined(sentence, self._covered(sentence))
        tokens = [
            _unknown_piece(sentence, own) or normalise(sentence.text[start:end])
            for start, end, own in covered
        ]
        ids = torch.tensor([word_id(t) for t in tokens], dtype=torch.int64)
        groups = [own for _, _, own in covered]
        return TokenEmbeddings(_means(embeddings, groups), ids, tokens)

    def _covered(self, sentence):
        """(start, end, indices of its pieces) of what pieces cover."""
        pieces_at = [[] for _ in sentence.text]
        for index, (start, end) in enumerate(sentence.spans):
            for place in range(start, end):
                pieces_at[place].append(index)
        for match in self._matcher.finditer(sentence.text):
            start, end = match.span()
            own = sorted({i for part in pieces_at[start:end] for i in part})
            if own:
                yield start, end, own

    def _joined(self, sentence, covered):
        joined = []
        for start, end, own in covered:
            if joined and joined[-1][2] == own:
                start = joined.pop()[0]
            joined.append((start, end, own))
        return joined


class Characters(WholeWords):
    """Tokens are the characters of the transcript: the mean of their pieces.

    For language models of characters (CANINE), of bytes (ByT5) and those that
    cut a language into single characters (BERT: Mandarin). Blanks are no
    tokens; a letter and its combining marks are one.

    Arguments
    ---------
    keep_punctuation : bool
        As for ``WholeWords``; apostrophes and hyphens are punctuation here.

    Raises
    ------
    ValueError
        When called, if a piece stands for several characters: they would
        share one embedding, and be no finer than the piece.

    Example
    -------
    >>> text, cut = "你好", [(0, 1)] * 3 + [(1, 2)] * 3  # bytes of UTF-8
    >>> sentence = Sentence(text, [0] * 6, ["?"] * 6, cut)
    >>> result = Characters()(sentence, torch.arange(6.0).unsqueeze(1))
    >>> result.tokens, result.embeddings.squeeze(1)
    (['你', '好'], tensor([1., 4.]))
    """

    pattern = CHARACTER

    def _joined(self, sentence, covered):
        covered = list(covered)
        used = Counter(index for _, _, own in covered for index in own)
        for index, characters in used.items():
            if characters > 1:
                self._refuse(sentence, index)
        return covered

    def _refuse(self, sentence, index):
        start, end = sentence.spans[index]
        raise ValueError(
            f"Characters: the piece {sentence.pieces[index]!r} stands for "
            f"{sentence.text[start:end]!r} in the transcript "
            f"{sentence.text!r}; expected one character at most. Use a teacher "
            "of characters or bytes (hparams/teachers/canine_s.yaml, "
            "byt5_small.yaml), or WholeWords, which takes ideographs one by "
            "one and other words whole."
        )


def _unknown_piece(sentence, own):
    """The unknown piece, if the token consists of nothing else."""
    ids = {sentence.piece_ids[index] for index in own}
    return sentence.pieces[own[0]] if ids == {sentence.unknown_id} else None


def _means(embeddings, groups):
    """Mean rows of groups of pieces (groups, width)."""
    rows = [index for own in groups for index in own]
    group = [number for number, own in enumerate(groups) for _ in own]
    sums = embeddings.new_zeros(len(groups), embeddings.shape[1])
    sums.index_add_(0, torch.tensor(group, dtype=torch.long), embeddings[rows])
    sizes = embeddings.new_tensor([len(own) for own in groups])
    return sums / sizes.unsqueeze(1)
