"""Refuses to publish what belongs to this machine or to the teacher."""

import getpass
import os
import re
import socket
from fnmatch import fnmatch
from pathlib import Path

import torch
from safetensors import safe_open

from cmkt_plugin.publish.text_traces import text_traces

# Nothing else is part of a model; what is not on the list needs no reason.
FILES = (
    "README.md",
    "hyperparams.yaml",
    "*.ckpt",
    "config.json",
    "model.safetensors",
    "custom.py",
    "example_noisy.wav",
    "example_enhanced.wav",
    "example.png",
)
TEXT = (".md", ".yaml", ".json", ".py")
TEACHING = re.compile(
    r"aligner|teacher|tokeniz|transcript|transformers\.|optimizer"
    r"|\b(?:bert|llama|gpt|qwen|language_model|lm_head|word_embeddings)\b",
    re.IGNORECASE,
)
# Parts of paths that every command and card has.
HARMLESS = {"localhost", "recipes", "hparams", "results", "save", "data"}


def check_private_traces(folder, repo, paths=()):
    """Refuses a folder with traces of this machine or of the teacher.

    Arguments
    ---------
    folder : str or pathlib.Path
        The folder to publish.
    repo : str
        ``user/name``: where it will be; this name may be in it.
    paths : list of str or pathlib.Path
        Places on this machine that no file may name, such as the run's.

    Raises
    ------
    ValueError
        Naming file and finding; all of them.
    """
    folder = Path(folder)
    names = _machine_names(repo)
    places = [Path(p).absolute() for p in (Path.home(), *paths)]
    # Of one part it would be in every text: / and /root are homes too.
    places = [str(place) for place in places if len(place.parts) > 2]
    found = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        found += [f"{name}: {what}" for what in _in_file(path, names, places)]
    if found:
        raise ValueError(
            f"not published, the folder holds what is not the model's: "
            f"{'; '.join(found)}. Expected nothing of this machine and of the "
            "teacher; correct the run's files, the options or, if a name is "
            "meant, leave it out"
        )


def _in_file(path, names, places):
    if path.is_symlink() or path.is_dir():
        yield "is a link or a folder, expected files only"
        return
    if not any(fnmatch(path.name, pattern) for pattern in FILES):
        yield "is no part of a model"
        return
    if TEACHING.search(path.stem):
        yield "is named like a part of the teacher or of the training"
    content = path.read_bytes()
    for place in places:
        if os.fsencode(place) in content:
            yield f"holds the path {place}"
    if path.suffix in TEXT:
        text = path.read_text(encoding="utf-8")
        yield from text_traces(text, names)
        # The card may name who taught; custom.py is the user's own code.
        if path.suffix in (".yaml", ".json"):
            yield from _teaching("the word", TEACHING.findall(text))
    keys = _keys(path)
    yield from _teaching("parameter", [k for k in keys if TEACHING.search(k)])


def _teaching(what, found):
    for name in sorted(set(found)):
        yield f"holds {what} {name} of the teacher or of the training"


def _keys(path):
    """Names of the parameters in a file of weights."""
    if path.suffix == ".ckpt":
        return torch.load(path, map_location="cpu", weights_only=True).keys()
    if path.suffix == ".safetensors":
        with safe_open(path, framework="pt") as weights:
            return list(weights.keys()) + list(weights.metadata() or {})
    return []


def _machine_names(repo):
    """The names of user and machine, but for those that tell nothing."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container without passwd
        user = ""
    host = socket.gethostname()
    given = {
        "the user's name": user,
        "the machine's name": host,
        "the machine's short name": host.partition(".")[0],
    }
    # What the repository's name says anyway is no secret.
    harmless = HARMLESS | set(repo.split("/"))
    return {
        what: name
        for what, name in given.items()
        if len(name) > 2 and name not in harmless
    }
