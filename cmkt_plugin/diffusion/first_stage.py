"""Takes the weights of a first stage from the run that trained it."""

import torch

from cmkt_plugin.shown import first_few


def load_first_stage(predictive, path):
    """Loads the weights of a predictive stage, all of them or none.

    A hook for SpeechBrain's ``Pretrainer``, which by itself leaves what does
    not fit as it is, with a warning.

    Arguments
    ---------
    predictive : torch.nn.Module
        The stage, made with the knobs of the run.
    path : str or Path
        ``enhancer.ckpt`` of the run's export.

    Raises
    ------
    ValueError
        If the weights are those of another model.

    Example
    -------
    >>> path = getfixture("tmp_path") / "enhancer.ckpt"
    >>> trained, stage = torch.nn.Linear(2, 3), torch.nn.Linear(2, 3)
    >>> torch.save(trained.state_dict(), path)
    >>> load_first_stage(stage, path)
    >>> bool((stage.weight == trained.weight).all())
    True
    >>> load_first_stage(torch.nn.Linear(4, 3), path)
    Traceback (most recent call last):
    ValueError: ...enhancer.ckpt holds another model than ...: weight ...
    """
    found = torch.load(path, map_location="cpu", weights_only=True)
    expected = predictive.state_dict()
    other = [
        name
        for name in sorted({**found, **expected})
        if name not in found
        or name not in expected
        or found[name].shape != expected[name].shape
    ]
    if other:
        raise ValueError(
            f"{path} holds another model than the predictive stage here: "
            f"{first_few(other, shown=5)} differ. Give the stage the knobs "
            "that the run was trained with, e.g. --backbone '{predictive: "
            "{width: 64}}'; of audio alone: --backbone '{predictive: "
            "{lip_encoder: null}, visual_width: null}'"
        )
    predictive.load_state_dict(found)
