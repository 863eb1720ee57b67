"""Several models under short names, each loaded when it is first used."""

from pathlib import Path
from threading import Lock

import numpy as np

from cmkt_plugin.loading.model_source import open_model


class LoadedModels:
    """Models by name, kept once they are loaded.

    Arguments
    ---------
    sources : iterable of str
        Run folders, exports or names on the hub.
    device : str or None
        Where to compute.
    trust : bool
        Whether their YAML may run whatever it names.

    Example
    -------
    >>> models = LoadedModels(["baseline/1", "cmkt/1"])
    >>> models.names
    ['baseline/1', 'cmkt/1']
    """

    def __init__(self, sources, device=None, trust=False):
        self._sources = short_names(sources)
        self._options = {"device": device, "trust": trust}
        self._loaded = {}
        self._lock = Lock()  # two users may ask for a model at once

    @property
    def names(self):
        """The names, in the order in which the sources were given."""
        return list(self._sources)

    def __getitem__(self, name):
        """The model of a name; an unknown name is a KeyError."""
        with self._lock:
            if name not in self._loaded:
                source = self._sources[name]
                model = open_model(source, **self._options)
                # The first pass is slow, and the page shows how long one took.
                second = np.zeros(model.sample_rate, dtype=np.float32)
                model.enhance_array(second, model.sample_rate)
                self._loaded[name] = model
            return self._loaded[name]


def short_names(sources):
    """Names that tell sources apart: the ends of their paths.

    Arguments
    ---------
    sources : iterable of str
        Folders or names on the hub; one given twice counts once.

    Returns
    -------
    dict
        Name to source.

    Example
    -------
    >>> short_names(["results/cmkt/1", "results/baseline/1", "user/name"])
    {'cmkt/1': 'results/cmkt/1', 'baseline/1': 'results/baseline/1', ...}
    """
    parts = {}
    for source in sources:
        folder = Path(source)
        # What "." and ".." stand for is a name; a link's target is not.
        path = folder.resolve() if folder.name in ("", "..") else folder
        parts.setdefault(path.parts, source)
    length = 2  # of "cmkt/1" and "user/name" one part says too little
    while len({path[-length:] for path in parts}) < len(parts):
        length += 1
    return {"/".join(path[-length:]): parts[path] for path in parts}
