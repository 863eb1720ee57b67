"""Takes the weights of a first stage from the run that trained it."""

from pathlib import Path

import torch

from cmkt_plugin.loading.run_config import HYPERPARAMS, run_config
from cmkt_plugin.shown import first_few


def load_first_stage(predictive, path, hyperparams):
    """Loads the weights of a predictive stage, if it is the one of the run.

    A hook for SpeechBrain's ``Pretrainer``, which by itself leaves weights
    that are missing as they are, with a warning, and sees no difference in
    what is no weight, such as the hop of the transform.

    Arguments
    ---------
    predictive : torch.nn.Module
        The stage.
    path : str or Path
        ``enhancer.ckpt`` in the export of the run.
    hyperparams : str or Path
        ``hyperparams.yaml`` of the experiment here, as ``train.py`` saves it;
        its enhancer has a ``predictive``.

    Raises
    ------
    ValueError
        If the run trained another model.
    """
    run = Path(path).parents[1]
    trained = run_config(run / HYPERPARAMS)["enhancer"]
    here = run_config(Path(hyperparams))["enhancer"]["kwargs"]["predictive"]
    weights = torch.load(path, map_location="cpu", weights_only=True)
    different = differences(here, trained) or _misfits(predictive, weights)
    if different:
        raise ValueError(
            f"{run} trained another model than the predictive stage here: "
            f"{first_few(different, shown=5)}. Give the stage the knobs that "
            "the run was trained with, e.g. --backbone '{predictive: {width: "
            "64}}'; one of audio alone: --backbone '{predictive: "
            "{lip_encoder: null}, visual_width: null}'"
        )
    predictive.load_state_dict(weights)


def differences(here, trained):
    """Tells configs apart.

    Arguments
    ---------
    here, trained : dict
        Trees as from ``run_config``.

    Returns
    -------
    list of str
        A line for each value that is another in both.

    Example
    -------
    >>> differences({"net": {"width": 8}}, {"net": {"width": 4, "bins": 2}})
    ['net.width is 8, expected 4']
    """
    here, trained = dict(_leaves(here)), dict(_leaves(trained))
    # What one of them has alone may be a knob of another version. If it is a
    # part of the model, its weights tell.
    return [
        f"{name} is {here[name]}, expected {trained[name]}"
        for name in sorted(here.keys() & trained.keys())
        if here[name] != trained[name]
    ]


def _misfits(module, weights):
    """A line for each weight that is in one alone, or of another shape."""
    shapes = {n: tuple(w.shape) for n, w in module.state_dict().items()}
    found = {n: tuple(w.shape) for n, w in weights.items()}
    return [
        f"the weight {name} has the shape {shapes.get(name)}, expected "
        f"{found.get(name)}"
        for name in sorted({**shapes, **found})
        if shapes.get(name) != found.get(name)
    ]


def _leaves(tree, name=""):
    """Pairs of a name with dots and what is no dict."""
    if not isinstance(tree, dict):
        yield name, tree
        return
    for key, value in tree.items():
        # What an object is called with, not that it is an object, is told.
        inner = name if key == "kwargs" else f"{name}.{key}".strip(".")
        yield from _leaves(value, inner)
