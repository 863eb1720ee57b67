"""The YAML list of runs that a comparison is made of."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from cmkt_plugin.provenance import without_paths
from cmkt_plugin.run_flags import check_flags, flag_words, parse_flags

KEYS = ("recipe", "results", "common", "seeds", "baseline", "runs")
RUN_KEYS = ("hparams", "flags", "seeds")


# By identity: a cell is a place on the disk, not a value.
@dataclass(frozen=True, eq=False)
class Cell:
    """One run with one seed: one process, one output folder.

    Arguments
    ---------
    run : str
        Name of the run.
    seed : int
        Given to the recipe as ``--seed``.
    hparams : str
        Hyperparameter file, relative to the recipe's folder.
    flags : dict
        The other flags, name to value.
    folder : pathlib.Path
        Absolute path of its output folder.
    """

    run: str
    seed: int
    hparams: str
    flags: dict
    folder: Path

    @property
    def log(self):
        """Where standard output and error of its processes go."""
        return self.beside(".log")

    @property
    def complete(self):
        """Whether the run has finished: its summary is written last."""
        return (self.folder / "test_summary.json").is_file()

    def beside(self, suffix):
        """A path next to the output folder, which the recipe owns."""
        return self.folder.with_name(self.folder.name + suffix)

    def arguments(self):
        """The recipe's command line, without the recipe itself."""
        given = {
            "seed": self.seed,
            "output_folder": str(self.folder),
            **self.flags,
        }
        words = [flag_words(name, value) for name, value in given.items()]
        return [self.hparams, *(word for pair in words for word in pair)]

    def settings(self):
        """What must be equal for a finished run to be this cell's."""
        flags = {name: _published(v) for name, v in self.flags.items()}
        return {"hparams": self.hparams, "flags": flags}


@dataclass(frozen=True)
class RunList:
    """A comparison to make.

    Arguments
    ---------
    recipe : pathlib.Path
        The script that each cell runs, with its folder as working directory.
    baseline : str
        Name of the run that the others are compared with.
    cells : tuple of Cell
        Seed by seed, so that pairs with the baseline are complete early.
    """

    recipe: Path
    baseline: str
    cells: tuple

    def folders(self):
        """Output folders, run name to seed to path."""
        found = {}
        for cell in self.cells:
            found.setdefault(cell.run, {})[cell.seed] = cell.folder
        return found

    def settings(self):
        """Hyperparameter file and flags, run name to ``Cell.settings``."""
        return {cell.run: cell.settings() for cell in self.cells}


def load_runs(path, extra=()):
    """Reads a list of runs.

    ``recipe`` and ``results`` are relative to the file; ``hparams`` and the
    flags mean what they mean on the recipe's own command line, given in the
    recipe's folder. A value is handed over as inline YAML, a string as it
    stands (so ``"!new:..."`` is a tag); ``true`` for one of SpeechBrain's
    options without value (``noprogressbar``) gives the bare option.

    Arguments
    ---------
    path : str or pathlib.Path
        The YAML file, with the keys ``recipe``, ``results``, ``runs``,
        ``baseline``, ``seeds`` and optionally ``common``.
    extra : list of str
        Flags as on a command line, for every run; they win over the file's.

    Returns
    -------
    RunList

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> _ = (folder / "train.py").write_text("")
    >>> _ = (folder / "small.yaml").write_text("")
    >>> _ = (folder / "runs.yaml").write_text('''
    ... recipe: train.py
    ... results: results
    ... common: {lr: 1e-4}
    ... seeds: [1, 2]
    ... baseline: plain
    ... runs:
    ...   plain: {hparams: small.yaml}
    ...   wide: {hparams: small.yaml, flags: {width: [8, 8]}, seeds: [1]}
    ... ''')
    >>> runs = load_runs(folder / "runs.yaml")
    >>> [(cell.run, cell.seed) for cell in runs.cells]
    [('plain', 1), ('wide', 1), ('plain', 2)]
    >>> runs.cells[1].arguments()[-4:]
    ['--lr', '0.0001', '--width', '[8, 8]']
    """
    path = Path(path).resolve()
    listed = _read(path)
    recipe = (path.parent / listed["recipe"]).resolve()
    if not recipe.is_file():
        raise FileNotFoundError(f"{path.name}: no recipe at {recipe}")
    common = check_flags(listed.get("common"), f"{path.name}: common")
    given = parse_flags(extra)
    cells = []
    for name, run in listed["runs"].items():
        where = f"{path.name}: run {name!r}"
        hparams = _run_hparams(name, run, recipe, where)
        flags = {**common, **check_flags(run.get("flags"), where), **given}
        for seed in _seeds(run.get("seeds", listed["seeds"]), where):
            folder = path.parent / listed["results"] / str(name) / str(seed)
            cells.append(Cell(str(name), seed, hparams, flags, folder))
    # Stable: within a seed the runs keep the file's order.
    cells.sort(key=lambda cell: cell.seed)
    return RunList(recipe, str(listed["baseline"]), tuple(cells))


def _run_hparams(name, run, recipe, where):
    """Checks one entry of ``runs``; returns its hyperparameter file."""
    if not re.fullmatch(r"\w[\w.+-]*", str(name)):
        raise ValueError(f"{where}: its name must do as a folder's name")
    _known(_require(run, dict, where), RUN_KEYS, where)
    hparams = run.get("hparams")
    if not hparams or not (recipe.parent / hparams).is_file():
        raise FileNotFoundError(
            f"{where}: no hparams file {hparams!r} in the recipe's folder "
            f"{recipe.parent}"
        )
    return hparams


def _read(path):
    """Reads the file and checks its outermost level."""
    try:
        listed = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    except YAMLError as error:
        raise ValueError(f"{path.name} is not plain YAML: {error}")
    _known(_require(listed, dict, path.name), KEYS, path.name)
    for key in KEYS:
        if key not in listed and key != "common":
            raise ValueError(f"{path.name}: the key {key!r} is missing")
    for key in ("recipe", "results"):
        _require(listed[key], str, f"{path.name}: {key}")
    _require(listed["runs"], dict, f"{path.name}: runs")
    if listed["baseline"] not in listed["runs"]:
        raise ValueError(
            f"{path.name}: the baseline {listed['baseline']!r} is none of the "
            f"runs, which are {', '.join(map(str, listed['runs']))}"
        )
    return listed


def _published(value):
    """A flag's value without the absolute paths of this machine."""
    if isinstance(value, str):
        return without_paths(value)
    return json.loads(without_paths(json.dumps(value)))


def _require(value, kind, where):
    if not isinstance(value, kind):
        raise ValueError(f"{where}: expected a {kind.__name__}, got {value!r}")
    return value


def _known(given, names, where):
    unknown = [str(key) for key in given if key not in names]
    if unknown:
        raise ValueError(
            f"{where}: unknown {', '.join(unknown)}; known are "
            f"{', '.join(names)}"
        )


def _seeds(seeds, where):
    _require(seeds, list, f"{where}: seeds")
    if not seeds or any(type(seed) is not int for seed in seeds):
        raise ValueError(f"{where}: seeds must be whole numbers, got {seeds}")
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"{where}: a seed is listed twice in {seeds}")
    return seeds
