"""Tokenisation: transcripts into the language model's pieces."""

from typing import NamedTuple

from transformers import AutoTokenizer

from cmkt_plugin.piece_spans import known_spans, spans_after, tells_spans
from cmkt_plugin.units import Sentence

# Between the two copies of a repeated sentence. A new line is a piece of its
# own to all tokenizers: the second copy is cut as the first.
BETWEEN_COPIES = "\n"


class Coded(NamedTuple):
    """One transcript ready for the language model."""

    piece_ids: list  # of int, special tokens included
    kept: list  # of int: indices of the pieces of the transcript
    sentence: Sentence  # those pieces


class Tokenization:
    """Cuts transcripts into pieces and counts what is out of the ordinary.

    Arguments
    ---------
    tokenizer : transformers.PreTrainedTokenizerBase
        The language model's own.
    max_pieces : int or None
        Longest input of the language model, special tokens included; longer
        transcripts are truncated. None: no limit.
    prefix : str
        Text before each transcript; its pieces are read, but not kept.
    repeat : bool
        Whether the transcript stands there twice; the second one is kept.

    Raises
    ------
    ValueError
        If the text before the transcript cannot be told from it.
    """

    def __init__(self, tokenizer, max_pieces, prefix="", repeat=False):
        self.tokenizer = tokenizer
        self.max_pieces = max_pieces
        self.prefix = prefix
        self.repeat = repeat
        self.counts = {"empty": 0, "truncated": 0, "unknown": 0}
        # GPT's unknown piece is its end of text: only the mask tells them apart
        self._special = set(tokenizer.all_special_ids)
        self._special.discard(tokenizer.unk_token_id)
        self.knows_spans = tells_spans(tokenizer)
        if self.knows_spans and not tokenizer.is_fast:
            # "</s>" in a transcript is four characters as any others.
            tokenizer.split_special_tokens = True
        if (prefix or repeat) and not self.knows_spans:
            raise ValueError(
                "prefix and repeat need a tokenizer that tells where its "
                f"pieces stand; there is only {type(tokenizer).__name__}. Add "
                "a tokenizer.json to the folder, or leave both out."
            )

    def __call__(self, texts):
        """Tokenise transcripts.

        Arguments
        ---------
        texts : list of str
            Transcripts.

        Returns
        -------
        list of Coded
            Nothing is kept of an empty transcript.

        Raises
        ------
        ValueError
            If a transcript cannot be told from what stands before it, or its
            pieces not be found in it.
        """
        if not texts:
            return []
        leads = [self._lead(text) for text in texts]
        batch = self.tokenizer(
            [lead + text for lead, text in zip(leads, texts)],
            # overrides what some tokenizers bring along (MiniLM's cuts at 128)
            truncation=self.max_pieces is not None,
            max_length=self.max_pieces,
            return_special_tokens_mask=True,
            return_offsets_mapping=self.tokenizer.is_fast,
        )
        ids, masks = batch["input_ids"], batch["special_tokens_mask"]
        offsets = batch.get("offset_mapping", [None] * len(texts))
        return [
            self._code(*row) for row in zip(leads, texts, ids, masks, offsets)
        ]

    @property
    def first(self):
        """Id of the special token before the text, or None."""
        coded = self.tokenizer("a", return_special_tokens_mask=True)
        first = coded["input_ids"][0]
        special = coded["special_tokens_mask"][0] or first in self._special
        return first if special else None

    def _lead(self, text):
        """What stands before the transcript."""
        return self.prefix + (text + BETWEEN_COPIES if self.repeat else "")

    def _code(self, lead, text, ids, special_mask, offsets):
        own = [i for i, special in enumerate(special_mask) if not special]
        pieces = self.tokenizer.convert_ids_to_tokens([ids[i] for i in own])
        if offsets is not None:
            offsets = [offsets[index] for index in own]
        elif self.knows_spans:
            offsets = known_spans(lead + text, pieces)
        spans = None if offsets is None else spans_after(lead, pieces, offsets)
        said = [
            number
            for number, index in enumerate(own)
            if text.strip()
            and ids[index] not in self._special
            and not (lead and spans[number] is None)
        ]
        sentence = Sentence(
            text,
            [ids[own[number]] for number in said],
            [pieces[number] for number in said],
            None if spans is None else [spans[number] for number in said],
            self.tokenizer.unk_token_id,
        )
        self._count(sentence, lead, ids)
        return Coded(ids, [own[number] for number in said], sentence)

    def _count(self, sentence, lead, ids):
        self.counts["empty"] += not sentence.pieces
        self.counts["unknown"] += sentence.piece_ids.count(sentence.unknown_id)
        if self.max_pieces is not None and len(ids) >= self.max_pieces:
            whole = self.tokenizer(
                lead + sentence.text, truncation=False, verbose=False
            )
            self.counts["truncated"] += len(whole["input_ids"]) > len(ids)


def read_tokenizer(folder):
    """Tokenizer of a folder.

    Arguments
    ---------
    folder : str
        Folder of the model.

    Returns
    -------
    transformers.PreTrainedTokenizerBase

    Raises
    ------
    FileNotFoundError
        If there is no vocabulary.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        # Without a vocabulary, transformers 5 makes one of special tokens only.
        empty = len(tokenizer) <= len(tokenizer.all_special_ids)
        cause = None
    except (OSError, ValueError, ImportError) as error:
        empty, cause = True, error
    if empty:
        raise FileNotFoundError(
            f"The teacher folder {folder} has no tokenizer that can be read. "
            "Expected tokenizer.json or the tokenizer's own files (vocab.txt; "
            "vocab.json and merges.txt; tokenizer.model). Save them there with "
            "tokenizer.save_pretrained, or download the model whole."
        ) from cause
    tokenizer.truncation_side = "right"
    return tokenizer
