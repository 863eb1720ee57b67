"""Clean speech of annotations, with its phones."""

from pathlib import Path

import torch
from speechbrain.dataio.dataio import (
    load_data_json,
    read_audio,
    read_audio_info,
)
from speechbrain.dataio.dataset import DynamicItemDataset
from speechbrain.utils.data_pipeline import provides, takes
from torchaudio.functional import resample

from cmkt_plugin.annotated_speech import require_speech
from cmkt_plugin.phone_recognition.network import SAMPLE_RATE


def read_labelled(annotations, replacements, spell):
    """The clean side of annotations, and what is spoken.

    Arguments
    ---------
    annotations : list of str or pathlib.Path
        JSON files with ``clean_wav``, ``length`` (seconds), ``speaker`` and
        either ``phones`` (separated by blanks) or ``words``.
    replacements : dict
        What ``{data_root}`` and the other names in them stand for.
    spell : callable
        An entry to a list of phones, see `phone_recognition.symbols`.

    Returns
    -------
    speechbrain.dataio.dataset.DynamicItemDataset
        With ``speech`` (time,) at 16 kHz and ``phones``, a list of str.
        Utterances in which nothing is spoken are not in it.

    Raises
    ------
    ValueError
        If an utterance is in two annotations or misses an entry, or if there
        is no phone.

    Example
    -------
    >>> from cmkt_plugin.phone_recognition.symbols import SpokenPhones
    >>> path = getfixture("tmp_path") / "train.json"
    >>> _ = path.write_text(
    ...     '{"a": {"clean_wav": "{data_root}/a.wav", "length": 1.0, '
    ...     '"speaker": "p1", "phones": "b ɛɹ"}}'
    ... )
    >>> spell = SpokenPhones(g2p=None).spell
    >>> found = read_labelled([path], {"data_root": "/data"}, spell)
    >>> found.data["a"]["clean_wav"], found.data["a"]["phones"]
    ('/data/a.wav', ['b', 'ɛɹ'])
    """
    entries = {}
    for path in annotations:
        for name, entry in load_data_json(path, replacements).items():
            if name in entries:
                raise ValueError(
                    f"{path}: {name} is in two annotations, expected every "
                    "utterance once: leave one of them out"
                )
            _require(path, name, entry)
            entries[name] = {
                "clean_wav": entry["clean_wav"],
                "length": entry["length"],
                "speaker": entry["speaker"],
                "phones": _spelled(path, name, entry, spell),
            }
    spoken = {name: e for name, e in entries.items() if e["phones"]}
    if not spoken:
        raise ValueError(
            f"{', '.join(map(str, annotations))}: no phone in "
            f"{len(entries)} utterances, expected transcripts in `words` or "
            "phones in `phones`"
        )
    dataset = DynamicItemDataset(spoken)
    dataset.add_dynamic_item(read_speech)
    dataset.set_output_keys(["speech", "phones"])
    return dataset


def encoded(dataset, labels):
    """The set with its phones as numbers, for training.

    Arguments
    ---------
    dataset : speechbrain.dataio.dataset.DynamicItemDataset
        From ``read_labelled``; changed.
    labels : speechbrain.dataio.encoder.CTCTextEncoder
        Knows all of its phones.

    Returns
    -------
    speechbrain.dataio.dataset.DynamicItemDataset
        With ``speech`` and ``labels`` (phones,), int64.
    """

    @takes("phones")
    @provides("labels")
    def numbers(phones):
        return torch.tensor(labels.encode_sequence(phones, allow_unk=False))

    dataset.add_dynamic_item(numbers)
    dataset.set_output_keys(["speech", "labels"])
    return dataset


@takes("clean_wav")
@provides("speech")
def read_speech(clean_wav):
    """Clean recording (time,), at 16 kHz."""
    if not Path(clean_wav).is_file():
        raise FileNotFoundError(
            f"{clean_wav} does not exist: name by --data-root the folder that "
            "{data_root} stands for, the --data_folder of the run"
        )
    wave = read_audio(clean_wav)
    try:
        require_speech(wave)
    except ValueError as error:
        raise ValueError(f"{clean_wav}: {error}") from error
    return resample(wave, read_audio_info(clean_wav).sample_rate, SAMPLE_RATE)


def _spelled(path, name, entry, spell):
    try:
        return spell(entry)
    except ValueError as error:
        raise ValueError(f"{path}: {name}: {error}") from error


def _require(path, name, entry):
    missing = {"clean_wav", "length", "speaker"} - entry.keys()
    if missing or not entry.keys() & {"phones", "words"}:
        raise ValueError(
            f"{path}: {name} has {', '.join(entry)}; expected clean_wav, "
            "length, speaker, and phones or words, as a recipe's preparation "
            "writes them: save/train.json in the output folder of a run"
        )
