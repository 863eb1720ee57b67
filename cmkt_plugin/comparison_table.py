"""The comparison as Markdown."""

from cmkt_plugin.comparison_record import made
from cmkt_plugin.markdown_table import table

TITLES = {
    "pesq": "PESQ",
    "stoi": "STOI",
    "estoi": "ESTOI",
    "si_sdr": "SI-SDR (dB)",
    "csig": "CSIG",
    "cbak": "CBAK",
    "covl": "COVL",
}
DIGITS = {"stoi": 4, "estoi": 4, "si_sdr": 2}
# Within groups all metrics would make tables too wide to read.
GROUP_METRICS = ("pesq", "estoi", "si_sdr")
NOT_RUN = "not run"


def markdown(comparison, title, provenance):
    """Writes a comparison as Markdown.

    Arguments
    ---------
    comparison : dict
        As ``compare`` returns it, with ``settings`` as ``RunList.settings``
        returns them.
    title : str
        Heading.
    provenance : dict
        As ``provenance.record`` returns it, of the comparison itself.

    Returns
    -------
    str
    """
    metrics = comparison["metrics"]
    base = comparison["baseline"]
    parts = [
        f"# {title}",
        "Mean over seeds ± standard deviation between seeds.",
        table(*_scores(comparison, metrics)),
    ]
    if any(run["difference"] for run in comparison["runs"].values()):
        parts += [
            f"Difference to `{base}`; * where zero lies outside the interval.",
            table(*_differences(comparison["runs"], metrics, base)),
            comparison["intervals"],
        ]
    parts += _retrieval(comparison)
    waiting = [n for n, run in comparison["runs"].items() if not run["seeds"]]
    for grouping, groups in comparison["groups"].items():
        parts += [f"## By {grouping}", group_table(groups, metrics)]
        if waiting:
            parts.append(f"Without those {NOT_RUN}: {', '.join(waiting)}.")
    parts += ["## How it was made", made(comparison, provenance)]
    return "\n\n".join(parts) + "\n"


def _scores(comparison, metrics):
    """The table of all runs: header and rows."""
    header = ["run", "seeds", *(TITLES.get(m, m) for m in metrics)]
    header += ["parameters", "epochs", "minutes per run"]
    noisy = [number(m, comparison["noisy"].get(m)) for m in metrics]
    rows = [["noisy input", "–", *noisy, "–", "–", "–"]]
    for name, run in comparison["runs"].items():
        rows.append(
            [
                name,
                _seeds(run),
                *(spread(m, run["scores"].get(m)) for m in metrics),
                _whole(run["parameters"]),
                _whole(run["epochs"]),
                number("minutes", run["minutes"], digits=1),
            ]
        )
    return header, rows


def _differences(runs, metrics, baseline):
    """The table of differences: header and rows."""
    header = ["run", "seeds", "pairs", *(TITLES.get(m, m) for m in metrics)]
    rows = []
    for name, run in runs.items():
        given = run["difference"]
        seeds = pairs = 0
        if given:
            seeds = max(found["seeds"] for found in given.values())
            pairs = max(found["count"] for found in given.values())
        if name != baseline:
            cells = [interval(m, given.get(m)) for m in metrics]
            shown = str(seeds) if seeds else unpaired_because(run)
            rows.append([name, shown, str(pairs or "–"), *cells])
    return header, rows


def unpaired_because(run):
    """Why a run has no difference to the baseline.

    Arguments
    ---------
    run : dict
        From ``comparison.describe_run``.

    Returns
    -------
    str

    Example
    -------
    >>> unpaired_because({"seeds": []}), unpaired_because({"seeds": [2]})
    ('not run', 'none in common')
    """
    return "none in common" if run["seeds"] else NOT_RUN


def _seeds(run):
    """Seeds that a run has, and in brackets those that it is to have."""
    done = ", ".join(map(str, run["seeds"]))
    if not done:
        return NOT_RUN
    missing = ", ".join(map(str, run["not_run"]))
    return f"{done} ({missing} {NOT_RUN})" if missing else done


def _pools(run):
    """Number of distinct tokens, of an ensemble one for each member."""
    pools = [n for name, n in run.items() if name.endswith("retrieval_pool")]
    return ", ".join(map(_whole, pools)) or _whole(None)


def _retrieval(comparison):
    """Held-out token retrieval of the runs that have one, in per cent."""
    base = comparison["baseline"]
    runs = {
        name: run["retrieval"]
        for name, run in comparison["runs"].items()
        # The baseline has no tokens: nothing of it is still to come.
        if run["retrieval"] or not (run["seeds"] or name == base)
    }
    names = list(dict.fromkeys(name for run in runs.values() for name in run))
    parts = [name for name in names if not name.endswith("_pool")]
    # What is claimed before what it is to be compared with.
    parts.sort(key=lambda name: "retrieval" not in name)
    if not parts:
        return []
    header = ["run", "distinct tokens"]
    header += [f"{name.replace('_top', ' top-')} (%)" for name in parts]
    rows = [
        [name, _pools(run) if run else NOT_RUN]
        + [_percent(run.get(part)) for part in parts]
        for name, run in runs.items()
    ]
    return [
        "## Held-out token retrieval",
        "Does a predicted embedding of a validation utterance pick its own "
        "token among the distinct ones; beside it with the latents rolled by "
        "one utterance, and by the tokens' frequency alone.",
        table(header, rows),
    ]


def group_table(groups, metrics):
    """One table for a grouping: a row per group and run.

    Arguments
    ---------
    groups : dict
        Of one grouping, as ``comparison.by_group`` returns it.
    metrics : list of str
        Those that are known; the most telling ones are shown.

    Returns
    -------
    str
    """
    metrics = [m for m in GROUP_METRICS if m in metrics] or metrics
    header = ["group", "utterances", "run"]
    for metric in metrics:
        header += [TITLES.get(metric, metric), "difference"]
    rows = []
    for group, given in groups.items():
        first = [group, str(given["utterances"])]
        if given["noisy"]:
            rows.append([*first, "noisy input"])
            for m in metrics:
                rows[-1] += [number(m, given["noisy"].get(m)), "–"]
        for name, run in given["runs"].items():
            rows.append([*first, name])
            for m in metrics:
                rows[-1].append(spread(m, run["scores"].get(m)))
                rows[-1].append(interval(m, run["difference"].get(m)))
    return table(header, rows)


def number(metric, value, sign="", digits=None):
    """A figure with the digits of its metric; a dash for None.

    Example
    -------
    >>> number("pesq", 1.5), number("si_sdr", -1.234), number("stoi", None)
    ('1.500', '−1.23', '–')
    """
    if value is None:
        return "–"
    digits = DIGITS.get(metric, 3) if digits is None else digits
    return f"{value:{sign}.{digits}f}".replace("-", "−")


def spread(metric, found):
    """Mean and standard deviation between seeds, where there are several.

    Example
    -------
    >>> spread("pesq", {"mean": 1.5, "spread": 0.01})
    '1.500 ± 0.010'
    """
    if found is None or found["mean"] is None:
        return "–"
    if found["spread"] is None:
        return number(metric, found["mean"])
    return (
        f"{number(metric, found['mean'])} ± {number(metric, found['spread'])}"
    )


def interval(metric, found):
    """A difference with its interval, starred if zero lies outside.

    Example
    -------
    >>> found = {"mean": 0.5, "low": 0.25, "high": 0.75, "significant": True}
    >>> interval("pesq", found)
    '+0.500 [+0.250, +0.750] *'
    """
    if found is None:
        return "–"
    mean = number(metric, found["mean"], "+")
    if found["low"] is None:
        return f"{mean} (one speaker)"
    low, high = (number(metric, found[end], "+") for end in ("low", "high"))
    return f"{mean} [{low}, {high}]" + (" *" if found["significant"] else "")


def _whole(value):
    return "–" if value is None else f"{value:,.0f}"


def _percent(value):
    return "–" if value is None else f"{100 * value:.1f}"
