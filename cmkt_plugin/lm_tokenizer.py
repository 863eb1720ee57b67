"""Tokenizers of our own language models: one piece per symbol."""

from collections import Counter

from tokenizers import (
    Regex,
    Tokenizer,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)
from transformers import PreTrainedTokenizerFast

from cmkt_plugin.text_normalization import BLANKS

SPECIAL_TOKENS = {
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}
# The special tokens come first: symbols are the pieces from here on.
FIRST_SYMBOL = len(SPECIAL_TOKENS)

# Blanks are symbols too: they tell where words begin.
CHARACTERS = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
BLANK_SEPARATED = pre_tokenizers.WhitespaceSplit()

# More than the rules of `text_normalization`: to a vocabulary of symbols, two
# spellings of a letter or of the apostrophe would be two symbols. A pretrained
# model needs no such thing, it brings a normalization of its own.
ONE_BLANK = normalizers.Replace(Regex(r"\s+"), " ")
AS_WRITTEN = [normalizers.NFC(), ONE_BLANK, normalizers.Strip()]
LOWER_CASE = [
    *AS_WRITTEN,
    normalizers.Lowercase(),
    normalizers.Replace("’", "'"),
]
# As `text_normalization.JoinedCharacters`: blanks between ideographs only.
JOINED_CHARACTERS = [
    *LOWER_CASE,
    normalizers.Replace(Regex(BLANKS.pattern), ""),
]


def symbol_tokenizer(sentences, symbols, normalization, min_count, positions):
    """Makes a tokenizer whose pieces are the symbols of the sentences.

    The normalization is part of it, so that the teacher reads a transcript as
    the training did; the spans of its pieces refer to the text as written.

    Arguments
    ---------
    sentences : list of str
        What the vocabulary is taken from.
    symbols : tokenizers.pre_tokenizers.PreTokenizer
        How a sentence falls into symbols: CHARACTERS or BLANK_SEPARATED.
    normalization : list of tokenizers.normalizers.Normalizer
        AS_WRITTEN, LOWER_CASE or JOINED_CHARACTERS.
    min_count : int
        Symbols that are rarer are unknown, so that [UNK] is trained.
    positions : int
        Longest input of the model, special tokens included.

    Returns
    -------
    transformers.PreTrainedTokenizerFast

    Raises
    ------
    ValueError
        If no symbol occurs as often as `min_count`.

    Example
    -------
    >>> tokenizer = symbol_tokenizer(
    ...     ["Too odd"], CHARACTERS, LOWER_CASE, min_count=2, positions=16
    ... )
    >>> tokenizer.tokenize("Do to")
    ['d', 'o', '[UNK]', '[UNK]', 'o']
    """
    cutter = Tokenizer(models.WordLevel({}, unk_token="[UNK]"))
    cutter.normalizer = normalizers.Sequence(normalization)
    cutter.pre_tokenizer = symbols
    pieces = [*SPECIAL_TOKENS.values()]
    pieces += frequent_symbols(cutter, sentences, min_count)
    cutter.model = models.WordLevel(
        {piece: index for index, piece in enumerate(pieces)}, unk_token="[UNK]"
    )
    cutter.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[
            (piece, pieces.index(piece)) for piece in ("[CLS]", "[SEP]")
        ],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=cutter,
        model_max_length=positions,
        # Off, or decoding would take the blank in front of a full stop away.
        clean_up_tokenization_spaces=False,
        **SPECIAL_TOKENS,
    )


def frequent_symbols(cutter, sentences, min_count):
    """Symbols that are frequent enough, the most frequent first.

    Arguments
    ---------
    cutter : tokenizers.Tokenizer
        Its normalizer and pre-tokenizer cut the sentences.
    sentences : list of str
        The sentences.
    min_count : int
        How often a symbol has to occur.

    Returns
    -------
    list of str
        In the same order whatever the order of the sentences.
    """
    counts = Counter(
        symbol
        for sentence in sentences
        for symbol, _ in cutter.pre_tokenizer.pre_tokenize_str(
            cutter.normalizer.normalize_str(sentence)
        )
    )
    frequent = [symbol for symbol in counts if counts[symbol] >= min_count]
    if not frequent:
        raise ValueError(
            f"No symbol of the text occurs {min_count} times: "
            f"{len(counts)} different ones in {len(sentences)} sentences. "
            "Add text, or lower the minimum count."
        )
    return sorted(frequent, key=lambda symbol: (-counts[symbol], symbol))
