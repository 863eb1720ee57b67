"""Exports a trained enhancer as a folder that stock SpeechBrain loads.

Nothing of the transfer is in the folder: no text, no language model, none of
its parameters; and this package need not be installed where it is used.
"""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import yaml
from speechbrain.utils.checkpoints import Checkpointer

from cmkt_plugin import __version__
from cmkt_plugin.exported import children, compose, is_export, load_exported
from cmkt_plugin.stock_interfaces import STOCK_INTERFACES

README = """\
# Speech enhancement model

{parameters} parameters, {sample_rate} Hz, one channel. Loads with stock
SpeechBrain; made with cmkt_plugin {version}, which is not needed to use it.

```python
from {module} import {cls}

model = {cls}.from_hparams(source="path of this folder")
{usage}
```

In a batch, enhance recordings of equal length: where a model looks over the
padding, the result depends on it.
"""


def export(run_folder, out_folder):
    """Exports the best checkpoint of a run.

    Arguments
    ---------
    run_folder : str or Path
        Output folder of ``train.py``: ``hyperparams.yaml`` with its
        ``backbone`` and ``save`` with checkpoints of the ``enhancer``. The
        checkpoint with the highest ``best_metric`` is taken: the one that
        the test uses.
    out_folder : str or Path
        Folder to make. An export that is there already is replaced.

    Returns
    -------
    Path
        ``out_folder``, with ``hyperparams.yaml``, ``*.ckpt`` and
        ``README.md``.

    Raises
    ------
    FileNotFoundError
        If the run has no ``hyperparams.yaml`` or no checkpoint.
    FileExistsError
        If ``out_folder`` holds something else than an export.
    ValueError
        If stock SpeechBrain cannot load the run's enhancer.
    """
    run_folder, out_folder = Path(run_folder), Path(out_folder).absolute()
    if out_folder.exists() and not _may_replace(out_folder):
        raise FileExistsError(
            f"{out_folder} exists and is not an export: name another folder"
        )
    stock, hyperparams = _stock_hyperparams(run_folder / "hyperparams.yaml")
    weights = _best_weights(
        run_folder / "save", _best_metric(run_folder / "hyperparams.yaml")
    )
    out_folder.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{out_folder.name}."
    with TemporaryDirectory(prefix=prefix, dir=out_folder.parent) as work:
        new = Path(work) / "new"
        new.mkdir()
        _write(new, stock, hyperparams, weights)
        _replace(out_folder, new)
    return out_folder


def _may_replace(folder):
    return folder.is_dir() and (is_export(folder) or not any(folder.iterdir()))


def _stock_hyperparams(path):
    """Writes the run's enhancer in terms of SpeechBrain's own classes."""
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} not found: expected the output folder of train.py"
        )
    run = children(compose(path))
    backbone = children(run.get("backbone"))
    if "enhancer" not in backbone:
        raise ValueError(f"{path} has no 'backbone:' with an 'enhancer:'")
    adapter = backbone["enhancer"].tag.rpartition(".")[2]
    if adapter not in STOCK_INTERFACES:
        raise ValueError(
            f"{path}: no stock interface is known for the enhancer "
            f"'{adapter}', only for {', '.join(STOCK_INTERFACES)}"
        )
    stock = STOCK_INTERFACES[adapter]
    parts = {**backbone, **children(backbone["enhancer"])}
    hyperparams = yaml.serialize(_fill(yaml.compose(stock.hyperparams), parts))
    for name in re.findall(r"!(?:new|name|apply|module):(\S+)", hyperparams):
        if not name.startswith(("speechbrain.", "torch.")):
            raise ValueError(
                f"{path}: the enhancer uses '{name}', which stock SpeechBrain "
                "cannot load: expected classes of speechbrain and torch only"
            )
    return stock, hyperparams


def _fill(node, parts):
    """Puts the run's nodes in place of those tagged ``!part``."""
    if node.tag == "!part":
        return parts[node.value]
    if isinstance(node, yaml.MappingNode):
        node.value = [(key, _fill(value, parts)) for key, value in node.value]
    return node


def _best_metric(path):
    """The metric by which the run chooses its checkpoint."""
    node = children(compose(path)).get("best_metric")
    return "pesq" if node is None else node.value


def _best_weights(save_folder, metric):
    """State dict of the adapter in the checkpoint that the test uses."""
    found = None
    if save_folder.is_dir():  # Checkpointer would make it
        checkpointer = Checkpointer(save_folder)
        found = checkpointer.find_checkpoint(max_key=metric)
        found = found or checkpointer.find_checkpoint()
    if found is None or "enhancer" not in found.paramfiles:
        raise FileNotFoundError(
            f"{save_folder} has no checkpoint with an enhancer.ckpt: train "
            "the run for one epoch at least"
        )
    return torch.load(found.paramfiles["enhancer"], map_location="cpu")


def _write(folder, stock, hyperparams, weights):
    """Writes the files, and loads them to see that nothing was left out."""
    (folder / "hyperparams.yaml").write_text(hyperparams, encoding="utf-8")
    for name, prefix in stock.prefixes.items():
        part = {
            key[len(prefix) :]: weight
            for key, weight in weights.items()
            if key.startswith(prefix)
        }
        torch.save(part, folder / f"{name}.ckpt")
    with torch.random.fork_rng(devices=[]):
        exported = load_exported(folder, run_opts={"device": "cpu"})
    loaded = {
        f"{stock.prefixes[name]}{key}"
        for name, module in exported.model.mods.items()
        for key in module.state_dict()
    }
    if loaded != set(weights):
        raise ValueError(
            "the checkpoint does not fit the run's hyperparams.yaml; only in "
            f"one of the two: {', '.join(sorted(loaded ^ set(weights)))}"
        )
    _write_readme(folder, stock, exported)


def _write_readme(folder, stock, exported):
    interface = type(exported.model)
    parameters = sum(p.numel() for p in exported.model.mods.parameters())
    readme = README.format(
        parameters=f"{parameters:,}",
        sample_rate=exported.sample_rate,
        version=__version__,
        module=interface.__module__,
        cls=interface.__name__,
        usage=stock.usage,
    )
    (folder / "README.md").write_text(readme, encoding="utf-8")


def _replace(folder, new):
    """Puts ``new`` in place of the folder, or leaves the folder there."""
    old = new.with_name("old")
    if folder.exists():
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
