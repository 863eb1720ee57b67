"""Measures an ONNX export against the model it was made of."""

import time

import numpy as np
import torch

from cmkt_plugin.onnx.onnx_runner import ONNXEnhancer


def measure(model, folder, seconds=10, repeats=5):
    """Times onnxruntime and PyTorch in turn, on one thread each.

    Arguments
    ---------
    model : CMKTEnhancement
        The model, on the CPU.
    folder : str or pathlib.Path
        What ``export_onnx`` made of it.
    seconds : float
        Length of the noise to enhance, in one pass.
    repeats : int
        How often each is timed, after one time to warm up.

    Returns
    -------
    dict
        Medians ``torch_s`` and ``onnxruntime_s``, their ``ratio`` (above 1
        where onnxruntime is the faster) and ``difference``, the largest
        between the two waveforms, whose peak is ``peak``.
    """
    runner = ONNXEnhancer(folder, threads=1)
    noisy = 0.1 * torch.randn(1, round(seconds * model.sample_rate))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        # In turn: what else the machine does then hits both alike.
        rounds = [_round(model, runner, noisy) for _ in range(repeats + 1)]
    finally:
        torch.set_num_threads(threads)
    times = np.median([times for times, _ in rounds[1:]], axis=0)
    expected, found = rounds[0][1]
    return {
        "torch_s": float(times[0]),
        "onnxruntime_s": float(times[1]),
        "ratio": float(times[0] / times[1]),
        "difference": float(np.abs(found - expected).max()),
        "peak": float(np.abs(expected).max()),
    }


def _round(model, runner, noisy):
    start = time.perf_counter()
    with torch.no_grad():
        expected = model.enhancer(noisy, torch.ones(1)).wav
    middle = time.perf_counter()
    found = runner.enhance(noisy.numpy())
    end = time.perf_counter()
    return (middle - start, end - middle), (expected.numpy(), found)
