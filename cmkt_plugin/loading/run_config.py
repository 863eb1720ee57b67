"""What the YAML of a run tells of its enhancer.

The tags of the YAML are never acted upon: whoever wrote it runs nothing.
"""

import re

import yaml
from ruamel.yaml import SafeLoader
from ruamel.yaml.error import YAMLError

from cmkt_plugin.loading.config_check import KINDS, TRUST, make_config
from cmkt_plugin.loading.yaml_nodes import children, compose

HYPERPARAMS = "hyperparams.yaml"
MAPPING = "cmkt_plugin.enhancers.WaveformMapping"
STRING = "tag:yaml.org,2002:str"
LARGEST = 10_000  # nodes: aliases of aliases could make billions
TUPLE = re.compile(r"\(.*\)")  # in a plain scalar, as HyperPyYAML has it


def is_run(folder):
    """Whether a folder holds the YAML of a run.

    Arguments
    ---------
    folder : pathlib.Path
        Any folder.

    Returns
    -------
    bool
    """
    path = folder / HYPERPARAMS
    return path.is_file() and "backbone" in children(compose(path))


def best_metric(path):
    """The metric by which a run chooses its checkpoint.

    Arguments
    ---------
    path : pathlib.Path
        Its ``hyperparams.yaml``.

    Returns
    -------
    str
    """
    node = children(compose(path)).get("best_metric")
    if node is None:
        return "pesq"
    if not isinstance(node, yaml.ScalarNode):
        raise ValueError(f"{path}: best_metric is no name of a score")
    return node.value


def backbone_nodes(path):
    """The YAML nodes of a run's backbone.

    Arguments
    ---------
    path : pathlib.Path
        Its ``hyperparams.yaml``.

    Returns
    -------
    dict
        With ``enhancer`` and ``sample_rate``.

    Raises
    ------
    ValueError
        If they are not there.
    """
    backbone = children(children(compose(path)).get("backbone"))
    for name in ("enhancer", "sample_rate"):
        if name not in backbone:
            raise ValueError(f"{path} has no 'backbone:' with an '{name}:'")
    return backbone


def run_config(path):
    """The config of the enhancer that a run trains.

    Arguments
    ---------
    path : pathlib.Path
        ``hyperparams.yaml`` of the run, as ``train.py`` saves it: resolved.

    Returns
    -------
    dict
        See ``config_check.make_config``. Whether its classes may be built is
        not looked at.

    Raises
    ------
    ValueError
        If it has no enhancer, or one that is made by something else than
        ``!new:`` and ``!name:``.
    """
    backbone = backbone_nodes(path)
    tree = _Tree(path)
    try:
        enhancer = tree.value(backbone["enhancer"])
        sample_rate = tree.value(backbone["sample_rate"])
    except RecursionError:
        raise ValueError(f"{path} is nested too deeply, or within itself")
    if isinstance(enhancer, dict) and enhancer.get("new") == MAPPING:
        # There the features are the loss's business only.
        enhancer.setdefault("kwargs", {})["features"] = None
    return make_config(sample_rate, enhancer)


class _Tree:
    """Turns YAML nodes into what JSON can hold; shared nodes are repeated."""

    def __init__(self, path):
        self.path = path
        self.nodes = 0

    def value(self, node):
        """The value of a node of any kind."""
        self.nodes += 1
        if self.nodes > LARGEST:
            raise ValueError(f"{self.path}: more than {LARGEST} nodes")
        kind, _, name = node.tag.partition(":")
        if kind in ("!new", "!name"):
            return self._object(kind[1:], name, node)
        if node.tag == "tag:yaml.org,2002:seq":
            return [self.value(item) for item in node.value]
        if node.tag == "tag:yaml.org,2002:map":
            found = self._mapping(node)
            if not found.keys() & set(KINDS):
                return found
        elif isinstance(node, yaml.ScalarNode):
            if re.fullmatch(r"tag:yaml\.org,2002:\w+", node.tag):
                return self._scalar(node)
        raise ValueError(
            f"{self.path}: the enhancer has '{node.tag}' in line "
            f"{node.start_mark.line + 1}, expected numbers, strings, lists, "
            f"!new: and !name: only. Nothing was loaded. {TRUST}"
        )

    def _object(self, kind, name, node):
        found = {kind: name}
        if isinstance(node, yaml.SequenceNode):
            found["args"] = [self.value(item) for item in node.value]
        elif isinstance(node, yaml.MappingNode):
            found["kwargs"] = self._mapping(node)
        return found

    def _mapping(self, node):
        found = {}
        for key, value in node.value:
            if key.tag != STRING or key.value in found:
                raise ValueError(
                    f"{self.path}: the key '{key.value}' in line "
                    f"{key.start_mark.line + 1} is no name, or there twice"
                )
            found[key.value] = self.value(value)
        return found

    def _scalar(self, node):
        if node.style is not None:
            return node.value
        text, is_tuple = node.value, TUPLE.fullmatch(node.value)
        # ruamel's loader is HyperPyYAML's: 1e-3 is a number for it.
        try:
            found = SafeLoader(f"[{text[1:-1]}]" if is_tuple else text)
            found = found.get_single_data()
        except (YAMLError, ValueError) as error:
            raise ValueError(f"{self.path}: {text!r} cannot be read: {error}")
        return {"tuple": found} if is_tuple else found
