"""Visemes: the classes of phones that look alike on the lips.

The classes are those of Lee and Yook (Audio-to-visual conversion using hidden
Markov models, 2002): six of consonants, seven of vowels, and silence. eSpeak
NG's accents have more vowels than their American English: each is put with
the neighbour of its height, backness and rounding; a diphthong goes where its
first vowel does, but for /eɪ/ and /oʊ/, which are nearly level.
"""

SILENCE = "silence"

PHONES = {
    "lips-closed": "p b m",
    "tongue-front": "t d s z θ ð ɾ t̪ d̪ ɬ",
    "tongue-back": "k ɡ n ŋ l j h x ɲ ʔ ç ɫ ʲ q ɣ",
    "postalveolar": "tʃ dʒ ʃ ʒ",
    "lip-on-teeth": "f v",
    "consonant-rounded": "w ɹ r ʍ ɻ ʋ",
    "spread": "i ɪ ᵻ iə ɪə ɪɹ iɹ y ɨ",
    "half-spread": "e ɛ eɪ ei eə ɛə ɛɪ æ æɪ ɛɹ eɹ",
    "open": "a ɑ aɪ aʊ aa ɑə ɑɪ ɑɹ aɪə aɪɚ aʊə aʊɚ æʊ ɐ ɐɪ aɹ",
    "central": "ə ʌ əl ən əm əɪ ʌɪ ɘ ɵ",
    "open-rounded": "ɔ ɒ ɔɪ o oʊ əʊ əu ʌʊ ʌʉ ɔə oə oɪ ɔɹ oɹ ou ɒɪ",
    "close-rounded": "u ʊ ʉ ʊə ʊɹ uə uɹ ʉɹ ʉə ɯ ø",
    "r-coloured": "ɜ ɚ ɝ ɜɹ əɹ ʌɹ ɜɪ œ",
}
VISEMES = (*PHONES, SILENCE)

# The tables' order: consonants first
CONSONANTS = VISEMES[:6]

_OF_PHONE = {
    phone: viseme
    for viseme, phones in PHONES.items()
    for phone in phones.split()
}


def viseme_of(phone):
    """The viseme of a phone.

    Arguments
    ---------
    phone : str
        IPA as eSpeak NG writes English, without stress and length.

    Returns
    -------
    str
        One of ``VISEMES``.

    Raises
    ------
    ValueError
        If the table lacks the phone: a guess would teach wrong lips.

    Example
    -------
    >>> [viseme_of(phone) for phone in ("p", "b", "m", "uː"[0])]
    ['lips-closed', 'lips-closed', 'lips-closed', 'close-rounded']
    >>> len(VISEMES)
    14
    """
    try:
        return _OF_PHONE[phone]
    except KeyError:
        raise ValueError(
            f"No viseme for phone {phone!r}: expected one of "
            f"{' '.join(_OF_PHONE)}. Add it to PHONES in visemes.py."
        ) from None
