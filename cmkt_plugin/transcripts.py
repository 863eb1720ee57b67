"""Which text there is to train with: the corpus', a recogniser's, or none."""

from pathlib import Path

from speechbrain.utils.logger import get_logger

from cmkt_plugin.text_normalization import AsWritten
from cmkt_plugin.transcript_file import read_transcripts
from cmkt_plugin.word_errors import WordErrors, keyed_random

logger = get_logger(__name__)
# A source that is no transcript in a language: validation reads it too.
UNITS = "units"
COMMANDS = {
    "asr_clean": "cmkt transcribe ANNOTATION --side clean",
    "asr_noisy": "cmkt transcribe ANNOTATION --side noisy",
    UNITS: "cmkt units ANNOTATION",
}
SOURCES = ("corpus", *COMMANDS, "none")


class Transcripts:
    """The transcripts of the training, as good and as many as asked for.

    Changes the training set's text only. Validation keeps the corpus' own,
    because retrieval asks what was learned; where the corpus has none, or the
    teacher reads discrete units, it takes the source's.

    Arguments
    ---------
    source : str
        ``corpus``: the annotation's words. ``asr_clean``, ``asr_noisy``:
        recognised from the clean or from the noisy speech; ``units``:
        discrete units of the clean speech; each from files in ``folder``.
        ``none``: no text.
    fraction : float
        Part of the utterances that keep their text, from 0 to 1; a smaller
        part lies within a larger one of the same seed.
    word_error_rate : float
        Part of the words that are corrupted, from 0 to 1.
    folder : str or None
        Holds ``<source>_train.txt`` and ``<source>_valid.txt``, as
        ``cmkt transcribe`` and ``cmkt units`` write them.
    normalization : callable, optional
        Rule that every text goes through (``cmkt_plugin.text_normalization``);
        as written if not given.
    seed : int
        Seed of the part that keeps its text and of the errors.

    Raises
    ------
    ValueError
        If an argument has a value that it cannot have.

    Example
    -------
    >>> words = {"train": {"a": "a red bag", "b": "six"}, "valid": {"c": "no"}}
    >>> Transcripts(fraction=0.5).texts(words)
    {'train': {'a': '', 'b': 'six'}, 'valid': {'c': 'no'}}
    """

    def __init__(
        self,
        source="corpus",
        fraction=1.0,
        word_error_rate=0.0,
        folder=None,
        normalization=None,
        seed=0,
    ):
        if source not in SOURCES:
            raise ValueError(
                f"transcripts: source is {source!r}, expected one of "
                f"{', '.join(SOURCES)}."
            )
        if source in COMMANDS and folder is None:
            raise ValueError(
                f"transcripts: source {source} is read from files: set "
                f"`folder` to where `{COMMANDS[source]}` has written "
                f"{source}_train.txt and {source}_valid.txt."
            )
        if not 0 <= fraction <= 1:
            raise ValueError(
                f"transcripts: fraction is {fraction}, expected 0 to 1."
            )
        self.source = source
        self.fraction = fraction
        self.folder = folder
        self.normalization = normalization or AsWritten()
        self.errors = WordErrors(word_error_rate, seed)
        self.seed = seed

    def texts(self, words):
        """Texts that the teacher reads.

        Arguments
        ---------
        words : dict
            ``train`` and ``valid``: utterance to the corpus' transcript.

        Returns
        -------
        dict
            The same with the texts to use; empty where there is none.
        """
        # Missing: an annotation of somebody's own, without a transcript.
        corpus = {
            name: {
                u: self.normalization(text or "") for u, text in part.items()
            }
            for name, part in words.items()
        }
        train = self._from_source("train", corpus["train"])
        valid = corpus["valid"]
        if self.source == UNITS or not any(valid.values()):
            valid = self._from_source("valid", valid)
        train = self.errors(self._keep(train))
        return {"train": train, "valid": valid}

    def path(self, split):
        """The file that the source of a split is read from, if any."""
        if self.source not in COMMANDS:
            return None
        return Path(self.folder) / f"{self.source}_{split}.txt"

    def _from_source(self, split, corpus):
        if self.source == "corpus":
            return corpus
        if self.source == "none":
            return dict.fromkeys(corpus, "")
        path = self.path(split)
        if not path.is_file():
            raise FileNotFoundError(
                f"transcripts: source {self.source} has no {path}. Write it "
                f"with `{COMMANDS[self.source]} -o {path}`."
            )
        header, found = read_transcripts(path)
        side = header.get("side", "")
        if side and self.source != f"asr_{side}" and self.source != UNITS:
            raise ValueError(
                f"{path}: made of the {side} side, expected that of "
                f"{self.source}: `{COMMANDS[self.source]} -o {path}`."
            )
        missing = [name for name in corpus if name not in found]
        if len(missing) == len(corpus):
            raise ValueError(
                f"{path} has none of the {len(corpus)} utterances of the "
                f"{split} set (first: {missing[0]}): it belongs to another "
                "annotation."
            )
        if missing:
            logger.warning(
                f"{path}: {len(missing)} of {len(corpus)} utterances have no "
                f"line, first {missing[0]}: they are used without text."
            )
        return {u: self.normalization(found.get(u, "")) for u in corpus}

    def _keep(self, texts):
        """The text of a part of the utterances, by a draw per utterance."""
        with_text = [name for name, text in texts.items() if text.strip()]
        order = sorted(
            with_text,
            key=lambda name: keyed_random(f"{self.seed} kept", name).random(),
        )
        kept = set(order[: round(self.fraction * len(order))])
        if self.fraction < 1:
            logger.info(
                f"transcripts: {len(kept)} of {len(with_text)} training "
                "utterances keep their text."
            )
        return {u: text if u in kept else "" for u, text in texts.items()}
