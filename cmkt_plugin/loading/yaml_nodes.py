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
        If it is no YAML, or empty.
    """
    try:
        with path.open(encoding="utf-8") as file:  # its name is in the nodes
            root = yaml.compose(file)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path} is no YAML that can be read: {reason}")
    if root is None:
        raise ValueError(
            f"{path} is empty: expected the keys of a run or an export; was "
            "it copied whole?"
        )
    return root


def children(node):
    """The values of a mapping node by key; of any other node, none.

    Arguments
    ---------
    node : yaml.Node or None
        Any node.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If a key is no name.

    Example
    -------
    >>> list(children(yaml.compose("{a: 1, b: !new:os.system [ls]}")))
    ['a', 'b']
    """
    if not isinstance(node, yaml.MappingNode):
        return {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            mark = key.start_mark
            raise ValueError(
                f"{mark.name}, line {mark.line + 1}: the key is a list or a "
                "mapping, expected a name"
            )
    return {key.value: value for key, value in node.value}
