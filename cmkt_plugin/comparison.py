"""Compares runs with their baseline: means, spreads, paired differences."""

import re
from pathlib import Path

import numpy as np

from cmkt_plugin.bootstrap import paired_interval, statement
from cmkt_plugin.mixture_groups import read_groups
from cmkt_plugin.run_scores import (
    check_same_input,
    means,
    noisy_means,
    read_run,
)

# The parts of experiment.json that a table states.
STATED = ("version", "commit", "machine", "torch", "speechbrain", "date")
NOT_RECORDED = "not recorded"


def compare(folders, baseline, mixtures=None):
    """Computes everything that a comparison's table shows.

    Arguments
    ---------
    folders : dict
        Run name to (seed to output folder). A folder without
        ``test_summary.json`` is counted as missing.
    baseline : str
        The run that the others are compared with, per utterance and seed.
    mixtures : str or pathlib.Path, optional
        The corpus' ``mixtures.csv``: the same by noise level and kind.

    Returns
    -------
    dict
        ``baseline``, ``metrics``, ``intervals`` (how they were made),
        ``noisy`` (means of the input), ``runs`` (see ``describe_run``; with
        ``not_run``, the seeds that are still to be run), ``groups`` and
        ``missing``. Only what JSON can hold.

    Raises
    ------
    ValueError
        If no run is complete, or runs were not tested on the same files.
    """
    if baseline not in folders:
        raise ValueError(f"the baseline {baseline!r} is none of the runs")
    runs, missing = {}, []
    for name, seeds in folders.items():
        runs[name] = {}
        for seed, folder in seeds.items():
            if (Path(folder) / "test_summary.json").is_file():
                runs[name][seed] = read_run(folder)
            else:
                missing.append(f"{name} seed {seed}")
    every = [run for seeds in runs.values() for run in seeds.values()]
    if not every:
        raise ValueError(f"no run is complete: missing are {missing}")
    check_same_input(runs)
    base = runs[baseline]
    common = [
        len(seeds.keys() & base.keys())
        for name, seeds in runs.items()
        if name != baseline
    ]
    return {
        "baseline": baseline,
        "metrics": list(every[0].scores),
        "intervals": statement([n for n in common if n]),
        "noisy": noisy_means(every[0]),
        "runs": {
            name: {
                "not_run": sorted(folders[name].keys() - seeds.keys()),
                **describe_run(seeds, None if name == baseline else base),
            }
            for name, seeds in runs.items()
        },
        "groups": by_group(runs, baseline, read_groups(mixtures)),
        "missing": missing,
    }


def describe_run(seeds, base):
    """Figures of one run over its seeds.

    Arguments
    ---------
    seeds : dict
        Seed to RunScores.
    base : dict or None
        The same of the baseline; None if this is the baseline.

    Returns
    -------
    dict
        ``seeds``, ``scores`` (metric to mean, spread, count per seed),
        ``difference`` (metric to ``paired_interval``'s result), ``retrieval``,
        ``minutes`` and ``parameters``, ``epochs`` (means over seeds),
        ``left_out`` and ``experiment``: what ``experiment.json`` states (name
        to value to the seeds that it was stated for).
    """
    runs = list(seeds.values())
    return {
        "seeds": sorted(seeds),
        "scores": seed_statistics(runs),
        "difference": differences(seeds, base),
        "retrieval": _retrieval(runs),
        "minutes": _mean(run.summary.get("train_minutes") for run in runs),
        "parameters": _mean(run.summary.get("parameters") for run in runs),
        "epochs": _mean(run.summary.get("epochs") for run in runs),
        "left_out": {
            str(seed): run.left_out
            for seed, run in seeds.items()
            if run.left_out
        },
        "experiment": {name: _stated(name, seeds) for name in STATED},
    }


def seed_statistics(runs, ids=None):
    """Mean over seeds and standard deviation between seeds.

    Arguments
    ---------
    runs : list of RunScores
        One per seed.
    ids : set of str, optional
        Only these utterances.

    Returns
    -------
    dict
        Metric to ``mean``, ``spread`` (None with one seed), ``per_seed`` and
        ``count`` (scored utterances per seed).
    """
    result = {}
    per_seed = [run.means(ids) for run in runs]
    for metric in runs[0].scores if runs else ():
        values = [m[metric] for m in per_seed if m.get(metric) is not None]
        counted = [
            sum(ids is None or i in ids for i in run.scores.get(metric, ()))
            for run in runs
        ]
        result[metric] = {
            "mean": _mean(values),
            "spread": float(np.std(values, ddof=1)) if values[1:] else None,
            "per_seed": values,
            "count": counted,
        }
    return result


def differences(seeds, base, ids=None):
    """Differences to the baseline, paired per utterance and seed.

    Arguments
    ---------
    seeds : dict
        Seed to RunScores.
    base : dict or None
        The same of the baseline.
    ids : set of str, optional
        Only these utterances.

    Returns
    -------
    dict
        Metric to ``paired_interval``'s result, with ``unpaired``: scores that
        have no partner in the other run. Empty without a common seed.
    """
    result = {}
    common = sorted(seeds.keys() & (base or {}).keys())
    for metric in seeds[common[0]].scores if common else ():
        pairs, unpaired = [], 0
        for seed in common:
            ours = seeds[seed].scores.get(metric, {})
            theirs = base[seed].scores.get(metric, {})
            wanted = (ours.keys() | theirs.keys()) & (
                ours.keys() | theirs.keys() if ids is None else ids
            )
            paired = wanted & ours.keys() & theirs.keys()
            unpaired += len(wanted) - len(paired)
            for name in sorted(paired):
                speaker = seeds[seed].speakers[name]
                pairs.append((seed, speaker, ours[name] - theirs[name]))
        if pairs:
            interval = paired_interval(*zip(*pairs))
            result[metric] = {**interval, "unpaired": unpaired}
    return result


def by_group(runs, baseline, groups):
    """The comparison within groups of test utterances.

    Arguments
    ---------
    runs : dict
        Run name to (seed to RunScores).
    baseline : str
        The run that the others are compared with.
    groups : dict
        As ``read_groups`` returns it.

    Returns
    -------
    dict
        Grouping to group to ``utterances`` (their number), ``noisy`` (means)
        and ``runs`` (name to ``scores`` and ``difference``). Groups without a
        test utterance are not in it.
    """
    runs = {name: seeds for name, seeds in runs.items() if seeds}
    every = [run for seeds in runs.values() for run in seeds.values()]
    tested = set().union(*(run.speakers for run in every))
    check_groups(groups, tested)
    result = {}
    for grouping, named in groups.items():
        result[grouping] = {
            group: {
                "utterances": len(ids & tested),
                "noisy": means(every[0].noisy, ids),
                "runs": {
                    name: {
                        "scores": seed_statistics(list(seeds.values()), ids),
                        "difference": differences(
                            seeds,
                            None if name == baseline else runs.get(baseline),
                            ids,
                        ),
                    }
                    for name, seeds in runs.items()
                },
            }
            for group, ids in named.items()
            if ids & tested
        }
    return result


def check_groups(groups, tested):
    """Refuses mixtures of another corpus.

    Arguments
    ---------
    groups : dict
        As ``read_groups`` returns it.
    tested : set of str
        The test utterances.

    Raises
    ------
    ValueError
        If an utterance is in no group.
    """
    known = set().union(*groups.get("noise", {}).values())
    if groups and tested - known:
        raise ValueError(
            f"the mixtures do not list {len(tested - known)} of {len(tested)} "
            f"test utterances, e.g. {min(tested - known)}: they are not this "
            "corpus'"
        )


def _retrieval(runs):
    """Means over seeds of the held-out token retrieval, where there is one."""
    values = {}
    for run in runs:
        for name, value in run.summary.get("valid", {}).items():
            # An ensemble has them with the member's name in front.
            if re.search(r"(retrieval_pool|_top\d+)$", name):
                values.setdefault(name, []).append(value)
    return {name: _mean(given) for name, given in values.items()}


def _mean(values):
    values = [value for value in values if value is not None]
    return float(np.mean(values)) if values else None


def _stated(name, seeds):
    """Value of an entry of ``experiment.json`` to the seeds that state it."""
    found = {}
    for seed in sorted(seeds):
        value = seeds[seed].experiment.get(name) or NOT_RECORDED
        found.setdefault(value, []).append(seed)
    return found
