"""The figures of a model card."""

from dataclasses import dataclass

from cmkt_plugin.comparison import differences
from cmkt_plugin.comparison_table import TITLES, interval, number
from cmkt_plugin.publish.given_text import (
    GivenText,
    check_baseline,
    check_control,
    given_text,
)
from cmkt_plugin.publish.same_training import check_same_training
from cmkt_plugin.run_record import check_entries
from cmkt_plugin.run_scores import check_same_input, noisy_means, read_run

# What a card says of every run, and of the published one.
SHOWN = ("parameters", "epochs")
TOLD = ("version", "command", "machine", "date", "python", "torch",
        "speechbrain")  # fmt: skip
METRICS = ("pesq", "stoi", "estoi", "si_sdr")
OURS = "**this model**"


@dataclass
class PublishedScores:
    """Scores of a run and of those that it is compared with.

    Arguments
    ---------
    run : cmkt_plugin.run_scores.RunScores
        The published one.
    baseline : cmkt_plugin.run_scores.RunScores or None
        The same without transfer.
    controls : dict
        Name to RunScores: the transfer with wrong text.
    folders : dict
        Name to folder of the baseline and the controls.
    given : cmkt_plugin.publish.given_text.GivenText
        What the published run was taught with.
    """

    run: object
    baseline: object
    controls: dict
    folders: dict
    given: GivenText

    @property
    def others(self):
        """Baseline and controls by name."""
        base = {"baseline": self.baseline} if self.baseline else {}
        return {**base, **self.controls}

    @property
    def files(self):
        """Number of test recordings."""
        return len(self.run.speakers)


def read_scores(run_folder, baseline=None, controls=None):
    """Reads the finished runs that a card shows.

    Arguments
    ---------
    run_folder : str or pathlib.Path
        The run to publish.
    baseline : str or pathlib.Path, optional
        The run without transfer.
    controls : dict, optional
        Name to folder of a run with wrong text.

    Returns
    -------
    PublishedScores

    Raises
    ------
    FileNotFoundError
        If a run is not complete.
    ValueError
        If the baseline was taught, a control is none, or they are of another
        model or other data, or were not tested on the same recordings.
    """
    controls = controls or {}
    given = given_text(run_folder)
    if baseline:
        check_baseline(baseline)
    for name, folder in controls.items():
        check_control(name, folder)
    base = {"baseline": baseline} if baseline else {}
    scores = PublishedScores(
        run=read_run(run_folder),
        baseline=read_run(baseline) if baseline else None,
        controls={name: read_run(path) for name, path in controls.items()},
        folders={**base, **controls},
        given=given,
    )
    _check_records(run_folder, scores)
    check_same_training(run_folder, scores)
    runs = {str(run_folder): scores.run, **scores.others}
    check_same_input({name: {1: run} for name, run in runs.items()})
    for name, other in scores.others.items():
        if other.speakers.keys() != scores.run.speakers.keys():
            raise ValueError(
                f"{name} was tested on {len(other.speakers)} recordings and "
                f"the run on {scores.files}, not all the same: means of both "
                "cannot stand in one table. Test them on one set"
            )
    return scores


def _check_records(run_folder, scores):
    """Refuses runs of which the card could not say what it says of all."""
    for name, run in scores.others.items():
        folder = scores.folders[name]
        check_entries(folder, "test_summary.json", run.summary, SHOWN)
    run, wanted = scores.run, (*SHOWN, "best_epoch")
    check_entries(run_folder, "test_summary.json", run.summary, wanted)
    check_entries(run_folder, "experiment.json", run.experiment, TOLD)


def score_rows(scores):
    """Rows of the table: noisy input, baseline, controls, this model.

    Arguments
    ---------
    scores : PublishedScores

    Returns
    -------
    list of list of str
        The first one is the header.
    """
    noisy = noisy_means(scores.run)
    rows = [
        ["", *(TITLES[m] for m in METRICS), "files", "parameters", "epochs"]
    ]
    rows.append(["noisy input", *_cells(noisy), str(scores.files), "–", "–"])
    for name, run in [*scores.others.items(), (OURS, scores.run)]:
        of_run = [f"{run.summary['parameters']:,}", str(run.summary["epochs"])]
        rows.append([name, *_cells(run.means()), str(scores.files), *of_run])
    return rows


def _cells(means):
    return [number(metric, means.get(metric)) for metric in METRICS]


def difference_rows(scores):
    """Rows of this model's differences to the others, with intervals.

    Arguments
    ---------
    scores : PublishedScores

    Returns
    -------
    list of list of str
        The first one is the header; empty if there is nothing to compare.
    """
    found = score_differences(scores)
    if not found:
        return []
    rows = [["this model minus", *(TITLES[m] for m in METRICS)]]
    for name, given in found.items():
        rows.append([name, *(interval(m, given.get(m)) for m in METRICS)])
    return rows


def score_differences(scores):
    """Differences of this model to the others, by their names.

    Arguments
    ---------
    scores : PublishedScores

    Returns
    -------
    dict
        Name to what ``cmkt_plugin.comparison.differences`` gives.
    """
    return {
        name: differences({1: scores.run}, {1: other})
        for name, other in scores.others.items()
    }
