"""Builds an enhancer from JSON that may come from a stranger.

A node ``{"new": name, "args": [...], "kwargs": {...}}`` is an object of a
class, ``{"name": ...}`` with the same keys the class itself with arguments to
come (HyperPyYAML's ``!new:`` and ``!name:``), ``{"tuple": [...]}`` a tuple.
Every name is looked up on the list of ``allowed_classes`` before anything is
imported.
"""

import functools
import importlib
import json

import torch

from cmkt_plugin import __version__
from cmkt_plugin.allowed_classes import ALLOWED

FORMAT = 1  # of config.json
KINDS = ("new", "name", "tuple")
TRUST = (
    "If you trust whoever made it, load it with --trust, or with "
    "CMKTEnhancement.from_hparams in Python"
)


def make_config(sample_rate, enhancer):
    """The contents of a ``config.json``.

    Arguments
    ---------
    sample_rate : int
        Of the waveforms, in Hz.
    enhancer : dict
        Tree of the adapter.

    Returns
    -------
    dict
    """
    return {
        "format": FORMAT,
        "cmkt_plugin": __version__,
        "sample_rate": sample_rate,
        "enhancer": enhancer,
    }


def parse_config(text, origin="config.json"):
    """Reads a config; nothing in it is imported.

    Arguments
    ---------
    text : str
        JSON.
    origin : str or pathlib.Path
        What errors call it.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If it is no JSON, of another format, or names something that is not
        on the list.
    """
    try:
        config = json.loads(text, object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{origin} is not what JSON may be: {error}")
    check_config(config, origin)
    return config


def _without_duplicates(pairs):
    """Two readers of a key that is there twice could see different values."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} is there twice")
    return found


def check_config(config, origin="config.json"):
    """Refuses what ``build`` must not see; imports nothing.

    Arguments
    ---------
    config : dict
        See ``make_config``.
    origin : str or pathlib.Path
        What errors call it.

    Raises
    ------
    ValueError
        Naming what was found, what was expected and the way out.
    """
    found = config.get("format") if isinstance(config, dict) else config
    if found != FORMAT or isinstance(found, bool):
        raise ValueError(
            f"{origin}: expected format {FORMAT}, found {found!r}. It was "
            "made by another version of cmkt_plugin, or by something else: "
            f"update cmkt_plugin. {TRUST}"
        )
    _check_keys(config, set(make_config(None, None)), "the file", origin)
    rate = config.get("sample_rate")
    if type(rate) is not int or rate < 1:
        raise ValueError(
            f"{origin}: sample_rate is {rate!r}, expected a number in Hz"
        )
    enhancer = config.get("enhancer")
    if not isinstance(enhancer, dict) or "new" not in enhancer:
        raise ValueError(
            f'{origin}: "enhancer" is {_short(enhancer)}, expected an object '
            'with the key "new"'
        )
    try:
        _check_node(enhancer, "enhancer", origin)
    except RecursionError:
        raise ValueError(f"{origin} is nested too deeply")


def _check_node(node, place, origin):
    if isinstance(node, list):
        for number, item in enumerate(node):
            _check_node(item, f"{place}[{number}]", origin)
    elif isinstance(node, dict):
        _check_mapping(node, place, origin)
    elif node is not None and not isinstance(node, (bool, int, float, str)):
        raise ValueError(f"{origin}: {place} is {_short(node)}: no JSON value")


def _check_mapping(node, place, origin):
    kinds = [kind for kind in KINDS if kind in node]
    if not kinds:
        for key, value in node.items():
            _check_node(value, f"{place}.{key}", origin)
        return
    kind = kinds[0]
    allowed = {kind} if kind == "tuple" else {kind, "args", "kwargs"}
    _check_keys(node, allowed, place, origin)
    if kind == "tuple":
        args, kwargs = node["tuple"], {}
    else:
        _check_name(node[kind], place, origin)
        args, kwargs = node.get("args", []), node.get("kwargs", {})
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        raise ValueError(
            f"{origin}: {place} has args {_short(args)} and kwargs "
            f"{_short(kwargs)}, expected a list and an object"
        )
    _check_node(args, place, origin)
    # The keys are names of arguments here: one may be called "name".
    for key, value in kwargs.items():
        _check_node(value, f"{place}.{key}", origin)


def _check_keys(node, allowed, place, origin):
    unknown = [key for key in node if key not in allowed]
    if unknown:
        raise ValueError(
            f"{origin}: {place} has the key {_short(unknown[0])}, expected "
            f"only {', '.join(sorted(allowed))}. {TRUST}"
        )


def _check_name(name, place, origin):
    if not isinstance(name, str) or name not in ALLOWED:
        raise ValueError(
            f"{origin}: {place} names {_short(name)}, which is not on the "
            "list of classes that a model is built of without trusting it "
            f"(cmkt_plugin.allowed_classes). Nothing was loaded. {TRUST}"
        )


def unlisted(tree):
    """The names in a tree that are not on the list.

    Arguments
    ---------
    tree : object
        Tree of an adapter, or a part of it.

    Returns
    -------
    set of str

    Example
    -------
    >>> unlisted([{"new": "torch.nn.ReLU"}, {"name": "mine.Net", "args": []}])
    {'mine.Net'}
    """
    if isinstance(tree, list):
        return set().union(*map(unlisted, tree))
    if not isinstance(tree, dict):
        return set()
    named = {tree[kind] for kind in ("new", "name") if kind in tree}
    inside = set().union(*map(unlisted, tree.values()))
    return inside | {n for n in named if isinstance(n, str)} - ALLOWED


def _short(value):
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def build(config, origin="config.json"):
    """The adapter of a config, with weights as its classes draw them.

    Arguments
    ---------
    config : dict
        See ``make_config``; it is checked first.
    origin : str or pathlib.Path
        What errors call it.

    Returns
    -------
    torch.nn.Module
        One of ``cmkt_plugin.enhancers``, in evaluation mode.

    Raises
    ------
    ValueError
        If the config is refused, or a class does not take its arguments.

    Example
    -------
    >>> linear = {"new": "torch.nn.Linear", "args": [4, 4]}
    >>> build(make_config(16000, linear))
    Linear(in_features=4, out_features=4, bias=True)
    >>> build(make_config(16000, {"new": "os.system", "args": ["ls"]}))
    Traceback (most recent call last):
    ValueError: config.json: enhancer names 'os.system', which is not on ...
    """
    check_config(config, origin)
    # Weights are loaded next: what they are drawn from is not to move.
    with torch.random.fork_rng(devices=[]):
        try:
            enhancer = _build(config["enhancer"])
        # Constructors raise whatever their arguments make them raise.
        except Exception as error:
            raise ValueError(f"{origin}: {type(error).__name__}: {error}")
    return enhancer.eval()


def _build(node):
    if isinstance(node, list):
        return [_build(item) for item in node]
    if not isinstance(node, dict):
        return node
    kind = next((kind for kind in KINDS if kind in node), None)
    if kind is None:
        return {key: _build(value) for key, value in node.items()}
    if kind == "tuple":
        return tuple(_build(node["tuple"]))
    found = _allowed_class(node[kind])
    args = _build(node.get("args", []))
    kwargs = {k: _build(v) for k, v in node.get("kwargs", {}).items()}
    if kind == "new":
        return found(*args, **kwargs)
    return (
        functools.partial(found, *args, **kwargs) if args or kwargs else found
    )


def _allowed_class(name):
    if name not in ALLOWED:  # again: this is the line that imports
        raise ValueError(f"{name} is not on the list")
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)
