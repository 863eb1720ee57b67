"""Discrete units of clean speech: what stands in for text where there is none.

The transfer reads them as it reads a transcript; the teacher is a language
model trained on them.
"""

import random
from itertools import groupby

import numpy as np
from tqdm import tqdm

from cmkt_plugin.annotated_speech import SPEECH, read_side
from cmkt_plugin.unit_clusters import fit_clusters

FIT_FRAMES = 200000  # a good hour of speech at 50 frames per second


class CleanFeatures:
    """Features of an annotation's clean recordings.

    Arguments
    ---------
    annotation : str or pathlib.Path
        JSON file with ``clean_wav`` of every utterance.
    replacements : dict
        What ``{data_root}`` and the other names in the annotation stand for.
    features : callable
        Waveform (time,) to features (frames, width), with ``sample_rate``
        (Hz): recordings of another rate are resampled.
    """

    def __init__(self, annotation, replacements, features):
        self._dataset = read_side(
            annotation, "clean", replacements, features.sample_rate
        )
        self._features = features
        self._place = {n: i for i, n in enumerate(self._dataset.data_ids)}

    @property
    def names(self):
        """Ids of the utterances, in the order of the annotation."""
        return list(self._place)

    def __getitem__(self, name):
        """Features of an utterance as an array (frames, width).

        Raises
        ------
        ValueError
            If its recording cannot be read or is no speech.
        """
        entry = self._dataset.data[name]
        if "clean_wav" not in entry:
            raise ValueError(
                f"The utterance {name} has no clean_wav: units are made of "
                "clean speech. Prepare the annotation with this package."
            )
        try:
            waveform = self._dataset[self._place[name]][SPEECH]
        except Exception as error:  # each library has its own
            raise ValueError(
                f"{entry['clean_wav']} ({name}) is no clean recording to use: "
                f"{error}. Check the file, and --data-root."
            ) from error
        return self._features(waveform).numpy()


def learn_clusters(recordings, count, seed, settings):
    """Cluster the features of a seeded part of the recordings.

    Arguments
    ---------
    recordings : CleanFeatures
        The training set's.
    count : int
        Number of clusters.
    seed : int
        Decides which recordings, and where the clusters begin.
    settings : dict
        Of the features.

    Returns
    -------
    cmkt_plugin.unit_clusters.UnitClusters
    """
    names = sorted(recordings.names)
    random.Random(seed).shuffle(names)
    parts, frames = [], 0
    for name in tqdm(names, desc="Features", delay=2):
        parts.append(recordings[name])
        frames += len(parts[-1])
        if frames >= FIT_FRAMES:
            break
    return fit_clusters(np.concatenate(parts), count, seed, settings)


def find_units(recordings, clusters, collapse):
    """Units of every recording.

    Arguments
    ---------
    recordings : CleanFeatures
        Any set's.
    clusters : cmkt_plugin.unit_clusters.UnitClusters
        The training set's.
    collapse : bool
        Whether a run of the same unit becomes one.

    Returns
    -------
    dict
        Utterance to its units, such as ``u12 u7 u3``.
    """
    return {
        name: spelled(clusters(recordings[name]), collapse)
        for name in tqdm(recordings.names, desc="Units", delay=2)
    }


def spelled(units, collapse):
    """Units as symbols separated by blanks.

    Arguments
    ---------
    units : list of int
        One a frame.
    collapse : bool
        Whether a run of the same unit becomes one.

    Returns
    -------
    str

    Example
    -------
    >>> spelled([7, 7, 12, 7], collapse=True)
    'u7 u12 u7'
    """
    kept = [unit for unit, _ in groupby(units)] if collapse else units
    return " ".join(f"u{unit}" for unit in kept)
