"""What counts as a word, a character and a punctuation mark of a transcript."""

import hashlib
import unicodedata

# Python's own `re` knows neither scripts nor combining marks: it would cut
# Hindi words at every vowel sign.
import regex

# Ideographs and kana are written without spaces: each one counts as a word.
IDEOGRAPH = r"\p{Han}\p{Hiragana}\p{Katakana}ー"
SPOKEN = r"\w\p{N}"
LETTER = rf"(?![{IDEOGRAPH}])[{SPOKEN}]"
WORD = rf"[{IDEOGRAPH}]\p{{M}}*|(?:{LETTER})+(?:['’\-](?:{LETTER})+)*"
# What a reader calls one character, with its marks (Unicode UAX 29).
CHARACTER = rf"(?=[{SPOKEN}])\X"
PUNCTUATION = rf"[^{SPOKEN}\s]"


def matcher(pattern, keep_punctuation):
    """Pattern that cuts a transcript into tokens.

    Arguments
    ---------
    pattern : str
        WORD or CHARACTER.
    keep_punctuation : bool
        Whether punctuation marks are tokens too.

    Returns
    -------
    regex.Pattern

    Example
    -------
    >>> matcher(WORD, False).findall("Ann's pants, 你好.")
    ["Ann's", 'pants', '你', '好']
    >>> matcher(CHARACTER, True).findall("Hi, 你")
    ['H', 'i', ',', '你']
    """
    if keep_punctuation:
        pattern = f"{pattern}|{PUNCTUATION}"
    return regex.compile(pattern)


def normalise(word):
    """The form by which a word is known.

    Arguments
    ---------
    word : str
        The word as written.

    Returns
    -------
    str
        NFC, lower case, straight apostrophes.

    Example
    -------
    >>> normalise("Don’t")
    "don't"
    """
    return unicodedata.normalize("NFC", word).lower().replace("’", "'")


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
    digest = hashlib.sha256(normalise(word).encode("utf-8")).digest()
    return int.from_bytes(digest[:8], "big") >> 1
