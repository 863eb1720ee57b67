"""The report's tables: scores of runs, and what they gain over the input."""

from dataclasses import replace

from cmkt_plugin.comparison import compare, differences
from cmkt_plugin.comparison_table import (
    GROUP_METRICS,
    TITLES,
    interval,
    number,
    spread,
    unpaired_because,
)
from cmkt_plugin.mixture_groups import read_groups
from cmkt_plugin.report.runs import by_name


def summarise(runs, baseline, mixtures=None):
    """Compares the runs that can be compared.

    Arguments
    ---------
    runs : list of Run
        A seed that is not comparable counts as not run; a run without any
        that is, is left out.
    baseline : str
        Name of the run that the others are compared with.
    mixtures : str, pathlib.Path or None
        As ``read_groups`` takes it.

    Returns
    -------
    dict or None
        As ``cmkt_plugin.comparison.compare`` returns it; every run, also in
        the groups, has ``benefit`` beside ``difference``: the same over the
        noisy input. None if no run is comparable.
    """
    scored = finished(runs)
    if not scored:
        return None
    # compare looks for the summary: what is not comparable must not have one.
    folders = {
        name: {
            seed: run.folder if run.comparable else run.folder / "not compared"
            for seed, run in seeds.items()
        }
        for name, seeds in by_name(runs).items()
        if name in scored or name == baseline
    }
    found = compare(folders, baseline, mixtures)
    for name, run in found["runs"].items():
        run["benefit"] = over_noisy(scored.get(name, {}))
    for grouping, ids_of in read_groups(mixtures).items():
        for group, given in found["groups"][grouping].items():
            for name, run in given["runs"].items():
                run["benefit"] = over_noisy(scored[name], ids_of[group])
    return found


def kinds(groups):
    """Which noise at which level each utterance has.

    Arguments
    ---------
    groups : dict
        As ``read_groups`` returns it.

    Returns
    -------
    dict
        Utterance to text; empty if nothing is known.

    Example
    -------
    >>> kinds({"noise and SNR": {"babble, 5 dB": {"a"}}})
    {'a': 'babble, 5 dB'}
    """
    both = groups.get("noise and SNR", {})
    return {name: kind for kind, ids in both.items() for name in ids}


def finished(runs):
    """Scores of the comparable runs.

    Arguments
    ---------
    runs : list of Run
        Any.

    Returns
    -------
    dict
        Name to (seed to RunScores).
    """
    return {
        name: {s: run.scores for s, run in seeds.items()}
        for name, seeds in by_name([r for r in runs if r.comparable]).items()
    }


def over_noisy(seeds, ids=None):
    """Differences to the unprocessed input, paired per utterance.

    Arguments
    ---------
    seeds : dict
        Seed to RunScores.
    ids : set of str, optional
        Only these utterances.

    Returns
    -------
    dict
        As ``cmkt_plugin.comparison.differences``; empty if the input was not
        scored utterance by utterance.
    """
    noisy = {s: replace(r, scores=r.noisy) for s, r in seeds.items() if r.noisy}
    return differences(seeds, noisy, ids)


def score_table(comparison):
    """The table of all runs.

    Arguments
    ---------
    comparison : dict
        From ``summarise``.

    Returns
    -------
    header : list of str
    rows : list of list of str
        A cell has up to three lines: the mean, the difference to the
        baseline, its interval.
    """
    metrics = comparison["metrics"]
    header = ["run", "seeds", *(TITLES.get(m, m) for m in metrics)]
    noisy = [number(m, comparison["noisy"].get(m)) for m in metrics]
    rows = [["noisy input", "", *noisy]]
    for name, run in comparison["runs"].items():
        done = ", ".join(map(str, run["seeds"])) or "none"
        waiting = ", ".join(map(str, run["not_run"]))
        shown = f"{done}\nnot compared: {waiting}" if waiting else done
        is_baseline = name == comparison["baseline"]
        unpaired = "" if is_baseline else unpaired_because(run)
        cells = [_cell(m, run, unpaired) for m in metrics]
        rows.append([name, shown, *cells])
    return header, rows


def _cell(metric, run, unpaired):
    """A run's mean and what it gains; ``unpaired`` if that is not known."""
    mean = spread(metric, run["scores"].get(metric))
    found = run["difference"].get(metric)
    shown = interval(metric, found) if found else unpaired
    # The interval on a line of its own: the columns stay narrow.
    return f"{mean}\n{shown.replace(' [', chr(10) + '[')}".strip()


def cost_table(comparison):
    """What the runs took, means over seeds.

    Arguments
    ---------
    comparison : dict
        From ``summarise``.

    Returns
    -------
    header : list of str
    rows : list of list of str
    """
    columns = {"parameters": 0, "epochs": 0, "minutes": 1}
    rows = [
        [name, *(number("", run[key], ",", n) for key, n in columns.items())]
        for name, run in comparison["runs"].items()
    ]
    return ["run", "parameters", "epochs", "minutes per run"], rows


def retrieval_table(comparison):
    """Held-out token retrieval at the last epoch, in per cent.

    Arguments
    ---------
    comparison : dict
        From ``summarise``.

    Returns
    -------
    header : list of str
    rows : list of list of str
        Empty where no run has a retrieval.
    """
    runs = {n: r["retrieval"] for n, r in comparison["runs"].items()}
    names = list(dict.fromkeys(name for run in runs.values() for name in run))
    names.sort(key=lambda name: ("retrieval" not in name, "rolled" not in name))
    header = [
        f"{n.replace('_top', ' top-')} (%)"
        if "_top" in n
        else "distinct tokens"
        for n in names
    ]
    rows = [
        [name, *(_retrieved(n, run.get(n)) for n in names)]
        for name, run in runs.items()
        if run
    ]
    return ["run", *header], rows


def _retrieved(name, value):
    if "_top" not in name:
        return number("", value, ",", 0)
    return number("", None if value is None else 100 * value, "", 1)


def group_table(comparison, grouping):
    """Scores within groups of utterances.

    Arguments
    ---------
    comparison : dict
        From ``summarise``.
    grouping : str
        Such as ``noise and SNR``.

    Returns
    -------
    header : list of str
    rows : list of list of str
    """
    metrics = [m for m in GROUP_METRICS if m in comparison["metrics"]]
    header = ["group", "utterances", "run", *(TITLES[m] for m in metrics)]
    rows = []
    for group, given in comparison["groups"][grouping].items():
        first = [group, str(given["utterances"])]
        noisy = [number(m, given["noisy"].get(m)) for m in metrics]
        rows.append([*first, "noisy input", *noisy])
        for name, run in given["runs"].items():
            cells = [_cell(m, run, "") for m in metrics]
            rows.append([*first, name, *cells])
    return header, rows
