"""Checks that a test set shares no noise, room or voice with training."""

import os

from cmkt_plugin.mixing.entries import fill
from cmkt_plugin.shown import first_few


def check_disjoint(
    training, training_noise, manifest, roots, training_rirs=None
):
    """Refuses a manifest that training has heard something of.

    Files are the same where they really are, and pieces of one recording as
    in ``NoiseFolder``: a copy under another name is not recognised.

    Arguments
    ---------
    training : dict
        Entries of the training set, with ``speaker``.
    training_noise : NoiseFolder or None
        Noise of training; listed if there is noise in the manifest.
    manifest : dict
        Entries with ``speaker`` and, unless their noisy side is a recording,
        ``mixture``.
    roots : dict
        ``noise_root``, ``rir_root``: the folders that the names stand for in
        the manifest.
    training_rirs : RIRFolder or None
        Rooms of training, listed if there are rooms in the manifest; None if
        training hears none.

    Raises
    ------
    ValueError
        Naming the speakers (targets or voices of a babble), the recordings
        of noise or the rooms in common.

    Example
    -------
    >>> mixture = {"noise": None, "rir": None, "talkers": [{"speaker": "c"}]}
    >>> manifest = {"b_1": {"speaker": "b", "mixture": mixture}}
    >>> check_disjoint({"a_1": {"speaker": "a"}}, None, manifest, {})
    >>> check_disjoint({"c_1": {"speaker": "c"}}, None, manifest, {})
    Traceback (most recent call last):
    ValueError: the manifest shares 1 speakers with training: c; ...
    """
    # Recorded pairs have no mixture: their noise is in no folder.
    mixtures = [e["mixture"] for e in manifest.values() if "mixture" in e]
    speakers = {entry["speaker"] for entry in manifest.values()}
    for mixture in mixtures:
        speakers |= {t["speaker"] for t in mixture.get("talkers", ())}
    _refuse("speakers", speakers & {e["speaker"] for e in training.values()})
    for kind, key, folder in (
        ("noise files", "noise", training_noise),
        ("rooms", "rir", training_rirs),
    ):
        # Many utterances, few files: each is filled in and looked up once.
        paths = {mixture.get(key) for mixture in mixtures} - {None}
        if folder is not None and paths:
            paths = {fill(path, roots) for path in paths}
            _refuse(kind, _heard(paths, folder))


def _heard(paths, folder):
    """Those paths that are in a folder's part, or pieces of what is."""

    def traces(path):
        real = os.path.realpath(path)
        return {real, *map(folder.group_of, (real, os.path.abspath(path)))}

    listed = map(folder.path, folder.list_files())
    heard = set().union(*map(traces, listed))
    return {path for path in paths if traces(path) & heard}


def _refuse(kind, shared):
    if shared:
        raise ValueError(
            f"the manifest shares {len(shared)} {kind} with training: "
            f"{first_few(sorted(shared))}; expected none. Take other speakers, "
            "another folder of noise or rooms, or another part of it"
        )
