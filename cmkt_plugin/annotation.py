"""Writes annotations in SpeechBrain's format."""

import json
import os
from pathlib import Path

from speechbrain.utils.logger import get_logger

from cmkt_plugin.atomic import write_text

logger = get_logger(__name__)


def write_annotation(path, annotation):
    """Writes an annotation as JSON, a line each, and logs what it holds.

    Arguments
    ---------
    path : Path
        The file.
    annotation : dict
        Utterance to a dict with ``length`` (s), ``speaker`` and more.

    Raises
    ------
    ValueError
        If it is empty.

    Example
    -------
    >>> path = getfixture("tmp_path") / "train.json"
    >>> write_annotation(path, {"a": {"length": 1.5, "speaker": "p226"}})
    >>> path.read_text()
    '{\\n"a": {"length": 1.5, "speaker": "p226"}\\n}\\n'
    """
    if not annotation:
        raise ValueError(
            f"{path.name} would be empty: all its recordings were left out, "
            "for the reasons given above; unpack them again, or choose other "
            "recordings for it"
        )
    # Line by line: with an indent Python's encoder takes ten times as long.
    lines = (
        f"{json.dumps(name, ensure_ascii=False)}: "
        f"{json.dumps(entry, ensure_ascii=False)}"
        for name, entry in annotation.items()
    )
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")
    hours = sum(entry["length"] for entry in annotation.values()) / 3600
    speakers = {entry["speaker"] for entry in annotation.values()}
    logger.info(
        f"{path.name}: {len(annotation)} utterances, {len(speakers)} "
        f"speakers, {hours:.2f} h"
    )


def escape(text):
    """Doubles braces: SpeechBrain formats every text of an annotation.

    Example
    -------
    >>> escape("a {b}").format(data_root="/data")
    'a {b}'
    """
    return text.replace("{", "{{").replace("}", "}}")


def portable(path, folder, name="data_root"):
    """Writes a path relative to a named folder, where it lies in it.

    Links are kept as they are: what is linked into a corpus is a part of it.

    Arguments
    ---------
    path : str or Path
        A file.
    folder : str, Path or None
        What ``{name}`` stands for; None where it stands for nothing.
    name : str
        The folder's name.

    Returns
    -------
    str
        To be formatted: braces of the path's own are doubled.

    Example
    -------
    >>> portable("/data/wavs/a.wav", "/data")
    '{data_root}/wavs/a.wav'
    >>> portable("/noise/{1}.wav", "/noise", "noise_root")
    '{noise_root}/{{1}}.wav'
    >>> portable("/elsewhere/a.wav", "/data")
    '/elsewhere/a.wav'
    """
    path = Path(os.path.abspath(path))
    if folder is None or not path.is_relative_to(os.path.abspath(folder)):
        return escape(str(path))
    relative = path.relative_to(os.path.abspath(folder)).as_posix()
    return f"{{{name}}}/{escape(relative)}"
