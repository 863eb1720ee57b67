"""YAML as nodes: what a file says, with none of its tags acted upon."""

import yaml


def compose(path):
    """The nodes of a YAML file.

    Arguments
    ---------
    path : pathlib.Path
        The file.

    Returns
    -------
    yaml.Node

    Raises
    ------
    ValueError
        If it is no YAML.
    """
    try:
        return yaml.compose(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path} is no YAML that can be read: {reason}")


def children(node):
    """The values of a mapping node by key; of any other node, none.

    Arguments
    ---------
    node : yaml.Node or None
        Any node.

    Returns
    -------
    dict

    Example
    -------
    >>> list(children(yaml.compose("{a: 1, b: !new:os.system [ls]}")))
    ['a', 'b']
    """
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: value for key, value in node.value}
