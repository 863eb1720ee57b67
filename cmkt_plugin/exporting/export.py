"""Exports a trained enhancer as a folder that SpeechBrain loads.

Nothing of the transfer is in the folder: no text, no language model, none of
its parameters. Stock SpeechBrain loads it wherever it has the classes; where
not, the folder brings a user's own as ``custom.py``.
"""

import pydoc
from copy import copy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, Optional

import torch
import yaml

from cmkt_plugin.exporting import custom_module
from cmkt_plugin.exporting.exported import (
    may_replace,
    replace_folder,
    run_hyperparams,
)
from cmkt_plugin.exporting.readme import readme
from cmkt_plugin.exporting.stock_interfaces import (
    CUSTOM,
    StockInterface,
    interface_of,
)
from cmkt_plugin.loading.config_check import check_config, unlisted
from cmkt_plugin.loading.model_source import open_trusted
from cmkt_plugin.loading.run_checkpoint import best_checkpoint, load_checkpoint
from cmkt_plugin.loading.run_config import (
    HYPERPARAMS,
    backbone_nodes,
    best_metric,
    run_config,
)
from cmkt_plugin.loading.safe_folder import load_safe, write_safe
from cmkt_plugin.loading.yaml_nodes import children


class _Form(NamedTuple):
    """What is written of a run's YAML."""

    interface: StockInterface
    hyperparams: str
    custom: Optional[str]  # text of custom.py
    config: Optional[dict]  # of config.json
    unsafe: Optional[str]  # why there is no config


def export(run_folder, out_folder, onnx=False):
    """Exports the best checkpoint of a run.

    Arguments
    ---------
    run_folder : str or Path
        Output folder of ``train.py``: ``hyperparams.yaml`` with its
        ``backbone`` and ``save`` with checkpoints of the ``enhancer``. The
        checkpoint with the highest ``best_metric`` is taken: the one that
        the test uses. It is trusted: classes of the user's own are imported.
    out_folder : str or Path
        Folder to make. An export that is there already is replaced.
    onnx : bool
        Whether to write the network as ONNX too.

    Returns
    -------
    Path
        ``out_folder``, with ``hyperparams.yaml``, ``*.ckpt`` and
        ``README.md`` for SpeechBrain, ``custom.py`` if it needs one, and
        ``config.json`` and ``model.safetensors`` for ``from_safe``, if all
        classes are on its list.

    Raises
    ------
    FileNotFoundError
        If the run has no ``hyperparams.yaml`` or no checkpoint.
    FileExistsError
        If ``out_folder`` holds something else than an export.
    ValueError
        If it is an export already, or its enhancer cannot be exported; says
        why.
    """
    run_folder, out_folder = Path(run_folder), Path(out_folder).absolute()
    if out_folder.exists() and not may_replace(out_folder):
        raise FileExistsError(
            f"{out_folder} exists and is not an export: name another folder"
        )
    path = run_hyperparams(
        run_folder,
        "is an export already: expected the run's own folder, the output "
        "folder of train.py; --onnx needs the run too",
    )
    form = _form(path)
    checkpoint = best_checkpoint(run_folder / "save", best_metric(path))
    weights = load_checkpoint(checkpoint)
    out_folder.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{out_folder.name}."
    with TemporaryDirectory(prefix=prefix, dir=out_folder.parent) as work:
        new = Path(work) / "new"
        new.mkdir()
        _write(new, form, weights, onnx)
        replace_folder(out_folder, new)
    return out_folder


def _form(path):
    """How the run's enhancer is written: for stock SpeechBrain if it can."""
    nodes = backbone_nodes(path)
    enhancer = nodes["enhancer"]
    interface = interface_of(enhancer)
    hyperparams = _fill(interface, {**nodes, **children(enhancer)})
    names = custom_module.object_names(hyperparams)
    custom = None
    if interface is CUSTOM or not all(
        name.startswith(interface.packages) for name in names
    ):
        interface = CUSTOM
        custom = custom_module.move_to_custom(enhancer)
        hyperparams = _fill(CUSTOM, nodes)
    config, unsafe = _config(path)
    text = yaml.serialize(hyperparams)
    return _Form(interface, text, custom, config, unsafe)


def _fill(interface, parts):
    """Puts the run's nodes in place of those tagged ``!part``."""

    def filled(node):
        if node.tag == "!part":
            return _part(node.value, parts)
        if isinstance(node, yaml.MappingNode):
            node.value = [(key, filled(value)) for key, value in node.value]
        return node

    return filled(yaml.compose(interface.hyperparams))


def _part(path, parts):
    """The node that names lead to, each within the one before."""
    for name in path.split("."):
        if name not in parts:
            raise ValueError(
                f"the run's enhancer has no '{path}:': name the arguments of "
                "its adapter, and of their classes"
            )
        node = parts[name]
        parts = children(node)
    # A copy of a number: told twice, it would be an alias.
    return copy(node) if isinstance(node, yaml.ScalarNode) else node


def _config(path):
    """The config for ``from_safe``, or why there is none."""
    try:
        config = run_config(path)
        if names := sorted(unlisted(config["enhancer"])):
            return None, f"not on its list: {', '.join(names)}."
        check_config(config, path)
    except ValueError:
        return None, "its YAML does more than name classes and arguments."
    return config, None


def _write(folder, form, weights, onnx):
    """Writes the files, and loads them to see that nothing was left out."""
    (folder / HYPERPARAMS).write_text(form.hyperparams, encoding="utf-8")
    if form.custom is not None:
        path = folder / custom_module.FILE
        path.write_text(form.custom, encoding="utf-8")
    for name, prefix in form.interface.prefixes.items():
        part = {
            key[len(prefix) :]: weight
            for key, weight in weights.items()
            if key.startswith(prefix)
        }
        torch.save(part, folder / f"{name}.ckpt")
    model = _load(folder, form)
    _check_weights(model, form.interface.prefixes, weights)
    custom = form.custom is not None
    text = readme(form.interface, model, form.unsafe, custom, onnx)
    (folder / "README.md").write_text(text, encoding="utf-8")
    if form.config is not None:
        write_safe(folder, form.config, weights)
        load_safe(folder)
    if onnx:
        _write_onnx(folder)


def _load(folder, form):
    """The export through its own interface, with the random state kept."""
    options = {"run_opts": {"device": "cpu"}}
    with torch.random.fork_rng(devices=[]):
        if form.custom is not None:
            return open_trusted(folder, **options)
        interface = yaml.compose(form.interface.hyperparams).value[0][1].value
        return pydoc.locate(interface).from_hparams(str(folder), **options)


def _check_weights(model, prefixes, weights):
    loaded = {
        f"{prefixes[name]}{key}"
        for name, module in model.mods.items()
        for key in module.state_dict()
    }
    if loaded != set(weights):
        raise ValueError(
            "the checkpoint does not fit the run's hyperparams.yaml; only in "
            f"one of the two: {', '.join(sorted(loaded ^ set(weights)))}"
        )


def _write_onnx(folder):
    from cmkt_plugin.onnx.export import export_onnx

    with torch.random.fork_rng(devices=[]):
        export_onnx(open_trusted(folder, {"device": "cpu"}), folder)
