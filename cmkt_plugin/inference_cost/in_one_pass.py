"""Enhancing one file with SpeechBrain's own interface, in its own process."""

import resource

import torch
from speechbrain.inference.enhancement import SpectralMaskEnhancement

from cmkt_plugin.scale.stopwatch import Stopwatch


def measure(model, source, target, threads, memory):
    """Opens an export and enhances one file, whole, as SpeechBrain does.

    Arguments
    ---------
    model : str
        Folder of an export.
    source, target : str
        The recording and what it becomes.
    threads : int
        Threads of torch.
    memory : int
        Bytes that the process may have; without a limit the machine would
        go down, or end another process.

    Returns
    -------
    dict
        ``steps``, as of ``Stopwatch``; ``out_of_memory``: what torch said, or
        None if it went through.
    """
    torch.set_num_threads(threads)
    watch = Stopwatch()
    opened = SpectralMaskEnhancement.from_hparams(
        source=model, run_opts={"device": "cpu"}
    )
    watch.lap("opened")
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    try:
        opened.enhance_file(source, target)
    except (MemoryError, RuntimeError) as error:
        # torch's allocator raises a RuntimeError, for which there is no class.
        if "allocate" not in str(error) and not isinstance(error, MemoryError):
            raise
        return {"steps": watch.steps, "out_of_memory": str(error)}
    watch.lap("enhanced")
    return {"steps": watch.steps, "out_of_memory": None}
