"""Opens a model, wherever it comes from."""

import re
import sys
from pathlib import Path
from threading import Lock

import torch
import yaml
from hyperpyyaml import load_hyperpyyaml
from speechbrain.utils.superpowers import import_from_path

from cmkt_plugin.inference import CMKTEnhancement
from cmkt_plugin.loading.adapters import parts_of
from cmkt_plugin.loading.hub_snapshot import model_folder
from cmkt_plugin.loading.run_checkpoint import best_checkpoint, load_checkpoint
from cmkt_plugin.loading.run_config import (
    HYPERPARAMS,
    backbone_nodes,
    best_metric,
    is_run,
    run_config,
)
from cmkt_plugin.loading.safe_config import build
from cmkt_plugin.loading.safe_folder import CONFIG, has_safe_files, load_weights

FILE = "custom.py"  # of an export: a user's own classes
# Neither part may be "." or "..": those are folders here.
HUB_NAME = re.compile(r"(?!\.\.?/)[\w.-]+/(?!\.\.?$)[\w.-]+", re.ASCII)
EXPECTED = (
    "expected the output folder of a training (with hyperparams.yaml and "
    "save/) or one of its checkpoints (save/CKPT+...), a folder that 'cmkt "
    "export' made, or the name of a model on the hub (user/name)"
)
_CUSTOM = Lock()  # one module at a time is called "custom"


def open_model(source, device=None, trust=False, savedir=None, revision=None):
    """Opens a run, an export or a model of the hub.

    Arguments
    ---------
    source : str or pathlib.Path
        Output folder of ``train.py``, a checkpoint in it, a folder that
        ``export`` made, or a name on the hub, ``user/name``.
    device : str or None
        Such as ``cpu`` or ``cuda:1``; None: the GPU if there is one.
    trust : bool
        False builds classes of a list only. Of a folder with
        ``config.json`` and ``model.safetensors`` it reads these two; of other
        runs the YAML, and their checkpoint with
        ``torch.load(weights_only=True)``: no pickle runs code. True runs
        whatever the model's YAML names and its ``custom.py``.
    savedir : str or pathlib.Path or None
        Where a model of the hub is put; None: into the hub's cache.
    revision : str or None
        Of a model of the hub: branch, tag or commit.

    Returns
    -------
    cmkt_plugin.inference.CMKTEnhancement

    Raises
    ------
    FileNotFoundError
        If there is no such model.
    ValueError
        If it is refused or damaged, or there is no such device.
    """
    run_opts = {"device": _device(device)}
    if not trust and has_safe_files(source):
        return CMKTEnhancement.from_safe(source, run_opts=run_opts)
    run, checkpoint = _run_of(Path(source))
    if run is not None:
        return _open_run(run, checkpoint, trust, run_opts)
    _check_source(source)
    if not trust:
        return CMKTEnhancement.from_safe(source, savedir, revision, run_opts)
    return open_trusted(model_folder(source, savedir, revision, None), run_opts)


def _device(name):
    if name is None:
        return "cuda:0" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    # AssertionError: a torch that was built without CUDA.
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"no device '{name}' here, try cpu: {reason}")
    # SpeechBrain warns of a "cuda" without a number.
    return "cuda:0" if name == "cuda" else str(device)


def _run_of(folder):
    """The run that a folder is or a checkpoint of, and the checkpoint."""
    if (folder / "CKPT.yaml").is_file():
        run = folder.absolute().parents[1]
        return (run if is_run(run) else None), folder / "enhancer.ckpt"
    return (folder if is_run(folder) else None), None


def _check_source(source):
    path = Path(source)
    if path.is_dir():
        if not any((path / name).is_file() for name in (CONFIG, HYPERPARAMS)):
            raise FileNotFoundError(f"{source} holds no model: {EXPECTED}")
    elif path.exists() or not HUB_NAME.fullmatch(str(source)):
        found = "is a file" if path.exists() else "does not exist"
        raise FileNotFoundError(f"{source} {found}: {EXPECTED}")


def _open_run(run, checkpoint, trust, run_opts):
    path = run / HYPERPARAMS
    if checkpoint is None:
        checkpoint = best_checkpoint(run / "save", best_metric(path))
    elif not checkpoint.is_file():
        raise FileNotFoundError(f"{checkpoint} is missing: {EXPECTED}")
    if trust:
        enhancer, sample_rate = _trusted_enhancer(path)
    else:
        config = run_config(path)
        enhancer, sample_rate = build(config, path), config["sample_rate"]
    load_weights(enhancer, load_checkpoint(checkpoint), checkpoint)
    return CMKTEnhancement(*parts_of(enhancer, sample_rate), run_opts)


def _trusted_enhancer(path):
    """Only the enhancer: the rest of the YAML makes folders and teachers."""
    nodes = backbone_nodes(path)
    pairs = [
        (yaml.ScalarNode("tag:yaml.org,2002:str", name), nodes[name])
        for name in ("enhancer", "sample_rate")
    ]
    root = yaml.MappingNode("tag:yaml.org,2002:map", pairs)
    found = load_hyperpyyaml(yaml.serialize(root))
    return found["enhancer"], found["sample_rate"]


def open_trusted(folder, run_opts=None):
    """Opens an export the way that runs what its YAML names.

    Arguments
    ---------
    folder : str or pathlib.Path
        What ``export`` made, or any model of an enhancement interface.
    run_opts : dict
        Options of SpeechBrain's interfaces.

    Returns
    -------
    cmkt_plugin.inference.CMKTEnhancement
    """
    custom = Path(folder) / FILE
    with _CUSTOM:
        known = sys.modules.get("custom")
        # Imported here, not by foreign_class: there, Python would answer with
        # the custom.py of the model before this one, or one of the user's.
        if custom.is_file():
            sys.modules["custom"] = import_from_path(custom.absolute())
        try:
            return CMKTEnhancement.from_hparams(str(folder), run_opts=run_opts)
        finally:
            sys.modules.pop("custom", None)
            if known is not None:
                sys.modules["custom"] = known
