"""Scores of models on pairs of noisy and clean recordings."""

from dataclasses import dataclass

import soundfile
import torch
from torchaudio.functional import resample
from tqdm import tqdm

from cmkt_plugin.comparison import check_groups
from cmkt_plugin.evaluation.pairs import SPEAKER, find_pairs, speakers_of
from cmkt_plugin.metrics import METRICS, NEED_16_KHZ
from cmkt_plugin.run_scores import RunScores
from cmkt_plugin.score_pool import ScorePool

NOISY = "noisy input"


@dataclass
class Evaluation:
    """What came of scoring models.

    Arguments
    ---------
    rows : dict
        ``noisy input`` and the models' names to rows of scores, as
        ``score_table.write_csv`` takes them.
    faults : list of str
        One line for each recording that is not in them.
    metrics : list of str
        What was computed.
    """

    rows: dict
    faults: list
    metrics: list


def evaluate(models, noisy, clean, speaker=SPEAKER, groups=None, jobs=None):
    """Enhances noisy recordings with models and scores them.

    Arguments
    ---------
    models : dict
        Name to CMKTEnhancement; they work at one sampling rate.
    noisy, clean : str or pathlib.Path
        Folders of recordings, as for ``find_pairs``.
    speaker : str
        What in a name is the speaker, as for ``speakers_of``.
    groups : dict or None
        As ``mixture_groups.read_groups`` returns it: refused at once if it
        is of another corpus.
    jobs : int or None
        Processes that score; None takes as many as there are cores.

    Returns
    -------
    Evaluation

    Raises
    ------
    ValueError, FileNotFoundError
        If there is nothing to score, or the models' rates differ.
    """
    rates = {model.sample_rate for model in models.values()}
    if len(rates) > 1:
        raise ValueError(
            f"the models work at {sorted(rates)} Hz: expected one rate, for "
            "scores at different rates cannot be compared"
        )
    (rate,) = rates
    pairs, faults = find_pairs(noisy, clean, rate)
    speakers = speakers_of(pairs, speaker)
    check_groups(groups or {}, set(pairs))
    enhancers = {NOISY: None}
    enhancers |= {name: m.enhance_array for name, m in models.items()}
    rows = {}
    for name, enhance in enhancers.items():
        rows[name], failed = score_pairs(pairs, speakers, rate, enhance, jobs)
        faults += [f"{name}: {id}: {why}" for id, why in failed.items()]
    return Evaluation(rows, faults, metrics_at(rate))


def score_pairs(pairs, speakers, sample_rate, enhance=None, jobs=None):
    """Enhances recordings and scores them against the clean ones.

    Arguments
    ---------
    pairs : dict
        Utterance to the paths of its noisy and its clean recording, of one
        channel, as ``find_pairs`` gives them.
    speakers : dict
        Utterance to speaker.
    sample_rate : int
        At which they are enhanced and scored (Hz).
    enhance : callable or None
        Maps noisy samples (time,) and their rate to enhanced ones; None
        scores the noisy recordings as they are.
    jobs : int or None
        Processes that score; None takes as many as there are cores.

    Returns
    -------
    rows : list of dict
        As ``score_table.write_csv`` takes them.
    failed : dict
        Utterance to the reason why it could not be enhanced.
    """
    pool = ScorePool(jobs, sample_rate, metrics_at(sample_rate))
    failed = {}
    title = "Noisy" if enhance is None else "Enhancing"
    for name, paths in tqdm(pairs.items(), title, delay=2):
        try:
            noisy, clean = (_read(path, sample_rate) for path in paths)
            enhanced = enhance(noisy, sample_rate) if enhance else noisy
        # RuntimeError: what soundfile and torch raise, out of memory included.
        except (ValueError, OSError, RuntimeError, MemoryError) as error:
            failed[name] = " ".join(str(error).split()) or repr(error)
        else:
            pool.submit(name, enhanced, clean, speaker=speakers[name])
    return pool.gather(), failed


def metrics_at(sample_rate):
    """The metrics that are defined at a rate (Hz).

    Example
    -------
    >>> metrics_at(8000)
    ['stoi', 'estoi', 'si_sdr']
    """
    return [m for m in METRICS if sample_rate == 16000 or m not in NEED_16_KHZ]


def as_run(rows, metrics):
    """Rows of scores in the form in which runs are compared.

    Arguments
    ---------
    rows : list of dict
        As ``score_pairs`` gives them.
    metrics : list of str
        Those that they are to have, also if there is no row.

    Returns
    -------
    cmkt_plugin.run_scores.RunScores

    Example
    -------
    >>> row = {"id": "a_1", "speaker": "a", "pesq": 1.5, "note": ""}
    >>> as_run([row], ["pesq"]).scores
    {'pesq': {'a_1': 1.5}}
    """
    return RunScores(
        speakers={row["id"]: row["speaker"] for row in rows},
        scores={
            m: {row["id"]: row[m] for row in rows if row[m] is not None}
            for m in metrics
        },
        noisy={},
        summary={},
        experiment={},
        left_out={row["id"]: row["note"] for row in rows if row["note"]},
    )


def _read(path, sample_rate):
    """Samples (time,) at a rate, resampled as the recipes resample."""
    wave, rate = soundfile.read(path, dtype="float32")
    return resample(torch.from_numpy(wave), rate, sample_rate).numpy()
