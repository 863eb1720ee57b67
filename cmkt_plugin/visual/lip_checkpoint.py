"""Weights of public lip readers for the lip encoder.

Names as in the checkpoints of Ma, Petridis and Pantic ("Lipreading using
Temporal Convolutional Networks", ``frontend3D.0.weight``,
``trunk.layer1.0.conv1.weight``) and of AV-HuBERT, which has
``feature_extractor_video.resnet.`` in front of them. In the YAML of a recipe::

    lip_checkpoint: !PLACEHOLDER  # file of a public lip reader
    pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
        loadables:
            lip_encoder: !ref <backbone[lip_encoder]>  # of 64 lip_channels
        paths:
            lip_encoder: !ref <lip_checkpoint>
        custom_hooks:
            lip_encoder: !name:cmkt_plugin.visual.lip_checkpoint.load_lip_checkpoint
"""

import pickle
from typing import NamedTuple

import torch
from speechbrain.utils.logger import get_logger

logger = get_logger(__name__)

PUBLIC_NAMES = {"stem.": "frontend3D.", "trunk.": "trunk."}
FIRST = "frontend3D.0.weight"
# Where published files keep the weights beside other things.
ENTRIES = ("model_state_dict", "state_dict", "model")
COUNTER = "num_batches_tracked"  # older versions of torch did not save it


class LipWeights(NamedTuple):
    """What came of a checkpoint.

    Arguments
    ---------
    taken : list of str
        Names in the checkpoint whose weights the encoder has now.
    left : list of str
        Names in the checkpoint that it has no use for.
    kept : list of str
        Names in the encoder that keep the weights they had.
    """

    taken: list
    left: list
    kept: list


def load_lip_checkpoint(lip_encoder, path):
    """Takes the convolutions of a public lip reader over.

    A hook for SpeechBrain's ``Pretrainer``; it logs what it returns.

    Arguments
    ---------
    lip_encoder : cmkt_plugin.visual.lip_encoder.LipEncoder
        With 64 ``channels``, as the public ones.
    path : str or pathlib.Path
        The file. It may come from a stranger: only tensors are read.

    Returns
    -------
    LipWeights

    Raises
    ------
    FileNotFoundError
        If there is no file.
    ValueError
        If the file holds more than tensors, not one lip reader's weights, or
        such of other layers or shapes; the encoder is then as it was.

    Example
    -------
    >>> from tempfile import TemporaryDirectory
    >>> from cmkt_plugin.visual.lip_encoder import LipEncoder
    >>> encoder = LipEncoder(6, torch.nn.Identity(), channels=2)
    >>> state = {
    ...     name.replace("stem", "frontend3D"): weight
    ...     for name, weight in encoder.state_dict().items()
    ... }
    >>> with TemporaryDirectory() as folder:
    ...     torch.save({"model_state_dict": state}, f"{folder}/lips.pth")
    ...     weights = load_lip_checkpoint(encoder, f"{folder}/lips.pth")
    >>> len(weights.taken), weights.left, weights.kept[0]
    (137, ['absent', 'projection.weight', 'projection.bias'], 'absent')
    """
    state = _read(path)
    prefix = _prefix(state, path)
    own = lip_encoder.state_dict()
    names = {
        name: prefix + name.replace(start, public, 1)
        for name in own
        for start, public in PUBLIC_NAMES.items()
        if name.startswith(start)
    }
    _check(own, state, names, path)
    found = {own: public for own, public in names.items() if public in state}
    weights = {name: state[public] for name, public in found.items()}
    lip_encoder.load_state_dict(weights, strict=False)
    taken = set(found.values())
    report = LipWeights(
        taken=[name for name in state if name in taken],
        left=[name for name in state if name not in taken],
        kept=[name for name in own if name not in found],
    )
    logger.info(
        f"Lip encoder: {len(report.taken)} weights taken from {path}; left "
        f"there: {_short(report.left)}; as they were: {_short(report.kept)}"
    )
    return report


def _read(path):
    """The weights of a file by name."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{path}, the checkpoint of a lip reader, is not there: download "
            "it, or train the lip encoder from scratch without it"
        )
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ValueError(
            f"{path} is no checkpoint that can be read safely: expected "
            "nothing but tensors. AV-HuBERT's files hold settings too: if you "
            "trust yours, save its weights again with torch.save(torch.load("
            f"path, weights_only=False)['model'], ...). {error}"
        )
    for entry in ENTRIES:
        if isinstance(content, dict) and isinstance(content.get(entry), dict):
            content = content[entry]
            break
    if not isinstance(content, dict):
        raise ValueError(
            f"{path} holds a {type(content).__name__}, expected a dictionary "
            "of weights by name"
        )
    return {k: v for k, v in content.items() if isinstance(v, torch.Tensor)}


def _prefix(state, path):
    """What stands before the names of the visual front end."""
    # The audio branch of audio-visual checkpoints has a trunk too.
    found = [name for name in state if name.endswith(FIRST)]
    if len(found) != 1:
        raise ValueError(
            f"{path} has {len(found)} weights named '...{FIRST}', expected "
            f"one; found: {_short(list(state))}. Give it a checkpoint of a lip "
            "reader with a 3-D convolution and ResNet-18"
        )
    return found[0][: -len(FIRST)]


def _check(own, state, names, path):
    missing = [
        public
        for public in names.values()
        if public not in state and not public.endswith(COUNTER)
    ]
    if missing:
        raise ValueError(
            f"{path} lacks {_short(missing)}: expected a ResNet-18 with PReLU "
            "as activation (not ReLU, swish or another trunk)"
        )
    for name, public in names.items():
        if public in state and state[public].shape != own[name].shape:
            raise ValueError(
                f"{path}: {public} is {tuple(state[public].shape)}, that of "
                f"the lip encoder {tuple(own[name].shape)}: set its channels "
                "to those of the checkpoint, 64 in the public ones"
            )


def _short(names):
    more = len(names) - 5
    return ", ".join(names[:5]) + (f" and {more} more" if more > 0 else "")
