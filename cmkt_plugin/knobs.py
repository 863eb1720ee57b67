"""Refuses misspelt knobs of included YAML parts and of objects.

HyperPyYAML takes any key in the body of an ``!include:`` and leaves the ones
that the file does not have without effect: a typo would turn a setting off. In
the body of an object it names the wrong one, but not those that there are.
"""

import difflib
import inspect
from pathlib import Path
from pydoc import locate

from hyperpyyaml.core import recursive_update
from ruamel.yaml import YAML

INCLUDE = "!include:"
OBJECTS = ("!new:", "!name:")


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
        If a knob is not in the included file or no argument of the object,
        with the ones there are, or a flag holds a class with a mapping, which
        would keep the old class.
    """
    yaml = YAML()
    changes = yaml.load(overrides or "{}")
    _refuse_tagged_mappings(changes)
    tree = yaml.load(Path(hparams_file).read_text(encoding="utf-8"))
    recursive_update(tree, changes, must_match=True)
    for key, node in tree.items():
        if _tag(node).startswith(INCLUDE):
            path = Path(hparams_file).parent / _tag(node)[len(INCLUDE) :]
            known = yaml.load(path.read_text(encoding="utf-8"))
            _compare(key, path.name, _names(node), list(known))
            if isinstance(node, dict):
                recursive_update(known, node)
                node = known
        _check_objects(node, key)


def _tag(node):
    return str(getattr(getattr(node, "tag", None), "value", ""))


def _check_objects(node, key):
    """Compare the body of every object of ours with its arguments."""
    if not isinstance(node, dict):
        return
    kind = next((k for k in OBJECTS if _tag(node).startswith(k)), None)
    name = _tag(node)[len(kind) :] if kind else ""
    # One that cannot be found is left to HyperPyYAML, which says so.
    if name.startswith("cmkt_plugin.") and locate(name) is not None:
        known = inspect.signature(locate(name)).parameters
        _compare(key, name.rpartition(".")[2], list(node), list(known))
    for child, value in node.items():
        _check_objects(value, f"{key}: {child}")


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
