"""Checks that a test set shares neither noise nor voices with training."""

import os

from cmkt_plugin.mixing.entries import fill
from cmkt_plugin.shown import first_few


def check_disjoint(training, training_noise, manifest, roots):
    """Refuses a manifest that training has heard something of.

    Files are compared by where they really are: a copy under another name is
    not recognised.

    Arguments
    ---------
    training : dict
        Entries of the training set, with ``speaker``.
    training_noise : NoiseFolder or None
        Noise of training.
    manifest : dict
        Entries with ``mixture`` and ``speaker``.
    roots : dict
        ``noise_root``: the folder that the name stands for in the manifest.

    Raises
    ------
    ValueError
        Naming the speakers (targets or voices of a babble) or the recordings
        of noise in common.

    Example
    -------
    >>> mixture = {"noise": None, "talkers": [{"speaker": "c"}]}
    >>> manifest = {"b_1": {"speaker": "b", "mixture": mixture}}
    >>> check_disjoint({"a_1": {"speaker": "a"}}, None, manifest, {})
    >>> check_disjoint({"c_1": {"speaker": "c"}}, None, manifest, {})
    Traceback (most recent call last):
    ValueError: the manifest shares 1 speakers with training: c; ...
    """
    speakers, noise, heard = set(), set(), set()
    for entry in manifest.values():
        mixture = entry["mixture"]
        talkers = mixture.get("talkers", ())
        speakers |= {entry["speaker"], *(t["speaker"] for t in talkers)}
        if mixture["noise"] is not None:
            noise.add(os.path.realpath(fill(mixture["noise"], roots)))
    if training_noise is not None:
        paths = map(training_noise.path, training_noise.list_files())
        heard = set(map(os.path.realpath, paths))
    _refuse("speakers", speakers & {e["speaker"] for e in training.values()})
    _refuse("noise files", noise & heard)


def _refuse(kind, shared):
    if shared:
        raise ValueError(
            f"the manifest shares {len(shared)} {kind} with training: "
            f"{first_few(sorted(shared))}; expected none. Take other speakers, "
            "another folder of noise or another part of it"
        )
