"""Enhancing one file with this package, in a process of its own."""

import torch

from cmkt_plugin.loading.model_source import open_model
from cmkt_plugin.scale.stopwatch import Stopwatch


def measure(model, source, target, threads):
    """Opens a model and enhances one file in windows.

    Arguments
    ---------
    model : str
        Folder of a run or of an export.
    source, target : str
        The recording and what it becomes.
    threads : int
        Threads of torch.

    Returns
    -------
    dict
        ``steps``, as of ``Stopwatch``.
    """
    torch.set_num_threads(threads)
    watch = Stopwatch()
    opened = open_model(model, device="cpu")
    watch.lap("opened")
    opened.enhance_file(source, target)
    watch.lap("enhanced")
    return {"steps": watch.steps}
