"""A model on a stream and as ONNX: the same samples, and how fast."""

from tempfile import TemporaryDirectory

import numpy as np
import torch

from cmkt_plugin.inference_cost.long_recording import open_at
from cmkt_plugin.onnx import speed as onnx_speed
from cmkt_plugin.onnx.export import export_onnx
from cmkt_plugin.streaming import speed as stream_speed

PUSH = 160  # samples, 10 ms at 16 kHz: what a sound card hands over


def measure(source, noisy, rate):
    """Streams a recording, and enhances it with onnxruntime.

    Arguments
    ---------
    source : str or pathlib.Path
        What ``open_model`` opens.
    noisy : numpy.ndarray
        A recording (time,).
    rate : int
        Its rate (Hz), which must be the model's.

    Returns
    -------
    dict
        ``parameters``; ``stream``: what ``streaming.speed.measure`` returns,
        with ``difference`` to one pass over the recording, the largest, and
        ``peak`` of that pass, or ``no_stream``: why there is none; ``onnx``:
        what ``onnx.speed.measure`` returns, or ``no_onnx``.
    """
    model = open_at(source, rate)
    parameters = sum(p.numel() for p in model.parameters())
    found = {"parameters": parameters}
    try:
        stream = model.stream()
    except ValueError as error:
        found["no_stream"] = str(error)
    else:
        found["stream"] = stream_speed.measure(stream)
        found["stream"].update(parity(model, stream, noisy))
    with TemporaryDirectory() as folder:
        try:
            export_onnx(model, folder)
        except ValueError as error:
            found["no_onnx"] = str(error)
        else:
            found["onnx"] = onnx_speed.measure(model, folder)
    return found


@torch.no_grad()
def parity(model, stream, noisy):
    """Streams a recording and compares it with one pass.

    Arguments
    ---------
    model : CMKTEnhancement
        The model.
    stream : EnhancementStream
        One of its streams.
    noisy : numpy.ndarray
        A recording (time,).

    Returns
    -------
    dict
        ``difference``, the largest, and ``peak`` of the one pass.
    """
    pushed = [
        stream.push(noisy[start : start + PUSH])
        for start in range(0, len(noisy), PUSH)
    ]
    streamed = np.concatenate([*pushed, stream.flush()])
    whole = torch.from_numpy(noisy).unsqueeze(0)
    one_pass = model.enhancer(whole, torch.ones(1)).wav[0].numpy()
    return {
        "difference": float(np.abs(streamed - one_pass).max()),
        "peak": float(np.abs(one_pass).max()),
    }
