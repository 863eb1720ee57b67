"""What lips are worth to models, as Markdown."""

from cmkt_plugin.bootstrap import statement
from cmkt_plugin.comparison import by_group, differences, seed_statistics
from cmkt_plugin.comparison_table import TITLES, group_table, interval, spread
from cmkt_plugin.evaluation.evaluate import NOISY
from cmkt_plugin.markdown_table import how_it_was_made, table
from cmkt_plugin.shown import first_few
from cmkt_plugin.visual.lip_evaluation import METRICS, OWN

MADE = ("command", "date", "version", "commit", "machine", "torch")
READING = (
    "The difference is to the clip's own lips, paired by clip; * where zero "
    "lies outside the interval. What is lost with the lips of another clip, or "
    "without video, is what the model reads from the lips."
)


def describe(evaluations):
    """Computes everything that the table of one model shows.

    Arguments
    ---------
    evaluations : dict
        Seed to LipEvaluation of the runs of one model, of one test set.

    Returns
    -------
    dict
        ``controls`` (name to ``scores`` and ``difference`` to the own lips),
        ``groups`` by noise and level, and how the ``intervals`` were made.
        Only what JSON can hold.

    Raises
    ------
    ValueError
        If the runs were tested on different mixtures.
    """
    groups = _common_groups(evaluations)
    scores = {seed: done.scores() for seed, done in evaluations.items()}
    names = list(next(iter(scores.values())))
    seeds = {
        n: {seed: found[n] for seed, found in scores.items()} for n in names
    }
    return {
        "seeds": list(scores),
        "intervals": statement([len(scores)]),
        "controls": {
            name: {
                "scores": seed_statistics(list(runs.values())),
                "difference": {}
                if name == OWN
                else differences(runs, seeds[OWN]),
            }
            for name, runs in seeds.items()
        },
        "groups": by_group(seeds, OWN, groups),
        "failed": {
            f"{seed}: {clip}": why
            for seed, done in evaluations.items()
            for clip, why in done.failed.items()
        },
    }


def _common_groups(evaluations):
    first, *others = evaluations.values()
    if any(other.groups != first.groups for other in others):
        raise ValueError(
            f"the runs {', '.join(map(str, evaluations))} were tested on "
            "different mixtures: expected one test set for all seeds of a "
            "model (test_seed); evaluate them one by one"
        )
    tested = {row["id"] for row in first.rows[NOISY]}
    return {
        grouping: {
            group: ids & tested for group, ids in named.items() if ids & tested
        }
        for grouping, named in first.groups.items()
    }


def markdown(title, models, provenance):
    """Writes what ``describe`` found as Markdown.

    Arguments
    ---------
    title : str
        Heading.
    models : dict
        Name to what ``describe`` returns.
    provenance : dict
        As ``provenance.record`` returns it.

    Returns
    -------
    str
    """
    parts = [f"# {title}", READING]
    for name, found in models.items():
        parts += [f"## {name}", _section(found), found["intervals"]]
        for grouping, groups in found["groups"].items():
            if len(groups) > 1:
                parts += [
                    f"### By {grouping}",
                    group_table(groups, METRICS),
                ]
    made = {fact: provenance[fact] for fact in MADE}
    made["command"] = f"`{provenance['command']}`"
    for name, found in models.items():
        if found["failed"]:
            told = [f"{clip} ({why})" for clip, why in found["failed"].items()]
            made[f"not enhanced by {name}"] = first_few(told, 5, "; ")
    return "\n\n".join([*parts, how_it_was_made(made)]) + "\n"


def _section(found):
    """The table of one model."""
    header = ["what is seen", "clips", "seeds"]
    for metric in METRICS:
        header += [TITLES[metric], "difference"]
    rows = []
    for name, given in found["controls"].items():
        counts = [n for s in given["scores"].values() for n in s["count"]]
        row = [name, max(counts, default=0), len(found["seeds"])]
        for metric in METRICS:
            row.append(spread(metric, given["scores"].get(metric)))
            row.append(interval(metric, given["difference"].get(metric)))
        rows.append(row)
    return table(header, rows)
