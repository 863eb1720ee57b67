"""Flags of a recipe: from the command line or YAML to the command line."""

import json
import os
import re
from dataclasses import fields

from speechbrain.utils.run_opts import RunOptions

# Flags that the runner itself gives to every run.
RESERVED = ("seed", "output_folder")
# SpeechBrain's options that take no value (--debug and the like).
SWITCHES = {
    option.name for option in fields(RunOptions) if option.default is False
}


def parse_flags(words):
    """Turns flags of a command line into a dictionary.

    Arguments
    ---------
    words : list of str
        ``--key value`` or ``--key=value``; SpeechBrain's options without value
        may stand alone. The value of a flag that ends in ``_folder`` is made
        absolute, because the recipe does not run where the flag was typed.

    Returns
    -------
    dict

    Example
    -------
    >>> parse_flags(["--lr", "0.1", "--debug", "--words=[a, b]"])
    {'lr': '0.1', 'debug': True, 'words': '[a, b]'}
    """
    flags = {}
    words = list(words)
    while words:
        word = words.pop(0)
        if not re.match(r"--\w", word):
            raise ValueError(
                f"{word!r} is no flag for the runs: expected --key value"
            )
        name, equals, value = word[2:].partition("=")
        if name in SWITCHES:
            flags[name] = True
            continue
        if not equals:
            if not words or words[0].startswith("--"):
                raise ValueError(f"--{name} needs a value, e.g. --{name} True")
            value = words.pop(0)
        if name.endswith("_folder"):
            value = os.path.abspath(value)
        flags[name] = value
    return check_flags(flags, "flags of the command line")


def flag_words(name, value):
    """Writes one flag as words of a command line.

    Arguments
    ---------
    name : str
        The flag, without dashes.
    value : str, number, bool, list or dict
        Strings are handed over as they are, anything else as inline YAML.

    Returns
    -------
    list of str

    Example
    -------
    >>> flag_words("weights", {"l1": 0.5}), flag_words("debug", True)
    (['--weights', '{"l1": 0.5}'], ['--debug'])
    """
    if name in SWITCHES:
        if not isinstance(value, bool):
            raise ValueError(f"--{name} takes no value: expected true or false")
        return [f"--{name}"] if value else []
    # JSON is YAML; and always on one line.
    text = value if isinstance(value, str) else json.dumps(value)
    if "=" in text or text.startswith("--"):
        raise ValueError(
            f"--{name} {text}: SpeechBrain's command line splits a value at "
            "'=' and takes '--' for the next flag; put it into the hparams file"
        )
    return [f"--{name}", text]


def check_flags(flags, where):
    """Refuses flags that would not reach a recipe as they were meant.

    Arguments
    ---------
    flags : dict or None
        Name to value.
    where : str
        Where they were given, for the error message.

    Returns
    -------
    dict
        The flags; empty for None.

    Raises
    ------
    ValueError
        Names the flag.
    """
    flags = {} if flags is None else flags
    if not isinstance(flags, dict):
        raise ValueError(f"{where}: expected flag: value, got {flags!r}")
    for name, value in flags.items():
        if name in RESERVED:
            raise ValueError(f"{where}: {name} is set by the runner itself")
        try:
            flag_words(name, value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{where}: {error}")
    return flags
