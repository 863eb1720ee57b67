"""Several models under short names, each loaded when it is first used."""

from threading import Lock

import numpy as np

from cmkt_plugin.loading.model_source import open_model
from cmkt_plugin.loading.short_names import short_names


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
        # Two users may ask for a model at once, and others for one that is
        # there: they need not wait.
        self._locks = {name: Lock() for name in self._sources}

    @property
    def names(self):
        """The names, in the order in which the sources were given."""
        return list(self._sources)

    def __getitem__(self, name):
        """The model of a name; an unknown name is a KeyError."""
        with self._locks[name]:
            if name not in self._loaded:
                source = self._sources[name]
                model = open_model(source, **self._options)
                # The first pass is slow, and the page shows how long one took.
                second = np.zeros(model.sample_rate, dtype=np.float32)
                model.enhance_array(second, model.sample_rate)
                self._loaded[name] = model
            return self._loaded[name]
