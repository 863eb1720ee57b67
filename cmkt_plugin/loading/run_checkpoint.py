"""The weights of a run's enhancer: those that its test uses."""

from pathlib import Path

import torch
import yaml
from speechbrain.utils.checkpoints import Checkpointer


def best_checkpoint(save_folder, metric):
    """The ``enhancer.ckpt`` that the test uses.

    Arguments
    ---------
    save_folder : pathlib.Path
        ``save`` of a run.
    metric : str
        Its ``best_metric``; checkpoints without one: the newest is taken.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    found = None
    if save_folder.is_dir():  # Checkpointer would make it
        checkpointer = Checkpointer(save_folder)
        try:
            found = checkpointer.find_checkpoint(max_key=metric)
            found = found or checkpointer.find_checkpoint()
        except (yaml.YAMLError, TypeError, KeyError) as error:
            raise ValueError(
                f"{save_folder}: the CKPT.yaml of a checkpoint is damaged: "
                f"{error!r}"
            )
    if found is None or "enhancer" not in found.paramfiles:
        raise FileNotFoundError(
            f"{save_folder} has no checkpoint with an enhancer.ckpt: train "
            "the run for one epoch at least"
        )
    return Path(found.paramfiles["enhancer"])


def load_checkpoint(path):
    """A state dict, without running what its pickle may hold.

    Arguments
    ---------
    path : pathlib.Path
        ``enhancer.ckpt``.

    Returns
    -------
    dict
        Tensors by name, on the CPU.

    Raises
    ------
    OSError
        If there is no such file, or it cannot be read.
    ValueError
        If the file holds something else, or is damaged.
    """
    with path.open("rb") as file:
        try:
            weights = torch.load(file, map_location="cpu", weights_only=True)
        # Garbage is a program for the unpickler: it fails in any way. Not in
        # torch's words: those ask to load it again and run what it holds.
        except Exception as error:
            raise ValueError(
                f"{path} holds something else than weights, or is damaged "
                f"({type(error).__name__}); nothing of it was run. Copy it "
                "again from where it was trained, or name another checkpoint"
            ) from error
    if not isinstance(weights, dict) or not all(
        isinstance(name, str) and isinstance(weight, torch.Tensor)
        for name, weight in weights.items()
    ):
        raise ValueError(
            f"{path} holds no state dict: expected tensors by name"
        )
    return weights
