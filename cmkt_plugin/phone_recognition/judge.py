"""Who judges speech by its phones, and how often it errs on clean speech."""

from dataclasses import dataclass
from pathlib import Path

from hyperpyyaml import load_hyperpyyaml

from cmkt_plugin.g2p import g2p_of
from cmkt_plugin.phone_recognition.held_out import error_rate
from cmkt_plugin.phone_recognition.labelled_speech import read_labelled
from cmkt_plugin.phone_recognition.recognizer import PhoneRecognizer
from cmkt_plugin.phone_recognition.symbols import SpokenPhones
from cmkt_plugin.recognizers import RECOGNIZERS

YAML = """\
recognizer: !apply:cmkt_plugin.phone_recognition.judge.open_recognizer
    interface: pipeline
    source: facebook/wav2vec2-lv-60-espeak-cv-ft
symbols: !new:cmkt_plugin.phone_recognition.symbols.SpokenPhones
    g2p: !new:cmkt_plugin.g2p.EspeakPhones
        language: en-us"""


@dataclass
class Judge:
    """A recogniser, what its texts consist of, and its own error rate.

    Arguments
    ---------
    recognizer : object
        With ``transcribe``, ``name`` and ``revision``: `PhoneRecognizer`, or
        one of `cmkt_plugin.recognizers`.
    symbols : SpokenPhones or WrittenCharacters
        What its texts consist of.
    held_out : dict or None
        As ``held_out.error_rate`` returns it, of clean speech that it was not
        trained on; ``speech`` says which.
    """

    recognizer: object
    symbols: object
    held_out: dict = None

    def phones(self, text):
        """Symbols of a text of its own (list of str)."""
        return self.symbols.split(text)

    def measure(self, annotation, replacements):
        """Finds out how often it errs on the clean speech of an annotation.

        Arguments
        ---------
        annotation : str or pathlib.Path
            JSON file, as for ``read_labelled``.
        replacements : dict
            What ``{data_root}`` and the other names in it stand for.
        """
        dataset = read_labelled([annotation], replacements, self.symbols.spell)
        found = error_rate(self._recognize, dataset)
        self.held_out = {"speech": Path(annotation).name, **found}

    def require_held_out(self):
        """Its own error rate, which figures are not to be without.

        Returns
        -------
        dict
            ``held_out``.

        Raises
        ------
        ValueError
            If it was never measured.
        """
        if self.held_out is None:
            raise ValueError(
                f"{self.recognizer.name}: how often it errs on clean speech "
                "is not known, and its figures would tell nothing. Name clean "
                "speech with transcripts, that it was not trained on: "
                "--annotation RUN/save/test.json --data-root CORPUS"
            )
        return self.held_out

    def _recognize(self, wave):
        (text,) = self.recognizer.transcribe([wave])
        return self.phones(text)


def open_recognizer(interface, source, revision=None, device=None):
    """Opens any recogniser that `cmkt transcribe` knows, for a YAML.

    Arguments
    ---------
    interface : str
        ``pipeline`` of transformers, or SpeechBrain's ``EncoderASR``,
        ``EncoderDecoderASR`` or ``WhisperASR``.
    source : str
        Folder, or name of a model on the hub.
    revision : str or None
        Branch, tag or commit on the hub.
    device : str or None
        None takes an accelerator where there is one.

    Returns
    -------
    cmkt_plugin.recognizers.SpeechBrainASR or TransformersASR

    Raises
    ------
    ValueError
        If there is no such interface, or the model cannot be loaded.
    """
    if interface not in RECOGNIZERS:
        raise ValueError(
            f"interface is {interface!r}, expected {', '.join(RECOGNIZERS)}"
        )
    return RECOGNIZERS[interface](source, revision, device)


def open_judge(source, device=None):
    """Opens a recogniser by its folder, or by a YAML that tells all.

    Arguments
    ---------
    source : str or pathlib.Path
        Folder of ``cmkt train-phones``; else a YAML with ``recognizer`` and
        ``symbols``, which runs what it names.
    device : str or None
        For a folder; None takes an accelerator where there is one.

    Returns
    -------
    Judge
        Without ``held_out``, if from a YAML.

    Raises
    ------
    ValueError, FileNotFoundError
        If there is no recogniser in it.
    """
    if Path(source).is_dir():
        recognizer = PhoneRecognizer(source, device)
        record = recognizer.record
        symbols = SpokenPhones(g2p_of(record["language"]))
        return Judge(recognizer, symbols, record["held_out"]["test"])
    with open(source, encoding="utf-8") as file:
        found = load_hyperpyyaml(file)
    if not isinstance(found, dict) or not {"recognizer", "symbols"} <= set(
        found
    ):
        raise ValueError(
            f"{source}: expected a recognizer and its symbols, such as\n{YAML}"
        )
    return Judge(found["recognizer"], found["symbols"])
