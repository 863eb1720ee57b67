"""The ``custom.py`` of an export whose network is a user's own class.

SpeechBrain's ``foreign_class`` imports it, so that a YAML may name its
classes as ``!new:custom.MyNet``.
"""

import ast
import inspect
import pydoc
import sys
from importlib.metadata import packages_distributions

import yaml

from cmkt_plugin.loading.model_source import FILE

LOADED_BY = "from cmkt_plugin.inference import CMKTEnhancement  # noqa"
OWN = ("speechbrain", "torch", "cmkt_plugin")
KINDS = ("!new", "!name", "!apply", "!module")


def object_names(node):
    """The dotted names that a YAML node makes objects of.

    Arguments
    ---------
    node : yaml.Node
        Any node.

    Returns
    -------
    set of str

    Example
    -------
    >>> tree = yaml.compose("!new:torch.nn.Sequential [!new:mine.Net {}]")
    >>> sorted(object_names(tree))
    ['mine.Net', 'torch.nn.Sequential']
    """
    return {part.tag.partition(":")[2] for part in _objects(node)}


def _objects(node):
    if node.tag.partition(":")[0] in KINDS:
        yield node
    if isinstance(node, yaml.MappingNode):
        for _, value in node.value:
            yield from _objects(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _objects(value)


def move_to_custom(node):
    """Renames a user's own classes in YAML nodes to those of ``custom.py``.

    Classes of installed packages keep their names.

    Arguments
    ---------
    node : yaml.Node
        Of the enhancer; its tags are changed.

    Returns
    -------
    str
        The text of ``custom.py``: the source of the module that defines the
        classes, and the interface that loads the export.

    Raises
    ------
    ValueError
        If a class cannot be imported, they are of several modules, or their
        module imports another one that is not installed.
    """
    installed = {*OWN, *sys.stdlib_module_names, *packages_distributions()}
    modules = set()
    # By identity: an alias is the same node again.
    for part in {id(part): part for part in _objects(node)}.values():
        kind, _, name = part.tag.partition(":")
        if name.partition(".")[0] in installed:
            continue
        found = _locate(name)
        modules.add(found.__module__)
        part.tag = f"{kind}:custom.{found.__qualname__}"
    if len(modules) > 1:
        raise ValueError(
            f"the enhancer has classes of the modules {_listed(modules)}: "
            f"{FILE} can hold one. Put them into one file, or into a package "
            "that is installed"
        )
    source = _source(modules.pop(), installed) if modules else ""
    return f"{source}\n{LOADED_BY}\n".lstrip("\n")


def _locate(name):
    try:
        found = pydoc.locate(name)
    except pydoc.ErrorDuringImport as error:
        raise ValueError(f"the enhancer's class '{name}': {error}")
    if not (inspect.isclass(found) or inspect.isroutine(found)):
        raise ValueError(
            f"the enhancer's class '{name}' cannot be imported here: run "
            "where training found it, or put its folder on PYTHONPATH"
        )
    return found


def _source(module, installed):
    source = inspect.getsource(sys.modules[module])
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = ["." * node.level + (node.module or "")]
        foreign = {n for n in names if n.partition(".")[0] not in installed}
        if foreign:
            raise ValueError(
                f"{module}, which defines the enhancer's class, imports "
                f"{_listed(foreign)}, which is not installed: {FILE} can hold "
                "one module. Put both into one file, or into a package that "
                "is installed"
            )
    return source


def _listed(names):
    return ", ".join(f"'{name}'" for name in sorted(names))
