"""Builds an enhancer from JSON that may come from a stranger.

A node ``{"new": name, "args": [...], "kwargs": {...}}`` is an object of a
class, ``{"name": ...}`` with the same keys the class itself with arguments to
come (HyperPyYAML's ``!new:`` and ``!name:``), ``{"tuple": [...]}`` a tuple.
Every name is looked up on the list of ``allowed_classes`` before anything is
imported.
"""

import functools
import importlib

import torch

from cmkt_plugin.loading.allowed_classes import ALLOWED
from cmkt_plugin.loading.config_check import KINDS, check_config
from cmkt_plugin.loading.enhancer_check import fault_of


def build(config, origin="config.json"):
    """The adapter of a config, with weights as its classes draw them.

    Arguments
    ---------
    config : dict
        See ``config_check.make_config``; it is checked first.
    origin : str or pathlib.Path
        What errors call it.

    Returns
    -------
    torch.nn.Module
        One of ``cmkt_plugin.enhancers``, in evaluation mode.

    Raises
    ------
    ValueError
        If the config is refused, a class does not take its arguments, or the
        parts do not fit together: noise is sent through.

    Example
    -------
    >>> from cmkt_plugin.loading.config_check import make_config
    >>> windows = {"sample_rate": 16000, "win_length": 32, "hop_length": 16}
    >>> stft = {"new": "speechbrain.processing.features.STFT"}
    >>> istft = {"new": "speechbrain.processing.features.ISTFT"}
    >>> mask = {
    ...     "new": "cmkt_plugin.enhancers.SpectralMask",
    ...     "args": [
    ...         {"new": "torch.nn.Sigmoid"},
    ...         {**stft, "kwargs": {**windows, "n_fft": 512}},
    ...         {**istft, "kwargs": windows},
    ...     ],
    ... }
    >>> build(make_config(16000, mask)).hop_length
    256
    >>> build(make_config(16000, {"new": "os.system", "args": ["ls"]}))
    Traceback (most recent call last):
    ValueError: config.json: enhancer names 'os.system', which is not on ...
    """
    check_config(config, origin)
    # Weights are loaded next: what they are drawn from is not to move.
    with torch.random.fork_rng(devices=[]):
        try:
            enhancer = _build(config["enhancer"]).eval()
            fault = fault_of(enhancer, config["sample_rate"])
        # They raise whatever their arguments make them raise.
        except Exception as error:
            raise ValueError(
                f"{origin}: {type(error).__name__}: {error}"
            ) from error
    if fault:
        raise ValueError(f"{origin}: {fault}")
    return enhancer


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
