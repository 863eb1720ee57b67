"""Scores of finished runs with the lips of their test clips, and without."""

from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from cmkt_plugin.dataset import spread
from cmkt_plugin.enhancing.sampling import set_sampling
from cmkt_plugin.evaluation.evaluate import NOISY, as_run
from cmkt_plugin.mixture_groups import read_groups
from cmkt_plugin.run_test_set import RunTestSet
from cmkt_plugin.score_pool import ScorePool
from cmkt_plugin.visual.inference import AudioVisualEnhancement
from cmkt_plugin.visual.lip_control import (
    DroppedFrames,
    NoLips,
    OwnLips,
    ShuffledLips,
)
from cmkt_plugin.visual.lip_items import LIP_KEYS, add_lips, has_lips

METRICS = ("pesq", "estoi", "si_sdr")
OWN, OTHER, NONE = "own lips", "lips of another clip", "no video"


def lip_controls(fractions=(), seed=0):
    """What is shown of the lips, by name.

    Arguments
    ---------
    fractions : sequence of float
        Parts of the frames that are lost.
    seed : int
        Fixes which, and whose lips another clip gets.

    Returns
    -------
    dict

    Example
    -------
    >>> list(lip_controls([0.5]))
    ['own lips', 'lips of another clip', 'no video', '50% of frames lost']
    """
    controls = {OWN: OwnLips(), OTHER: ShuffledLips(seed), NONE: NoLips()}
    lost = {f"{part:.0%} of frames lost": part for part in fractions}
    return controls | {
        name: DroppedFrames(part, seed) for name, part in lost.items()
    }


@dataclass
class LipEvaluation:
    """What came of enhancing a run's test set.

    Arguments
    ---------
    rows : dict
        ``noisy input`` and the names of the controls to rows of scores, as
        ``score_table.write_csv`` takes them.
    groups : dict
        As ``mixture_groups.read_groups`` returns it.
    failed : dict
        Control and clip to the reason why it could not be enhanced.
    """

    rows: dict
    groups: dict
    failed: dict = field(default_factory=dict)

    def scores(self):
        """Noisy input and controls to ``RunScores``."""
        return {n: as_run(rows, METRICS) for n, rows in self.rows.items()}


def evaluate_lips(
    run,
    controls,
    data_folder=None,
    count=None,
    jobs=None,
    steps=None,
    **loading,
):
    """Enhances the test set of a run once for each control, and scores it.

    Arguments
    ---------
    run : str or pathlib.Path
        Output folder of ``train.py``, of a model that looks.
    controls : dict
        As ``lip_controls`` gives them.
    data_folder : str or None
        Where the prepared corpus is now; None: where it was.
    count : int or None
        Clips to take, spread over the lengths; None takes all.
    jobs : int or None
        Processes that score.
    steps : int or None
        Of a diffusion model's sampler; None: the model's own.
    **loading
        Of ``open_model``.

    Returns
    -------
    LipEvaluation

    Raises
    ------
    FileNotFoundError
        If there is no run, test set or recording.
    ValueError
        If the model looks at no lips or has no sampler to give steps to, or
        the test set has no lips.
    """
    model = AudioVisualEnhancement.open(run, **loading)
    if not model.looks:
        raise ValueError(
            f"{run}: the model looks at no lips, so that nothing is to be "
            "learnt of them; name a run with a lip encoder"
        )
    set_sampling(model.enhancer, steps)
    tests = RunTestSet(run, data_folder)
    if not has_lips(tests.dataset):
        raise ValueError(
            f"{run}: no clip of its save/test.json has lips (lips_file): "
            "prepare the corpus with its videos (recipes/AVSE)"
        )
    names = spread(tests.dataset, count).data_ids
    done = LipEvaluation({NOISY: _noisy(tests, names, jobs)}, _groups(run))
    for control, what in controls.items():
        # Anew, because a dataset takes the items of one control.
        tests = RunTestSet(run, data_folder)
        add_lips(tests.dataset, what)
        done.rows[control] = _enhanced(
            model, tests, names, control, jobs, done.failed
        )
    return done


def _noisy(tests, names, jobs):
    pool = _pool(jobs)
    for name in names:
        (noisy, clean), _ = tests.read(name)
        pool.submit(name, noisy, clean, speaker=_speaker(tests, name))
    return pool.gather()


def _enhanced(model, tests, names, control, jobs, failed):
    pool = _pool(jobs)
    for name in tqdm(names, control, delay=2):
        (noisy, clean), rate = tests.read(name)
        pixels, present = _lips(tests.dataset, name)
        if not present.any():
            pixels = None
        try:
            wav = model.enhance_pair(noisy, rate, pixels, present)
        # RuntimeError: what torch raises, out of memory included.
        except (ValueError, RuntimeError) as error:
            failed[f"{control}: {name}"] = " ".join(str(error).split())
        else:
            pool.submit(name, wav, clean, speaker=_speaker(tests, name))
    return pool.gather()


def _pool(jobs):
    return ScorePool(jobs, metrics=METRICS)


def _speaker(tests, name):
    return tests.dataset.data[name]["speaker"]


def _lips(dataset, name):
    """Crops (frames, 96, 96) and which are present (frames,)."""
    with dataset.output_keys_as(LIP_KEYS):
        item = dataset[dataset.data_ids.index(name)]
    return [item[key].numpy() for key in LIP_KEYS]


def _groups(run):
    """Groups by noise, where the test set is a manifest of mixtures."""
    try:
        return read_groups(Path(run) / "save" / "test.json")
    except ValueError:  # recorded pairs, whose noise nobody knows
        return {}
