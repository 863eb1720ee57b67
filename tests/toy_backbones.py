"""The backbones of hparams/backbones at toy size, as a recipe includes them."""

from io import StringIO
from pathlib import Path

import torch
from hyperpyyaml import load_hyperpyyaml, resolve_references

FOLDER = Path(__file__).parents[1] / "hparams" / "backbones"
KNOBS = {
    "cnn_transformer": {
        "base_channels": 32,
        "num_blocks": 2,
        "nhead": 2,
        "intermediate_size": 16,
    },
    "blstm": {"hidden_size": 6, "n_neurons": 8},
    "gru": {"hidden_size": 6},
    "fcn2d": {"base_channels": 2, "kernel_size": [3, 3]},
    "enhance_resnet": {"channel_counts": [2, 4], "dense_nodes": 8},
    "conv_tasnet": {
        "filters": 8,
        "bottleneck": 6,
        "hidden": 4,
        "blocks": 2,
        "repeats": 2,
    },
    "sepformer": {
        "filters": 8,
        "width": 8,
        "chunk": 20,
        "num_layers": 1,
        "nhead": 2,
        "intermediate_size": 8,
    },
}
# Those that compare complex spectra, or noise: their own tests, not those of
# every backbone, know what they return and how they are exported.
COMPLEX_KNOBS = {
    "sgmse": {
        "n_fft": 62,
        "hop_length": 31,
        "model_channels": 8,
        "channel_mult": [1, 1],
        "num_res_blocks": 1,
        "norm_groups": 2,
        "steps": 2,
    },
    "audio_visual": {"width": 8, "lip_channels": 2, "num_layers": 1},
    "audio_visual_score": {
        "predictive": {"width": 8, "lip_channels": 2, "num_layers": 1},
        "model_channels": 8,
        "channel_mult": [1, 1],
        "num_res_blocks": 1,
        "norm_groups": 2,
        "steps": 2,
    },
}


def resolved(name):
    """The resolved YAML of a run with this backbone, as train.py saves it."""
    toy = {**KNOBS, **COMPLEX_KNOBS}[name]  # tests put others into these
    knobs = "".join(f"    {key}: {value}\n" for key, value in toy.items())
    main = (
        f"# {FOLDER}\nbackbone: !include:{FOLDER / name}.yaml\n{knobs}"
        "modules:\n    enhancer: !ref <backbone[enhancer]>\n"
    )
    return resolve_references(StringIO(main)).getvalue()


def build(name):
    """The ``backbone`` of a run, its weights fixed by a seed."""
    torch.manual_seed(0)
    return load_hyperpyyaml(resolved(name))["backbone"]


def speech(batch, samples):
    """Noise as a stand-in for speech, at its level (batch, samples)."""
    generator = torch.Generator().manual_seed(1)
    return 0.1 * torch.randn(batch, samples, generator=generator)
