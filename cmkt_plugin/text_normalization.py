"""Rules that make a corpus's transcripts what a language model reads.

One object in YAML, ``normalization: !new:cmkt_plugin.text_normalization.…``:
a function from text to text. None of them touches digits or punctuation: a
language model has read both, as they are written.
"""

import regex

from cmkt_plugin.words import IDEOGRAPH

BLANKS = regex.compile(rf"(?<=[{IDEOGRAPH}])\s+(?=[{IDEOGRAPH}])")


class AsWritten:
    """Leaves the text as the corpus has it (VoiceBank).

    Example
    -------
    >>> AsWritten()("We call it bear.")
    'We call it bear.'
    """

    def __call__(self, text):
        return text


class LowerCase:
    """Lowers capitals (LibriSpeech, which has nothing but capitals).

    Spelt in capitals, words fall into many rare pieces of a cased language
    model.

    Example
    -------
    >>> LowerCase()("MISTER O'NEIL'S 2 DOGS")
    "mister o'neil's 2 dogs"
    """

    def __call__(self, text):
        return text.lower()


class JoinedCharacters:
    """Takes out the blanks between ideographs or kana (AISHELL-1).

    AISHELL-1 sets blanks between words, which written Chinese has not and a
    Chinese language model has not read. Blanks beside Latin letters, digits
    and punctuation stay.

    Example
    -------
    >>> JoinedCharacters()("而 对 楼市 成交")
    '而对楼市成交'
    >>> JoinedCharacters()("我 用 open source 软件")
    '我用 open source 软件'
    """

    def __call__(self, text):
        return BLANKS.sub("", text)
