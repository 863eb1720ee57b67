"""Identity of a model, wherever it was loaded from."""

import hashlib


def model_hash(model):
    """SHA-256 over the weights of a model, and over its layers as text.

    Arguments
    ---------
    model : cmkt_plugin.inference.CMKTEnhancement
        The model.

    Returns
    -------
    str

    Example
    -------
    >>> from types import SimpleNamespace
    >>> from torch import nn
    >>> model = SimpleNamespace(enhancer=nn.Linear(2, 2))
    >>> len(model_hash(model)), model_hash(model) == model_hash(model)
    (64, True)
    """
    total = hashlib.sha256(str(model.enhancer).encode())
    for name, tensor in sorted(model.enhancer.state_dict().items()):
        total.update(name.encode())
        total.update(tensor.cpu().contiguous().numpy().tobytes())
    return total.hexdigest()
