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
        Those that are not comparable count as not run.
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
    named = by_name(runs)
    if not any(run.comparable for run in runs):
        return None
    # compare looks for the summary: what is not comparable must not have one.
    folders = {
        name: {
            seed: run.folder if run.comparable else run.folder / "not compared"
            for seed, run in seeds.items()
        }
        for name, seeds in named.items()
    }
    found = compare(folders, baseline, mixtures)
    scored = finished(runs)
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
        A cell has up to two lines: the mean, and the difference to the
        baseline.
    """
    metrics = comparison["metrics"]
    header = ["run", "seeds", *(TITLES.get(m, m) for m in metrics)]
    header += ["parameters", "epochs", "minutes"]
    noisy = [number(m, comparison["noisy"].get(m)) for m in metrics]
    rows = [["noisy input", "", *noisy, "", "", ""]]
    for name, run in comparison["runs"].items():
        done = ", ".join(map(str, run["seeds"])) or "none"
        waiting = ", ".join(map(str, run["not_run"]))
        shown = f"{done}\nnot compared: {waiting}" if waiting else done
        cells = [_cell(m, run, name == comparison["baseline"]) for m in metrics]
        totals = [
            number("", run[key], ",", digits)
            for key, digits in (
                ("parameters", 0),
                ("epochs", 0),
                ("minutes", 1),
            )
        ]
        rows.append([name, shown, *cells, *totals])
    return header, rows


def _cell(metric, run, is_baseline):
    mean = spread(metric, run["scores"].get(metric))
    if is_baseline or mean == "–":
        return mean
    found = run["difference"].get(metric)
    return (
        f"{mean}\n{interval(metric, found) if found else unpaired_because(run)}"
    )


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
        None where no run has a retrieval.
    """
    runs = {n: r["retrieval"] for n, r in comparison["runs"].items()}
    names = list(dict.fromkeys(name for run in runs.values() for name in run))
    names.sort(key=lambda name: ("retrieval" not in name, "rolled" not in name))
    header = ["run"] + [
        f"{n.replace('_top', ' top-')} (%)"
        if "_top" in n
        else "distinct tokens"
        for n in names
    ]
    rows = [
        [name]
        + [
            number("", v if v is None or "_top" not in n else 100 * v, "", 1)
            if "_top" in n
            else number("", v, ",", 0)
            for n, v in ((n, run.get(n)) for n in names)
        ]
        for name, run in runs.items()
        if run
    ]
    return header, rows


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
            is_baseline = name == comparison["baseline"]
            run = {"seeds": True, **run}
            rows.append([*first, name])
            rows[-1] += [_cell(m, run, is_baseline) for m in metrics]
    return header, rows
