"""What somebody needs to repeat or judge a comparison, as Markdown."""

import json

from cmkt_plugin.comparison import NOT_RECORDED

# Names of left-out items that are shown; the JSON beside holds all.
SHOWN_ITEMS = 5


def made(comparison, provenance):
    """How a comparison's runs and its table were made.

    Arguments
    ---------
    comparison : dict
        As ``compare`` returns it, with ``settings`` as ``RunList.settings``
        returns them.
    provenance : dict
        As ``provenance.record`` returns it, of the comparison itself.

    Returns
    -------
    str
        A list.
    """
    runs = comparison["runs"]
    lines = [f"command: `{provenance['command']}`"]
    for name, run in comparison["settings"].items():
        given = [
            f"{key} {value if isinstance(value, str) else json.dumps(value)}"
            for key, value in run["flags"].items()
        ]
        lines.append(f"{name}: `{', '.join([run['hparams'], *given])}`")
    for name in ("machine", "version", "commit", "torch", "speechbrain"):
        lines.append(f"{name}: {stated(runs, name)}")
    lines.append(f"runs made: {_period(runs)}")
    lines.append(
        f"table made: {provenance['date']}, version {provenance['version']}, "
        f"commit {provenance['commit']}, on {provenance['machine']}"
    )
    lines.append(f"runs missing: {', '.join(comparison['missing']) or 'none'}")
    lines.append(f"utterances left out: {_left_out(runs)}")
    unpaired = {
        found["unpaired"]
        for run in runs.values()
        for found in run["difference"].values()
    }
    lines.append(
        "scores without a partner in the baseline: "
        f"{max(unpaired, default=0)} at most"
    )
    return "\n".join(f"- {line}" for line in lines)


def stated(runs, name):
    """What the runs' records say, and which cells say something else.

    Arguments
    ---------
    runs : dict
        Of a comparison.
    name : str
        Entry of ``experiment.json``, e.g. ``commit``.

    Returns
    -------
    str
        The value that all cells share; else every value with the number of its
        cells, and after the most frequent one also their names.

    Example
    -------
    >>> runs = {
    ...     "plain": {"experiment": {"commit": {"2647c97": [1, 2]}}},
    ...     "cmkt": {"experiment": {"commit": {"2647c97": [1], "ab": [2]}}},
    ... }
    >>> stated(runs, "commit")
    '2647c97 (3 cells); ab (1 cell: cmkt 2)'
    """
    cells = {}
    for run, given in runs.items():
        for value, seeds in given["experiment"][name].items():
            cells.setdefault(value, []).extend(f"{run} {s}" for s in seeds)
    if len(cells) < 2:
        return "".join(cells)
    ordered = sorted(cells.items(), key=lambda item: -len(item[1]))
    parts = []
    for number, (value, named) in enumerate(ordered):
        count = f"{len(named)} cell{'s' * (len(named) > 1)}"
        names = f": {', '.join(named)}" if number else ""
        parts.append(f"{value} ({count}{names})")
    return "; ".join(parts)


def _period(runs):
    dates = sorted(
        date
        for run in runs.values()
        for date in run["experiment"]["date"]
        if date != NOT_RECORDED
    )
    return " to ".join(dates[:1] + dates[1:][-1:]) or "–"


def _left_out(runs):
    """Items without some score, counted and, as far as is short, named."""
    found = {}
    for name, run in runs.items():
        for seed, items in run["left_out"].items():
            for item, reason in items.items():
                found.setdefault((item, reason), []).append(f"{name} {seed}")
    if not found:
        return "none"
    shown = [
        f"{item} ({reason}; in {len(where)} runs)"
        for (item, reason), where in list(found.items())[:SHOWN_ITEMS]
    ]
    total = sum(len(where) for where in found.values())
    more = " ..." if len(found) > SHOWN_ITEMS else ""
    return f"{total} over all runs: {'; '.join(shown)}{more}"
