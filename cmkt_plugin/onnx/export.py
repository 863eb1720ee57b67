"""Exports an enhancer as ONNX, beside a runner that needs numpy alone."""

import json
import os
import shutil
import warnings
from contextlib import redirect_stdout
from copy import deepcopy
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from cmkt_plugin.enhancers import fit_length
from cmkt_plugin.features import LogMagnitude
from cmkt_plugin.onnx.networks import network_of

OPSET = 17  # onnxruntime 1.12 and later
TOLERANCE = 1e-4  # of the peak of the enhanced waveform
_EXTRA = ("onnx", "onnxruntime")


def export_onnx(model, folder):
    """Exports the network of a model as ONNX.

    The transform stays outside, in the runner. The axes of batch and frames
    (or samples) are dynamic: before anything is put into the folder, the
    runner is compared with the model at three lengths and batch sizes, other
    ones than those of the export.

    Arguments
    ---------
    model : CMKTEnhancement
        What to export.
    folder : str or pathlib.Path
        Where; made if it is missing. Other files in it stay.

    Returns
    -------
    pathlib.Path
        The folder, with ``model.onnx``, ``model_onnx.json`` (rate in Hz;
        ``n_fft``, hop and shortest recording in samples; the window) and
        ``onnx_runner.py``, which runs them with numpy and onnxruntime.

    Raises
    ------
    ImportError
        If onnx or onnxruntime is missing.
    ValueError
        If the model has no ONNX form that gives the same.
    """
    missing = [name for name in _EXTRA if find_spec(name) is None]
    if missing:
        raise ImportError(
            f"the ONNX export needs {' and '.join(missing)}: "
            "pip install 'cmkt_plugin[onnx]'"
        )
    # A copy: exporting is done on the CPU, the model stays where it is.
    enhancer = deepcopy(model.enhancer).cpu()
    # All of it: the exporter puts every layer back into the mode of the whole.
    network = network_of(enhancer).eval()
    settings = _settings(network, model)
    folder = Path(folder).absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{folder.name}."
    with TemporaryDirectory(prefix=prefix, dir=folder.parent) as work:
        work = Path(work)
        try:
            _write_graph(network, model.sample_rate, work / "model.onnx")
        # Whatever the exporter, or the net under it, raises.
        except Exception as error:
            raise ValueError(
                f"{_name(enhancer)} cannot be exported as ONNX, use the model "
                f"with PyTorch: {error}"
            ) from error
        text = json.dumps(settings, indent=1) + "\n"
        (work / "model_onnx.json").write_text(text, encoding="utf-8")
        runner = Path(__file__).with_name("onnx_runner.py")
        shutil.copyfile(runner, work / runner.name)
        _compare(enhancer, model, work)
        folder.mkdir(exist_ok=True)
        for file in work.iterdir():
            os.replace(file, folder / file.name)
    return folder


def _settings(network, model):
    """What the runner has to know."""
    settings = {
        "sample_rate": model.sample_rate,
        "shortest": model.shortest,
        "n_fft": None,
    }
    if network.stft is None:
        return settings
    stft = network.stft
    left = (stft.n_fft - stft.win_length) // 2
    window = torch.zeros(stft.n_fft)
    window[left : left + stft.win_length] = stft.window
    return {
        **settings,
        "n_fft": stft.n_fft,
        "hop_length": stft.hop_length,
        "window": window.tolist(),
        "ends_at_last_hop": network.ends_at_last_hop,
    }


def _write_graph(network, sample_rate, path):
    example = _noise(2, sample_rate)
    if network.stft is not None:
        example = LogMagnitude(network.stft)(example)
    # It warns of what a trace keeps constant: _compare sees whether that
    # matters. It prints the whole graph where an operator is missing.
    with (
        torch.no_grad(),
        warnings.catch_warnings(),
        redirect_stdout(StringIO()),
    ):
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (example,),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=["noisy"],
            output_names=["enhanced"],
            dynamic_axes={
                "noisy": {0: "batch", 1: "time"},
                "enhanced": {0: "batch", 1: "time"},
            },
        )


@torch.no_grad()
def _compare(enhancer, model, folder):
    """Refuses a graph that is right at the length of its tracing only.

    With the enhancer itself, on the CPU: the model may cut what it gets into
    windows, and be where other kernels round in another way.
    """
    from cmkt_plugin.onnx.onnx_runner import ONNXEnhancer

    runner = ONNXEnhancer(folder)
    for batch, seconds in ((1, 0.35), (2, 0.617), (3, 1.27)):
        noisy = _noise(batch, round(seconds * model.sample_rate))
        padded = fit_length(noisy, max(noisy.shape[1], model.shortest))
        expected = enhancer(padded, torch.ones(batch)).wav
        expected = expected[:, : noisy.shape[1]].numpy()
        found = runner.enhance(noisy.numpy())
        difference = abs(found - expected).max()
        if not difference <= TOLERANCE * abs(expected).max():
            raise ValueError(
                f"the ONNX graph of {_name(enhancer)} differs from the "
                f"model by {difference:.2g} for {batch} recordings of "
                f"{seconds} s, expected at most {TOLERANCE} of the peak "
                f"{abs(expected).max():.2g}: use the model with PyTorch"
            )


def _name(enhancer):
    net = getattr(enhancer, "net", None) or enhancer.masknet
    return f"{type(net).__name__} in {type(enhancer).__name__}"


def _noise(batch, samples):
    generator = torch.Generator().manual_seed(0)
    return 0.1 * torch.randn(batch, samples, generator=generator)
