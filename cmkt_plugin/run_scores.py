"""Scores of one finished run, read from its output folder."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cmkt_plugin.metrics import METRICS
from cmkt_plugin.run_record import EXPERIMENT, SUMMARY, read_record
from cmkt_plugin.score_table import read_csv

# Means of the same noisy files agree but for the arithmetic of the machine.
NOISY_TOLERANCE = 0.01


@dataclass
class RunScores:
    """What a run with one seed gave.

    Arguments
    ---------
    speakers : dict
        Utterance id to speaker.
    scores : dict
        Metric to (utterance id to score); what could not be computed is not in
        it.
    noisy : dict
        The same for the unprocessed input; empty if the run does not tell.
    summary : dict
        Content of ``test_summary.json``.
    experiment : dict
        Content of ``experiment.json``.
    left_out : dict
        Utterance id to the reason why some metric has no score of it.
    """

    speakers: dict
    scores: dict
    noisy: dict
    summary: dict
    experiment: dict
    left_out: dict

    def means(self, ids=None):
        """Mean of each metric over its utterances; None where it has none.

        Arguments
        ---------
        ids : set of str, optional
            Only these utterances.
        """
        return means(self.scores, ids)


def read_run(folder):
    """Reads a finished run.

    Arguments
    ---------
    folder : str or pathlib.Path
        Output folder of ``train.py``, with ``test_scores.csv``,
        ``test_summary.json``, ``experiment.json`` and, for the noisy input
        utterance by utterance, ``noisy_scores.csv`` where there is one.

    Returns
    -------
    RunScores

    Raises
    ------
    FileNotFoundError
        If the run is not complete.
    ValueError
        If a file is not what it should be; names it.
    """
    folder = Path(folder)
    summary = read_record(folder / "test_summary.json", SUMMARY)
    scores, speakers, notes = read_scores(folder / "test_scores.csv")
    noisy = {}
    if (folder / "noisy_scores.csv").is_file():
        noisy, _, _ = read_scores(folder / "noisy_scores.csv")
    run = RunScores(
        speakers=speakers,
        scores=scores,
        noisy=noisy,
        summary=summary,
        experiment=read_record(folder / "experiment.json", EXPERIMENT),
        left_out={**summary.get("left_out", {}), **notes},
    )
    for metric, mean in noisy_means(run).items():
        if not isinstance(mean, (int, float, type(None))):
            raise ValueError(
                f"{folder / 'test_summary.json'}: {metric} of the noisy input "
                f"is {mean!r}, expected a number; run it again"
            )
    return run


def read_scores(path):
    """Reads a table of scores per utterance.

    Arguments
    ---------
    path : str or pathlib.Path
        As ``cmkt_plugin.score_table.write_csv`` writes it.

    Returns
    -------
    scores : dict
        Metric to (id to float).
    speakers : dict
        Id to speaker.
    notes : dict
        Id to note, where there is one.

    Raises
    ------
    ValueError
        If an utterance is listed twice or a score is not finite.
    """
    scores, speakers, notes = {metric: {} for metric in METRICS}, {}, {}
    try:
        rows = read_csv(path)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    for row in rows:
        name = row["id"]
        if name in speakers:
            raise ValueError(f"{path}: {name} is listed twice")
        speakers[name] = row["speaker"]
        if row["note"]:
            notes[name] = row["note"]
        for metric in METRICS:
            if row[metric] is None:
                continue
            # One NaN would silently make every mean of its column NaN.
            if not np.isfinite(row[metric]):
                raise ValueError(
                    f"{path}: {metric} of {name} is {row[metric]}; expected a "
                    "finite number, or nothing and a note"
                )
            scores[metric][name] = row[metric]
    return scores, speakers, notes


def means(scores, ids=None):
    """Mean of each metric over utterances.

    Arguments
    ---------
    scores : dict
        Metric to (id to float).
    ids : set of str, optional
        Only these utterances.

    Returns
    -------
    dict
        Metric to float, or to None if no utterance has a score.

    Example
    -------
    >>> means({"pesq": {"a": 1.0, "b": 2.0}, "stoi": {}}, {"b"})
    {'pesq': 2.0, 'stoi': None}
    """
    result = {}
    for metric, utterances in scores.items():
        values = [v for i, v in utterances.items() if ids is None or i in ids]
        result[metric] = float(np.mean(values)) if values else None
    return result


def noisy_means(run):
    """Means of the unprocessed input as a run's summary has them.

    Arguments
    ---------
    run : RunScores
        Any finished run.

    Returns
    -------
    dict
        Metric to float.
    """
    noisy = run.summary.get("noisy", {})
    return noisy.get("scores", noisy)


def check_same_input(runs):
    """Refuses to compare runs that were tested on different recordings.

    Arguments
    ---------
    runs : dict
        Run name to (seed to RunScores).

    Raises
    ------
    ValueError
        If the utterances have nothing in common or the scores of the noisy
        input differ.
    """
    first = None
    for name, seeds in runs.items():
        for seed, run in seeds.items():
            here = f"{name} seed {seed}"
            first = first or (here, run)
            there, other = first
            if not run.speakers.keys() & other.speakers.keys():
                raise ValueError(
                    f"{here} and {there} have no test utterance in common: "
                    "they were not run on the same data"
                )
            ours, theirs = noisy_means(run), noisy_means(other)
            for metric in ours.keys() & theirs.keys():
                if None in (ours[metric], theirs[metric]):
                    continue
                if abs(ours[metric] - theirs[metric]) > NOISY_TOLERANCE:
                    raise ValueError(
                        f"{metric} of the noisy input is {ours[metric]} in "
                        f"{here} and {theirs[metric]} in {there}: they were "
                        "not run on the same data"
                    )
