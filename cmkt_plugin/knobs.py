"""Refuses misspelt knobs of included YAML parts.

HyperPyYAML takes any key in the body of an ``!include:`` and leaves the ones
that the file does not have without effect: a typo would turn a setting off.
"""

import difflib
from pathlib import Path

from hyperpyyaml.core import recursive_update
from ruamel.yaml import YAML

INCLUDE = "!include:"


def check_knobs(hparams_file, overrides):
    """Compare what is set in every include with what its file has.

    Arguments
    ---------
    hparams_file : str
        YAML file with ``key: !include:path`` and a body of knobs.
    overrides : str
        What the command line changes in it.

    Raises
    ------
    ValueError
        If a knob is not in the included file, with the ones there are, or a
        flag holds a class with a mapping, which would keep the old class.
    """
    yaml = YAML()
    changes = yaml.load(overrides or "{}")
    _refuse_tagged_mappings(changes)
    tree = yaml.load(Path(hparams_file).read_text(encoding="utf-8"))
    recursive_update(tree, changes, must_match=True)
    for key, node in tree.items():
        tag = str(getattr(getattr(node, "tag", None), "value", ""))
        if tag.startswith(INCLUDE):
            path = Path(hparams_file).parent / tag[len(INCLUDE) :]
            known = yaml.load(path.read_text(encoding="utf-8"))
            _compare(key, path.name, _names(node), list(known))


def _refuse_tagged_mappings(node, key=""):
    """HyperPyYAML merges mappings and drops the tag of the new one."""
    if isinstance(node, dict):
        tag = getattr(node.tag, "value", None)
        if tag is not None and tag.startswith("!"):
            raise ValueError(
                f"--{key}: '{tag}' with a mapping would change the knobs and "
                "keep the old class or file. Write its arguments as a list: "
                f"'{tag} [value]', or for a file '{tag} [[knob, value]]'."
            )
        for name, child in node.items():
            _refuse_tagged_mappings(child, key or str(name))


def _names(body):
    """Names of the knobs in a body: a mapping, or a list of pairs."""
    if isinstance(body, dict):
        return list(body)
    return [pair[0] for pair in body] if isinstance(body, list) else []


def _compare(key, file, names, known):
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(str(name), known, n=1)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            raise ValueError(
                f"{key}: {file} has no '{name}'.{hint} "
                f"It has: {', '.join(map(str, known))}."
            )
