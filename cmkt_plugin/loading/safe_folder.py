"""``config.json`` and ``model.safetensors``: a model that runs no code."""

import json
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save

from cmkt_plugin.loading.config_check import TRUST, parse_config
from cmkt_plugin.loading.run_config import is_run
from cmkt_plugin.loading.safe_config import build
from cmkt_plugin.shown import first_few

CONFIG = "config.json"
WEIGHTS = "model.safetensors"


def write_safe(folder, config, weights):
    """Writes the two files.

    Arguments
    ---------
    folder : pathlib.Path
        Where to.
    config : dict
        See ``config_check.make_config``.
    weights : dict
        State dict of the adapter.
    """
    text = json.dumps(config, indent=2) + "\n"
    (folder / CONFIG).write_text(text, encoding="utf-8")
    # Parts that share their memory are written each: the format asks for it.
    whole = {name: part.clone().contiguous() for name, part in weights.items()}
    # Not save_file: nobody but the writer could read its file.
    (folder / WEIGHTS).write_bytes(save(whole, metadata={"format": "pt"}))


def has_safe_files(folder):
    """Whether a folder holds the two files.

    Arguments
    ---------
    folder : str or pathlib.Path
        Any folder.

    Returns
    -------
    bool
    """
    return all((Path(folder) / name).is_file() for name in (CONFIG, WEIGHTS))


def load_safe(folder, name=None):
    """Loads the two files; nothing is run or unpickled.

    Arguments
    ---------
    folder : str or pathlib.Path
        What holds them.
    name : str or pathlib.Path or None
        What errors call it, such as its name on the hub; None: as it is.

    Returns
    -------
    torch.nn.Module
        The adapter, in evaluation mode.
    int
        Its sample rate in Hz.

    Raises
    ------
    FileNotFoundError
        If one of the files is missing.
    ValueError
        If the config is refused or the weights do not fit.
    """
    name = folder if name is None else name
    config_file, weights_file = Path(folder) / CONFIG, Path(folder) / WEIGHTS
    for path in (config_file, weights_file):
        if not path.is_file():
            raise FileNotFoundError(_missing(path, name))
    try:
        text = config_file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name}: {CONFIG} is no text: {error}")
    config = parse_config(text, f"{name}: {CONFIG}")
    try:
        weights = load_file(weights_file)
    except (SafetensorError, ValueError) as error:
        raise ValueError(
            f"{name}: {WEIGHTS} is not a whole safetensors file: {error}"
        )
    enhancer = build(config, f"{name}: {CONFIG}")
    load_weights(enhancer, weights, f"{name}: {WEIGHTS}")
    return enhancer, config["sample_rate"]


def _missing(path, name):
    """What to say of a file that is not there."""
    export = path.parent / "export"
    if has_safe_files(export):
        way_out = f"load {name}/export"
    else:
        way_out = f"export it with 'cmkt export {name} OUT' and load OUT"
    if is_run(path.parent) or export.is_dir():
        return (
            f"{name} has no {path.name}: it is a run, expected an export. "
            f"Either {way_out}, or open the run itself with "
            f"cmkt_plugin.loading.model_source.open_model('{name}'). Neither "
            "needs trust, unless it has classes of your own"
        )
    return (
        f"{name} has no {path.name}: it was not exported for safe loading. "
        f"Export its run again with 'cmkt export RUN OUT'. {TRUST}"
    )


def load_weights(enhancer, weights, origin):
    """Puts weights into an adapter: all of them, each of its shape.

    Arguments
    ---------
    enhancer : torch.nn.Module
        The adapter.
    weights : dict
        Tensors by name.
    origin : str or pathlib.Path
        What errors call them.

    Raises
    ------
    ValueError
        If they are those of another model.
    """
    expected = enhancer.state_dict()
    faults = {
        "missing": sorted(expected.keys() - weights.keys()),
        "unexpected": sorted(weights.keys() - expected.keys()),
        "of another shape": sorted(
            name
            for name in expected.keys() & weights.keys()
            if expected[name].shape != weights[name].shape
        ),
    }
    found = [
        f"{len(names)} {fault} ({first_few(names, shown=3)})"
        for fault, names in faults.items()
        if names
    ]
    if found:
        raise ValueError(
            f"{origin} does not fit the model: of {len(expected)} weights "
            + "; ".join(found)
        )
    enhancer.load_state_dict(weights)
