"""Models beside the noisy input: means, differences, groups, as Markdown."""

from cmkt_plugin.bootstrap import statement
from cmkt_plugin.comparison import by_group, differences, seed_statistics
from cmkt_plugin.comparison_table import TITLES, group_table, interval, number
from cmkt_plugin.evaluation.evaluate import NOISY
from cmkt_plugin.markdown_table import how_it_was_made, table
from cmkt_plugin.shown import first_few

MADE = ("command", "date", "version", "commit", "machine", "torch")


def describe(runs, groups):
    """Computes everything that the table shows.

    Arguments
    ---------
    runs : dict
        ``noisy input`` and the models' names to RunScores.
    groups : dict
        As ``mixture_groups.read_groups`` returns it.

    Returns
    -------
    dict
        ``metrics``, ``intervals`` (how they were made), ``scores`` and
        ``left_out`` by run, ``differences`` by the run that is compared with
        (the noisy input; of several models, the first), and ``groups``. Only
        what JSON can hold.
    """
    # As a run of several seeds is compared: here, each is a single one.
    seeds = {name: {1: run} for name, run in runs.items()}
    first, *others = [name for name in runs if name != NOISY]
    bases = [NOISY, first] if others else [NOISY]
    return {
        "metrics": list(runs[NOISY].scores),
        "intervals": statement([1]),
        "scores": {n: seed_statistics([run]) for n, run in runs.items()},
        "left_out": {name: run.left_out for name, run in runs.items()},
        "differences": {
            base: {
                name: differences(seeds[name], seeds[base])
                for name in runs
                if name not in (NOISY, base)
            }
            for base in bases
        },
        "groups": by_group(seeds, bases[-1], groups),
    }


def markdown(found, provenance):
    """Writes what ``describe`` found as Markdown.

    Arguments
    ---------
    found : dict
        As ``describe`` returns it, with ``models`` (name to hash).
    provenance : dict
        As ``provenance.record`` returns it.

    Returns
    -------
    str
    """
    metrics = found["metrics"]
    titles = [TITLES[metric] for metric in metrics]
    parts = [table(["", "utterances", *titles], _scores(found))]
    for base, runs in found["differences"].items():
        parts += [
            f"Difference to {_the(base)}; * where zero lies outside the "
            "interval.",
            table(["", "pairs", *titles], _differences(runs, metrics)),
        ]
    parts.append(found["intervals"])
    for grouping, groups in found["groups"].items():
        parts += [
            f"## By {grouping}",
            f"Differences are to {_the(list(found['differences'])[-1])}.",
            group_table(groups, metrics),
        ]
    made = {name: provenance[name] for name in MADE}
    made["command"] = f"`{provenance['command']}`"
    for name, digest in found["models"].items():
        made[f"weights of {name}"] = f"SHA-256 {digest}"
    for name, told in _left_out(found):
        made[f"without some score in {name}"] = told
    return "\n\n".join([*parts, how_it_was_made(made)]) + "\n"


def _scores(found):
    rows = []
    for name, scores in found["scores"].items():
        counts = {count for s in scores.values() for count in s["count"]}
        means = [number(m, scores[m]["mean"]) for m in found["metrics"]]
        rows.append([name, str(max(counts, default=0)), *means])
    return rows


def _differences(runs, metrics):
    rows = []
    for name, given in runs.items():
        pairs = max((d["count"] for d in given.values()), default=0)
        cells = [interval(metric, given.get(metric)) for metric in metrics]
        rows.append([name, str(pairs), *cells])
    return rows


def _the(base):
    return f"the {base}" if base == NOISY else f"`{base}`"


def _left_out(found):
    """Of each run, its utterances that miss a score, as far as is short."""
    for name, items in found["left_out"].items():
        if items:
            told = [f"{item} ({why})" for item, why in items.items()]
            yield name, first_few(told, 5, "; ")
