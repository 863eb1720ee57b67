"""YAML nodes as a reader likes them: nothing is imported, no path is shown."""

import re

import yaml

from cmkt_plugin.provenance import without_paths


def shown(node):
    """A YAML node as a reader likes it: classes by their last name, no path.

    Arguments
    ---------
    node : yaml.Node or None

    Returns
    -------
    str

    Example
    -------
    >>> shown(yaml.compose("!new:a.b.Linear {start: 0.0139999999999, end: 0}"))
    'Linear(start: 0.014, end: 0)'
    >>> shown(yaml.compose("[/home/me/lm, null]"))
    'lm, null'
    """
    if isinstance(node, yaml.MappingNode):
        inside = ", ".join(
            f"{key.value}: {shown(value)}" for key, value in node.value
        )
    elif isinstance(node, yaml.SequenceNode):
        inside = ", ".join(shown(item) for item in node.value)
    else:
        inside = _scalar(node.value if node is not None else "")
    if getattr(node, "tag", "").startswith("!"):
        inside = "" if inside == "null" else inside
        return f"{class_name(node)}({inside})" if inside else class_name(node)
    return inside


def class_name(node):
    """The last name of the class or function that a node's tag names."""
    return re.split(r"[.:!]", node.tag)[-1]


def _scalar(value):
    if re.fullmatch(r"-?\d+\.\d+(e-?\d+)?", value):
        return f"{float(value):.6g}"
    return without_paths(value) or "null"
