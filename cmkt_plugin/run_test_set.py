"""The test recordings of a finished run, wherever its corpus is now."""

from pathlib import Path

import soundfile

from cmkt_plugin.dataset import make_dataset
from cmkt_plugin.loading.run_config import HYPERPARAMS
from cmkt_plugin.loading.yaml_nodes import children, compose


class RunTestSet:
    """Reads utterances of ``save/test.json``, recorded or fixed mixtures.

    Arguments
    ---------
    run_folder : str or pathlib.Path
        Output folder of ``train.py``, with ``hyperparams.yaml``.
    data_folder : str or pathlib.Path, optional
        The corpus; None: where it was when the run was made.

    Raises
    ------
    FileNotFoundError
        If the run has no test set.
    ValueError
        If its noisy sides are drawn anew each time.
    """

    def __init__(self, run_folder, data_folder=None):
        path = Path(run_folder) / "save" / "test.json"
        if not path.is_file():
            raise FileNotFoundError(
                f"{run_folder} has no save/test.json, which lists the test "
                "recordings"
            )
        self.dataset = make_dataset(str(path), _roots(run_folder, data_folder))

    @property
    def lengths(self):
        """Utterance to its duration in seconds."""
        return {i: float(e["length"]) for i, e in self.dataset.data.items()}

    def words(self, name):
        """Transcript of an utterance; empty if the corpus has none."""
        return self.dataset.data[name].get("words") or ""

    def read(self, name, sides=("noisy", "clean")):
        """Reads sides of an utterance.

        Arguments
        ---------
        name : str
            Its id.
        sides : sequence of str
            ``noisy`` and ``clean``, or one of them.

        Returns
        -------
        waveforms : list of numpy.ndarray
            float32 (time,), one for each side.
        sample_rate : int
            Hz.

        Raises
        ------
        FileNotFoundError
            If a recording is not there.
        """
        entry = self.dataset.data[name]
        recorded = [entry[f"{s}_wav"] for s in sides if f"{s}_wav" in entry]
        sources = recorded or [entry["clean_wav"]]
        for source in sources:
            if not Path(source).is_file():
                raise FileNotFoundError(
                    f"{source}: the recording of {name} is not there. Say "
                    "where the corpus is now: --data-folder"
                )
        with self.dataset.output_keys_as([f"{side}_sig" for side in sides]):
            item = self.dataset[self.dataset.data_ids.index(name)]
        rate = soundfile.info(sources[0]).samplerate
        return [item[f"{side}_sig"].numpy() for side in sides], rate


def _roots(run_folder, data_folder):
    """The folders that names in the test annotation stand for."""
    run = children(compose(Path(run_folder) / HYPERPARAMS))
    sampler = children(children(run.get("mixing")).get("test"))
    nodes = {
        "data_root": run.get("data_folder"),
        "noise_root": children(sampler.get("noise")).get("folder"),
        "rir_root": children(sampler.get("rirs")).get("folder"),
    }
    # What is not known stays as it stands: the error then names it.
    roots = {
        name: getattr(node, "value", "") or f"{{{name}}}"
        for name, node in nodes.items()
    }
    return {**roots, "data_root": str(data_folder or roots["data_root"])}
