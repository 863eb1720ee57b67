"""What each run gains at each noise level, kind of noise by kind."""

from cmkt_plugin.comparison_table import GROUP_METRICS, TITLES
from cmkt_plugin.report.figures import GRID, style

GROUPING = "noise and SNR"


def draw(comparison, against, colours):
    """A panel per metric and kind of noise, a line per run.

    Arguments
    ---------
    comparison : dict
        From ``cmkt_plugin.report.scores.summarise``.
    against : str
        ``benefit`` (over the noisy input) or ``difference`` (to the
        baseline).
    colours : dict
        Run name to colour.

    Returns
    -------
    matplotlib.figure.Figure or None
        None if nothing is known about the mixtures, or there is nothing to
        compare.
    """
    from matplotlib.figure import Figure

    points = gains(comparison, against)
    if not points:
        return None
    metrics = list(dict.fromkeys(metric for metric, _ in points))
    kinds = list(dict.fromkeys(kind for _, kind in points))
    with style():
        size = (max(4.5, 3.4 * len(kinds)), 1.9 * len(metrics) + 0.6)
        figure = Figure(size, layout="constrained")
        axes = figure.subplots(
            len(metrics), len(kinds), squeeze=False, sharex="col", sharey="row"
        )
        for row, metric in zip(axes, metrics):
            row[0].set_ylabel(f"gain in {TITLES[metric]}")
            for panel, kind in zip(row, kinds):
                _draw_panel(panel, points.get((metric, kind), {}), colours)
        for panel, kind in zip(axes[0], kinds):
            panel.set_title(kind)
        for panel in axes[-1]:
            panel.set_xlabel("SNR of the input")
        handles = {}
        for panel in axes.flatten():
            lines, labels = panel.get_legend_handles_labels()
            handles.update(zip(labels, lines))
        figure.legend(
            handles.values(),
            handles.keys(),
            loc="outside upper left",
            ncols=6,
            frameon=False,
        )
    return figure


def gains(comparison, against):
    """The figures that are drawn.

    Arguments
    ---------
    comparison : dict
        From ``cmkt_plugin.report.scores.summarise``.
    against : str
        ``benefit`` or ``difference``.

    Returns
    -------
    dict
        (metric, kind of noise) to run name to level to ``paired_interval``'s
        result.
    """
    found = {}
    for group, given in comparison["groups"].get(GROUPING, {}).items():
        kind, _, level = group.rpartition(", ")
        for name, run in given["runs"].items():
            for metric in GROUP_METRICS:
                if metric in run[against]:
                    panel = found.setdefault((metric, kind), {})
                    panel.setdefault(name, {})[level] = run[against][metric]
    # Row by row as the metrics are listed, whichever group came first.
    order = sorted(found, key=lambda key: GROUP_METRICS.index(key[0]))
    return {key: found[key] for key in order}


def _draw_panel(panel, runs, colours):
    panel.axhline(0, color="black", linewidth=0.8, zorder=1)
    levels = list(
        dict.fromkeys(level for run in runs.values() for level in run)
    )
    for place, (name, given) in enumerate(runs.items()):
        # Side by side, or the intervals would hide each other.
        aside = 0.12 * (place - (len(runs) - 1) / 2)
        at = [levels.index(level) + aside for level in given]
        means = [found["mean"] for found in given.values()]
        bars = [
            [found["mean"] - _end(found, "low") for found in given.values()],
            [_end(found, "high") - found["mean"] for found in given.values()],
        ]
        panel.errorbar(
            at,
            means,
            bars,
            fmt="o-",
            color=colours[name],
            label=name,
            markersize=3.5,
            linewidth=1,
            capsize=2,
        )
    panel.set_xticks(range(len(levels)), levels)
    panel.set_xlim(-0.5, len(levels) - 0.5)
    panel.grid(axis="y", color=GRID, linewidth=0.6)


def _end(found, name):
    """An end of the interval; of a single speaker there is none."""
    return found["mean"] if found[name] is None else found[name]
