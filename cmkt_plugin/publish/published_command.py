"""The command of a run as others can give it."""

import shlex

from cmkt_plugin.provenance import command

PLACES = ("_folder", "_annotation")  # how flags that name one end


def published_command(text):
    """A recorded command with placeholders where its own folders stood.

    Arguments
    ---------
    text : str
        ``command`` of an ``experiment.json``.

    Returns
    -------
    str

    Example
    -------
    >>> published_command("python train.py a.yaml --data_folder vb --seed 1")
    'python train.py a.yaml --data_folder DATA_FOLDER --seed 1'
    >>> published_command("train.py --noise_folder='my noises'")
    'python train.py --noise_folder=NOISE_FOLDER'
    """
    words = []
    for word in shlex.split(text):
        flag, equals, _ = word.partition("=")
        before = words[-1] if words else ""
        if equals and _is_place(flag):
            word = f"{flag}={flag.lstrip('-').upper()}"
        elif _is_place(before) and "=" not in before:
            word = before.lstrip("-").upper()
        words.append(word)
    # Quotes again, and takes out absolute paths that an old record may hold.
    return command(words)


def _is_place(flag):
    return flag.startswith("--") and flag.endswith(PLACES)
