"""What the texts of a recogniser consist of: phones, or characters."""

import regex

from cmkt_plugin.words import CHARACTER


class SpokenPhones:
    """Phones that a recogniser sets blanks between.

    Arguments
    ---------
    g2p : callable
        Text to list of phones, see `cmkt_plugin.g2p`: for entries of an
        annotation that have a transcript and no phones.

    Example
    -------
    >>> phones = SpokenPhones(g2p=None)
    >>> phones.split("b ɛɹ"), phones.spell({"phones": "b ɛɹ"})
    (['b', 'ɛɹ'], ['b', 'ɛɹ'])
    """

    title = "phone"

    def __init__(self, g2p):
        self.g2p = g2p

    def split(self, text):
        """Symbols of what was recognised."""
        return text.split()

    def spell(self, entry):
        """Symbols of what is spoken, of an entry of an annotation."""
        if "phones" in entry:
            return entry["phones"].split()
        if self.g2p is None:
            raise ValueError(
                "there are words and no phones, expected phones: for words, "
                "give SpokenPhones one of cmkt_plugin.g2p"
            )
        return self.g2p(entry["words"])


class WrittenCharacters:
    """Letters, digits and ideographs, in lower case, without blanks.

    For recognisers that write words. What they miss in spelling is counted
    too: phones tell more of the sound.

    Example
    -------
    >>> WrittenCharacters().split("We CALL 它.")
    ['w', 'e', 'c', 'a', 'l', 'l', '它']
    """

    title = "character"

    def split(self, text):
        """Symbols of what was recognised."""
        return regex.findall(CHARACTER, text.lower())

    def spell(self, entry):
        """Symbols of what is spoken, of an entry of an annotation."""
        if "words" not in entry:
            raise ValueError(
                "there are phones and no words, expected words: characters "
                "are judged by the transcript"
            )
        return self.split(entry["words"])
