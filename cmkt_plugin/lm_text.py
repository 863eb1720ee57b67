"""Sentences that a language model of our own is trained on."""

import json
import random
from pathlib import Path

from cmkt_plugin.text_file import read_text
from cmkt_plugin.transcript_file import read_transcripts


def read_sentences(paths):
    """Reads the sentences of text files, annotations and transcript files.

    Arguments
    ---------
    paths : list of str or pathlib.Path
        Text files with one sentence a line; annotations of this package
        (``.json``: their ``words``); transcript files (they begin with a line
        ``# key: value``); or folders, of which every ``.txt`` is read.

    Returns
    -------
    list of str
        In the order of the files, without those that are empty.

    Raises
    ------
    FileNotFoundError
        If a file is missing, or a folder has no ``.txt``.
    ValueError
        If a file has no sentence, is not UTF-8 or not of its kind.

    Example
    -------
    >>> path = getfixture("tmp_path") / "a.txt"
    >>> _ = path.write_text("Please call Stella.\\n\\nWe call it bear.\\n")
    >>> read_sentences([path])
    ['Please call Stella.', 'We call it bear.']
    """
    sentences = []
    for path in _files(paths):
        lines = (" ".join(line.split()) for line in _lines(path))
        found = [line for line in lines if line]
        if not found:
            raise ValueError(
                f"{path} has no sentence. Expected one a line, or an "
                "annotation with `words`: leave the file out."
            )
        sentences += found
    return sentences


def _files(paths):
    """Files, those inside the folders too."""
    for path in map(Path, paths):
        inside = sorted(path.glob("*.txt")) if path.is_dir() else [path]
        if not inside:
            raise FileNotFoundError(
                f"The folder {path} has no .txt file. Name text files, or "
                "the folder that they lie in."
            )
        yield from inside


def _lines(path):
    if path.suffix == ".json":
        return _words(path)
    text = read_text(path)
    if text.startswith("# "):
        return read_transcripts(path)[1].values()
    return text.split("\n")


def _words(path):
    """Transcripts of an annotation."""
    try:
        entries = json.loads(read_text(path)).values()
        # Annotations double braces, for SpeechBrain's formatting.
        return [
            entry["words"].replace("{{", "{").replace("}}", "}")
            for entry in entries
        ]
    except (json.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is no annotation of this package. Expected a JSON file "
            "of utterances that have `words`, as the recipes prepare it."
        ) from error


def hold_out(sentences, seed, fraction=0.1):
    """Sets a part of the sentences aside; copies of a sentence stay together.

    Arguments
    ---------
    sentences : list of str
        The sentences, as the model will read them.
    seed : int
        Decides which.
    fraction : float
        Part of the different sentences that is held out; at least one.

    Returns
    -------
    training : list of str
        With their repetitions.
    held_out : list of str
        Different sentences in random order, none of them in training.

    Raises
    ------
    ValueError
        If there are not two different sentences.

    Example
    -------
    >>> training, held_out = hold_out(["a", "b", "a", "c"], seed=0)
    >>> len(held_out), held_out[0] in training
    (1, False)
    """
    different = sorted(set(sentences))
    if len(different) < 2:
        raise ValueError(
            f"The text has {len(different)} different sentences: expected at "
            "least 2, one to train on and one to hold out, and some hundreds "
            "for a model that is of use. Add text, one sentence a line."
        )
    random.Random(seed).shuffle(different)
    count = min(max(1, round(fraction * len(different))), len(different) - 1)
    held_out = different[:count]
    aside = set(held_out)
    return [s for s in sentences if s not in aside], held_out
