"""Annotations read for mixing: ids checked, paths filled in."""

import json
from collections import Counter

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


def read_noisy_entries(path):
    """As ``read_entries``, of a set that is evaluated on.

    Arguments
    ---------
    path : str or Path
        JSON of a manifest or of recorded pairs.

    Returns
    -------
    dict
        Utterance to entry with ``mixture`` or ``noisy_wav``.

    Raises
    ------
    ValueError
        If an entry has no noisy side.

    Example
    -------
    >>> path = getfixture("tmp_path") / "test.json"
    >>> entry = {"clean_wav": "a.wav", "speaker": "a", "length": 1.0}
    >>> _ = path.write_text(json.dumps({"a_1": entry}))
    >>> read_noisy_entries(path)
    Traceback (most recent call last):
    ValueError: ...test.json: a_1 has neither mixture nor noisy_wav: ...
    """
    entries = read_entries(path)
    for name, entry in entries.items():
        if not {"mixture", "noisy_wav"} & entry.keys():
            raise ValueError(
                f"{path}: {name} has neither mixture nor noisy_wav: expected "
                "a manifest or recorded pairs. Write a manifest first: "
                "cmkt manifest"
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
