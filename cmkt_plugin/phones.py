"""Phones as the units of the teacher."""

from cmkt_plugin.units import SubWords


class Phones:
    """Tokens are phones: the language model reads what the words sound like.

    The language model is one of phones (`cmkt train-lm --phones`), with one
    piece per phone; one that the training text did not have is unknown.

    Arguments
    ---------
    g2p : callable
        Text to list of phones, with ``settings``: see `cmkt_plugin.g2p`.

    Example
    -------
    >>> from cmkt_plugin.g2p import EspeakPhones
    >>> Phones(EspeakPhones("en-us")).spell("We call it bear.")
    'w iː k ɔː l ɪ t b ɛɹ'
    """

    needs_spans = False

    def __init__(self, g2p):
        self.g2p = g2p
        self._pieces = SubWords()
        self._spelled = {}

    @property
    def settings(self):
        """What changes the tokens (dict, part of the cache's key)."""
        return {"units": "Phones", **self.g2p.settings}

    def spell(self, text):
        """What the language model reads for a transcript.

        Arguments
        ---------
        text : str
            A transcript.

        Returns
        -------
        str
            Its phones, separated by blanks; empty if nothing is spoken.
        """
        if text not in self._spelled:
            self._spelled[text] = " ".join(self.g2p(text))
        return self._spelled[text]

    def __call__(self, sentence, embeddings):
        """Take the pieces, which are phones, as they are.

        Arguments
        ---------
        sentence : Sentence
            The phones.
        embeddings : torch.Tensor
            One row per phone (phones, width).

        Returns
        -------
        TokenEmbeddings
        """
        return self._pieces(sentence, embeddings)
