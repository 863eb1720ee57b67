"""Clusters of speech features: their indices are discrete units."""

import json

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from scipy.cluster.vq import kmeans2, vq

from cmkt_plugin.atomic import write_bytes

ITERATIONS = 30
START_FRAMES = 20000  # k-means++ takes long on more


class UnitClusters:
    """k-means clusters, with the settings of the features that they divide.

    Arguments
    ---------
    centers : numpy.ndarray
        (clusters, width)
    settings : dict
        Of the features, and of the fit.

    Example
    -------
    >>> clusters = UnitClusters(np.array([[0.0], [1.0]]), {})
    >>> clusters(np.array([[0.9], [0.2], [0.1]]))
    [1, 0, 0]
    """

    def __init__(self, centers, settings):
        self.centers = centers
        self.settings = settings

    def __call__(self, features):
        """Index of the nearest center of every frame.

        Arguments
        ---------
        features : numpy.ndarray
            (frames, width)

        Returns
        -------
        list of int
        """
        return vq(features, self.centers)[0].tolist()

    def save(self, path):
        """Write the clusters, whole or not at all.

        Arguments
        ---------
        path : str or pathlib.Path
            A ``.safetensors`` file.
        """
        content = save(
            {"centers": np.ascontiguousarray(self.centers)},
            {"settings": json.dumps(self.settings)},
        )
        write_bytes(path, content)

    @classmethod
    def load(cls, path):
        """Read what `save` wrote.

        Arguments
        ---------
        path : str or pathlib.Path
            The file.

        Returns
        -------
        UnitClusters

        Raises
        ------
        ValueError
            If it is something else.
        """
        try:
            with safe_open(path, "numpy") as file:
                settings = json.loads(file.metadata()["settings"])
                return cls(file.get_tensor("centers"), settings)
        except (SafetensorError, KeyError, TypeError) as error:
            raise ValueError(
                f"{path} holds no clusters. Expected the file that `cmkt "
                "units` wrote for the training set."
            ) from error


def fit_clusters(features, count, seed, settings):
    """Cluster frames by k-means, begun by k-means++.

    Arguments
    ---------
    features : numpy.ndarray
        (frames, width)
    count : int
        Number of clusters.
    seed : int
        Decides where they begin.
    settings : dict
        Of the features.

    Returns
    -------
    UnitClusters

    Raises
    ------
    ValueError
        If there are fewer different frames than clusters.

    Example
    -------
    >>> frames = np.repeat([[0.0], [4.0]], 3, axis=0)
    >>> fit_clusters(frames, 2, seed=0, settings={})(frames)[2:4] in (
    ...     [0, 1],
    ...     [1, 0],
    ... )
    True
    """
    different = len(np.unique(features, axis=0))
    if not 1 < count <= different:
        raise ValueError(
            f"{count} clusters of {different} different frames: expected 2 to "
            f"{different}. Choose another number, or take more speech."
        )
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(features))[: max(START_FRAMES, count)]
    start, _ = kmeans2(features[chosen], count, iter=5, minit="++", rng=rng)
    centers, _ = kmeans2(features, start, iter=ITERATIONS, minit="matrix")
    return UnitClusters(centers, {**settings, "clusters": count, "seed": seed})
