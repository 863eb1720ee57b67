"""Measures whether a stream keeps up with the recording."""

import time

import numpy as np
import torch


def measure(stream, seconds=10):
    """Times a stream, pushed hop by hop, with the threads PyTorch has.

    Arguments
    ---------
    stream : EnhancementStream
        What to time; it begins and ends with a reset.
    seconds : float
        Length of the noise that is pushed.

    Returns
    -------
    dict
        ``hop_ms``, the time there is for a push; ``median_ms`` and
        ``p95_ms``, the time that one takes; ``real_time_factor``, the time of
        all pushes over the length of the noise; ``latency_ms`` of the stream,
        to which the time of one push comes; ``threads``.
    """
    stream.reset()
    noise = 0.1 * torch.randn(round(seconds * stream.sample_rate))
    times = []
    for samples in noise.split(stream.hop_length):
        start = time.perf_counter()
        stream.push(samples)
        times.append(1000 * (time.perf_counter() - start))
    stream.reset()
    return {
        "hop_ms": 1000 * stream.hop_length / stream.sample_rate,
        "median_ms": float(np.median(times)),
        "p95_ms": float(np.percentile(times, 95)),
        "real_time_factor": sum(times) / 1000 / seconds,
        "latency_ms": stream.latency_ms,
        "threads": torch.get_num_threads(),
    }
