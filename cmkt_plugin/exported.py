"""Loads an exported enhancer through its stock SpeechBrain interface."""

import pydoc
from pathlib import Path

import torch
import yaml

from cmkt_plugin.enhancers import fit_length


class ExportedEnhancer:
    """An exported enhancer behind one call, whichever stock class runs it.

    Arguments
    ---------
    model : speechbrain.inference.interfaces.Pretrained
        The stock interface; see ``load_exported``.
    """

    def __init__(self, model):
        self.model = model
        self.sample_rate = model.hparams.sample_rate

    @torch.no_grad()
    def enhance_batch(self, noisy, lengths=None):
        """Enhances a batch of waveforms.

        Arguments
        ---------
        noisy : torch.Tensor
            Noisy waveforms (batch, time).
        lengths : torch.Tensor
            Relative lengths (batch,), passed on where the model takes them.

        Returns
        -------
        torch.Tensor
            Enhanced waveforms (batch, time), as long as the input.
        """
        if hasattr(self.model, "separate_batch"):
            wav = self.model.separate_batch(noisy)[..., 0]
        else:
            wav = self.model.enhance_batch(noisy, lengths)
        return fit_length(wav, noisy.shape[1])


def load_exported(folder, run_opts=None):
    """Loads an exported folder through its stock SpeechBrain interface.

    Nothing is written or linked, neither here nor in the folder.

    Arguments
    ---------
    folder : str or Path
        What ``export`` made.
    run_opts : dict
        Options of SpeechBrain's interfaces, such as ``{"device": "cuda"}``.

    Returns
    -------
    ExportedEnhancer
        Has ``enhance_batch`` and ``sample_rate``.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or it is not an export.
    """
    # An unknown folder would be taken for the name of a model on the hub.
    if not is_export(Path(folder)):
        raise FileNotFoundError(
            f"{folder} is not an exported model: expected a folder with a "
            "hyperparams.yaml that names its SpeechBrain 'interface:'"
        )
    interface = children(compose(Path(folder) / "hyperparams.yaml"))
    model = pydoc.locate(interface["interface"].value).from_hparams(
        source=str(folder), run_opts=run_opts
    )
    return ExportedEnhancer(model)


def compose(path):
    """The nodes of a YAML file; their tags are not acted upon."""
    return yaml.compose(path.read_text(encoding="utf-8"))


def children(node):
    """The values of a YAML mapping node by key."""
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: value for key, value in node.value}


def is_export(folder):
    """Whether a folder's YAML names the SpeechBrain interface to load it."""
    path = folder / "hyperparams.yaml"
    if not path.is_file():
        return False
    interface = children(compose(path)).get("interface")
    return str(getattr(interface, "value", "")).startswith(
        "speechbrain.inference."
    )
