"""Annotations read for mixing: ids checked, paths filled in or portable."""

import json
import os
from collections import Counter
from pathlib import Path

from cmkt_plugin.annotation import escape
from cmkt_plugin.shown import first_few

# What an utterance has to have to be mixed.
NEEDED = ("clean_wav", "speaker", "length")


def read_entries(path):
    """Reads an annotation and refuses ids that it has twice.

    Arguments
    ---------
    path : str or Path
        JSON of utterances. ``json.load`` would keep the last of two in
        silence.

    Returns
    -------
    dict
        Utterance to entry, placeholders such as ``{data_root}`` unchanged.

    Raises
    ------
    ValueError
        If ids are there twice or an entry lacks what mixing needs.

    Example
    -------
    >>> path = getfixture("tmp_path") / "test.json"
    >>> _ = path.write_text('{"a": {}, "b": {}, "a": {}}')
    >>> read_entries(path)
    Traceback (most recent call last):
    ValueError: ...test.json: 1 ids are there twice: a; expected ...
    """

    def refuse_repeated(pairs):
        fields = dict(pairs)
        if len(fields) < len(pairs):
            counts = Counter(name for name, _ in pairs)
            twice = sorted(name for name in counts if counts[name] > 1)
            raise ValueError(
                f"{path}: {len(twice)} ids are there twice: "
                f"{first_few(twice)}; expected each once, rename or remove one"
            )
        return fields

    with open(path, encoding="utf-8") as file:
        entries = json.load(file, object_pairs_hook=refuse_repeated)
    for name, entry in entries.items():
        missing = [key for key in NEEDED if key not in entry]
        if missing:
            raise ValueError(
                f"{path}: {name} has no {', '.join(missing)}, expected "
                f"{', '.join(NEEDED)}; prepare the corpus again"
            )
    return entries


def fill(value, roots):
    """Puts folders in the place of ``{data_root}`` and the like.

    As SpeechBrain does when it reads an annotation, for one entry.

    Arguments
    ---------
    value : object
        An entry: dicts, lists, texts, numbers.
    roots : dict
        Name to folder.

    Returns
    -------
    object
        A copy with paths that exist.

    Raises
    ------
    ValueError
        If a name has no folder.

    Example
    -------
    >>> fill({"noise": ["{noise_root}/{{1}}.wav"]}, {"noise_root": "/noise"})
    {'noise': ['/noise/{1}.wav']}
    """
    if isinstance(value, dict):
        return {key: fill(item, roots) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, roots) for item in value]
    if not isinstance(value, str):
        return value
    try:
        return value.format_map(roots)
    except KeyError as error:
        raise ValueError(
            f"{value}: no folder is given for {error}, given are "
            f"{', '.join(sorted(roots)) or 'none'}; give one"
        ) from error


def portable(path, name, roots):
    """Writes a path relative to a named folder, where it lies in it.

    Arguments
    ---------
    path : str
        A file.
    name : str
        The folder's name: ``noise_root``.
    roots : dict
        Name to folder.

    Returns
    -------
    str
        To be formatted: braces of the path's own are doubled.

    Example
    -------
    >>> portable("/noise/a/{1}.wav", "noise_root", {"noise_root": "/noise"})
    '{noise_root}/a/{{1}}.wav'
    """
    path = Path(os.path.abspath(path))
    root = os.path.abspath(roots[name]) if name in roots else None
    if root is None or not path.is_relative_to(root):
        return escape(str(path))
    return f"{{{name}}}/{escape(path.relative_to(root).as_posix())}"
