"""The runs that a report is about, found on disk and judged comparable."""

from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from cmkt_plugin.exporting.exported import is_export
from cmkt_plugin.loading.yaml_nodes import children, compose
from cmkt_plugin.report.training_curves import read_log
from cmkt_plugin.run_record import EXPERIMENT, read_record
from cmkt_plugin.run_scores import RunScores, check_same_input, read_run

# Any of them tells the output folder of train.py.
TRACES = ("experiment.json", "train_log.txt", "test_summary.json")
BASELINE = "baseline"


@dataclass
class Run:
    """One training with one seed.

    Arguments
    ---------
    name : str
        What it is called in tables; seeds of one run share it.
    seed : int
        Its seed.
    folder : pathlib.Path
        Its output folder.
    scores : RunScores or None
        None if it is not finished or its files are at fault.
    problem : str
        Why it is not compared with the others; empty if it is.
    epochs : dict
        As ``read_log`` gives them.
    """

    name: str
    seed: int
    folder: Path
    scores: Optional[RunScores] = None
    problem: str = ""
    epochs: Optional[dict] = None

    @property
    def comparable(self):
        """Whether it is in the tables."""
        return self.scores is not None and not self.problem

    @property
    def record(self):
        """Command and date of its training; None where not recorded."""
        path = self.folder / "experiment.json"
        try:
            found = read_record(path, EXPERIMENT)
        except (OSError, ValueError):
            found = {}
        return found.get("command"), found.get("date")

    def setting(self, *keys):
        """A value of its hyperparams.yaml as text, None if there is none."""
        path = self.folder / "hyperparams.yaml"
        node = compose(path) if path.is_file() else None
        for key in keys:
            node = children(node).get(key)
        return getattr(node, "value", None) or None


def find_runs(paths):
    """Reads the runs of some folders.

    Arguments
    ---------
    paths : list of str or pathlib.Path
        Output folders of ``train.py``, or folders that hold one for each
        seed, named by it.

    Returns
    -------
    list of Run
        In the order given. One that is named by its seed is called as the
        folder around it.

    Raises
    ------
    FileNotFoundError
        If a folder is neither.
    ValueError
        If two runs have the same name and seed.
    """
    folders = [folder for path in paths for folder in _run_folders(Path(path))]
    runs = []
    for folder in dict.fromkeys(folder.resolve() for folder in folders):
        if folder.name.isdigit():
            run = Run(folder.parent.name, int(folder.name), folder)
        else:
            run = Run(folder.name, 0, folder)
            run.seed = int(run.setting("seed") or 0)
        runs.append(_read(run))
    _refuse_twins(runs)
    return runs


def _run_folders(path):
    if _is_run(path):
        return [path]
    seeds = [p for p in path.glob("*") if p.name.isdigit() and _is_run(p)]
    if seeds:
        return sorted(seeds, key=lambda seed: int(seed.name))
    found = "no such folder"
    if path.is_dir():
        found = ", ".join(sorted(p.name for p in path.iterdir())[:8])
        found = f"a folder with {found or 'nothing in it'}"
        if is_export(path):
            found = "an export, which has neither log nor scores"
    raise FileNotFoundError(
        f"{path} is no run: expected the output folder of train.py (with "
        f"{' or '.join(TRACES)}), or a folder of such folders named by their "
        f"seeds; found {found}"
    )


def _is_run(path):
    return any((path / name).is_file() for name in TRACES)


def _read(run):
    run.epochs = read_log(run.folder / "train_log.txt")
    try:
        run.scores = read_run(run.folder)
    except FileNotFoundError as error:
        planned = run.setting("number_of_epochs") or "?"
        missing = Path(str(error).split()[0]).name
        run.problem = (
            f"not finished: {len(run.epochs)} of {planned} epochs logged, "
            f"{missing} is missing"
        )
    except ValueError as error:
        # The file's name is enough; where it lies is this machine's affair.
        run.problem = str(error).replace(f"{run.folder}/", "")
    return run


def _refuse_twins(runs):
    seen = {}
    for run in runs:
        twin = seen.setdefault((run.name, run.seed), run)
        if twin is not run:
            raise ValueError(
                f"{twin.folder} and {run.folder} would both be called "
                f"{run.name}, seed {run.seed}: rename one of the folders, or "
                "leave one out"
            )


def by_name(runs):
    """Runs by name and seed, in their order.

    Arguments
    ---------
    runs : list of Run
        Any.

    Returns
    -------
    dict
        Name to (seed to Run).
    """
    named = {}
    for run in runs:
        named.setdefault(run.name, {})[run.seed] = run
    return named


def choose_baseline(runs, wanted=None):
    """The run that the others are compared with.

    Arguments
    ---------
    runs : list of Run
        The candidates; a folder that is wanted and not among them is added.
    wanted : str, pathlib.Path or None
        A name or folder; None takes the run named ``baseline``, else the
        first one.

    Returns
    -------
    str
        Its name.

    Raises
    ------
    FileNotFoundError
        If there is no such run.
    """
    names = [run.name for run in runs]
    if wanted is None:
        return BASELINE if BASELINE in names else names[0]
    if str(wanted) in names:
        return str(wanted)
    if not Path(wanted).is_dir():
        raise FileNotFoundError(
            f"the baseline {wanted} is neither a run's folder nor one of "
            f"{', '.join(dict.fromkeys(names))}"
        )
    added = find_runs([wanted])
    known = {run.folder for run in runs}
    runs[:0] = [run for run in added if run.folder not in known]
    _refuse_twins(runs)
    return added[0].name


def flag_other_data(runs, baseline):
    """Notes which runs were made with other data than the baseline.

    Arguments
    ---------
    runs : list of Run
        Their ``problem`` is set where it applies.
    baseline : str
        Its first finished seed is what the others must agree with; without
        one, the first finished run.
    """
    finished = [run for run in runs if run.comparable]
    finished.sort(key=lambda run: run.name != baseline)
    for run in finished[1:]:
        first = finished[0]
        data, known = _data(run), _data(first)
        reference = f"{first.name} seed {first.seed}"
        if None not in (data, known) and data != known:
            run.problem = (
                f"made with other data than {reference} (fingerprints {data} "
                f"and {known}): not compared"
            )
            continue
        try:
            check_same_input(
                {
                    first.name: {first.seed: first.scores},
                    f"{run.name} ": {run.seed: run.scores},
                }
            )
        except ValueError as error:
            run.problem = f"{error}: not compared"


def _data(run):
    return run.scores.experiment.get("fingerprint", {}).get("data")
