"""What a ``config.json`` may hold; nothing that it names is imported."""

import json

from cmkt_plugin import __version__
from cmkt_plugin.loading.allowed_classes import ALLOWED

FORMAT = 1  # of config.json
KINDS = ("new", "name", "tuple")
ADAPTERS = (
    "cmkt_plugin.enhancers.SpectralMask",
    "cmkt_plugin.enhancers.WaveformMask",
    "cmkt_plugin.enhancers.WaveformMapping",
    "cmkt_plugin.diffusion.enhancer.DiffusionEnhancer",
    "cmkt_plugin.visual.predictive_enhancer.PredictiveEnhancer",
)
# Hz: beyond it there is no audio, and a number may be too large for memory.
RATES = range(1000, 384_001)
TRUST = (
    "If you trust whoever made it, load it with --trust, or in Python with "
    "cmkt_plugin.loading.model_source.open_model(..., trust=True)"
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
    if type(rate) is not int or rate not in RATES:
        raise ValueError(
            f"{origin}: sample_rate is {_short(rate)}, expected a whole number "
            f"of Hz from {RATES[0]} to {RATES[-1]}"
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
    if enhancer["new"] not in ADAPTERS:
        raise ValueError(
            f"{origin}: the enhancer is a {enhancer['new']}, expected one of "
            f"{', '.join(ADAPTERS)} with it inside"
        )


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
            f"(cmkt_plugin.loading.allowed_classes). Nothing was loaded. {TRUST}"
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
    >>> net = {"new": "mine.Net", "kwargs": {"name": "a", "act": None}}
    >>> unlisted({"new": "torch.nn.Sequential", "args": [net]})
    {'mine.Net'}
    """
    if isinstance(tree, list):
        return set().union(*map(unlisted, tree))
    if not isinstance(tree, dict):
        return set()
    name = tree.get("new", tree.get("name"))
    inside = [value for key, value in tree.items() if key != "kwargs"]
    inside += tree.get("kwargs", {}).values()
    return unlisted(inside) | ({name} - ALLOWED if name else set())


def _short(value):
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
