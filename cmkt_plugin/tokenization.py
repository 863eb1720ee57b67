"""Tokenisation: transcripts into the language model's pieces."""

from typing import NamedTuple

from transformers import AutoTokenizer

from cmkt_plugin.units import Sentence


class Coded(NamedTuple):
    """One transcript ready for the language model."""

    piece_ids: list  # of int, special tokens included
    kept: list  # of int: indices of the pieces that are no special tokens
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
    """

    def __init__(self, tokenizer, max_pieces):
        self.tokenizer = tokenizer
        self.max_pieces = max_pieces
        self.counts = {"empty": 0, "truncated": 0, "unknown": 0}
        # GPT's unknown piece is its end of text: only the mask tells them apart
        self._special = set(tokenizer.all_special_ids)
        self._special.discard(tokenizer.unk_token_id)

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
        """
        if not texts:
            return []
        fast = self.tokenizer.is_fast
        batch = self.tokenizer(
            list(texts),
            # overrides what some tokenizers bring along (MiniLM's cuts at 128)
            truncation=self.max_pieces is not None,
            max_length=self.max_pieces,
            return_special_tokens_mask=True,
            return_offsets_mapping=fast,
        )
        spans = batch["offset_mapping"] if fast else [None] * len(texts)
        rows = zip(
            texts, batch["input_ids"], batch["special_tokens_mask"], spans
        )
        return [self._code(*row) for row in rows]

    def _code(self, text, ids, special_mask, spans):
        kept = [
            index
            for index, (piece, special) in enumerate(zip(ids, special_mask))
            if text.strip() and not special and piece not in self._special
        ]
        own = [ids[index] for index in kept]
        self.counts["empty"] += not own
        self.counts["unknown"] += own.count(self.tokenizer.unk_token_id)
        self.counts["truncated"] += self._is_truncated(text, ids)
        sentence = Sentence(
            text,
            own,
            self.tokenizer.convert_ids_to_tokens(own),
            [spans[index] for index in kept] if spans else None,
        )
        return Coded(ids, kept, sentence)

    def _is_truncated(self, text, ids):
        if self.max_pieces is None or len(ids) < self.max_pieces:
            return False
        whole = self.tokenizer(text, truncation=False, verbose=False)
        return len(whole["input_ids"]) > len(ids)


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
