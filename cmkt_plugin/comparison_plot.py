"""The comparison as a picture: what each run gains over the baseline."""

import io
import textwrap
from pathlib import Path

from cmkt_plugin.atomic import write_bytes
from cmkt_plugin.comparison_table import (
    GROUP_METRICS,
    TITLES,
    number,
    unpaired_because,
)
from cmkt_plugin.matplotlib_check import check_matplotlib

FORMATS = (".png", ".svg")
WIDTH = 8.3  # inches; with DPI about twice README's width in pixels
PANEL_HEIGHT = 1.75
DPI = 200
# Okabe and Ito's palette: told apart with every kind of colour vision.
BETTER, WORSE, OPEN = "#0072B2", "#D55E00", "#4D4D4D"
EMPTY = "#EEEEEE"


def write_plot(comparison, path):
    """Draws a comparison and writes the picture, whole or not at all.

    The same comparison gives the same bytes with one version of matplotlib.

    Arguments
    ---------
    comparison : dict
        As ``comparison.compare`` returns it.
    path : str or pathlib.Path
        A file that ends in ``.png`` or ``.svg``.

    Raises
    ------
    ImportError
        If matplotlib is not installed; says how to install it.
    ValueError
        If the file is of another kind, or there is nothing to draw.
    """
    check_plot(path)
    kind = Path(path).suffix[1:]
    # Neither the version of matplotlib nor a date in the file.
    metadata = {"png": {"Software": None}, "svg": {"Date": None}}[kind]
    content = io.BytesIO()
    with _style():
        draw(comparison).savefig(
            content, format=kind, dpi=DPI, metadata=metadata
        )
    write_bytes(path, content.getvalue())


def check_plot(path):
    """Refuses early what `write_plot` could not write.

    Arguments
    ---------
    path : str or pathlib.Path
        The file to be.

    Raises
    ------
    ImportError
        If matplotlib is not installed; says how to install it.
    ValueError
        If the file is neither PNG nor SVG.
    """
    if Path(path).suffix not in FORMATS:
        raise ValueError(
            f"the plot {path} is of no known kind: expected a name that ends "
            f"in {' or '.join(FORMATS)}"
        )
    check_matplotlib("a plot")


def draw(comparison):
    """A panel per metric, a point with its interval per run.

    Arguments
    ---------
    comparison : dict
        As ``comparison.compare`` returns it.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is no run but the baseline, or none of the metrics.
    """
    from matplotlib.figure import Figure

    base = comparison["baseline"]
    runs = {n: r for n, r in comparison["runs"].items() if n != base}
    metrics = [m for m in GROUP_METRICS if m in comparison["metrics"]]
    if not runs or not metrics:
        raise ValueError(
            f"nothing to draw: expected a run besides the baseline {base!r} "
            f"and one of {', '.join(GROUP_METRICS)}; found "
            f"{', '.join(runs) or 'no run'} and "
            f"{', '.join(comparison['metrics']) or 'no metric'}"
        )
    height = PANEL_HEIGHT * len(metrics) + 1.3
    figure = Figure((WIDTH, height), layout="constrained")
    axes = figure.subplots(len(metrics), sharex=True, squeeze=False)[:, 0]
    for panel, metric in zip(axes, metrics):
        found = [run["difference"].get(metric) for run in runs.values()]
        _draw_panel(panel, found)
        _label_empty_slots(panel, runs.values(), found)
        scored = comparison["runs"][base]["scores"].get(metric, {})
        panel.set_ylabel(
            f"{TITLES[metric]}\n({base}: {number(metric, scored.get('mean'))})"
        )
    figure.align_ylabels(axes)
    _name_runs(axes[-1], runs)
    figure.suptitle(f"Benefit over {base}", fontsize=10)
    figure.supxlabel(_note(comparison), fontsize=7, color=OPEN)
    return figure


def _draw_panel(panel, found):
    """Points and error bars of one metric; what is None stays empty."""
    panel.axhline(0, color="black", linewidth=0.8, zorder=1)
    for place, given in enumerate(found):
        if given is None:
            continue
        colour, filled = OPEN, "white"
        if given["significant"]:
            colour = filled = BETTER if given["mean"] > 0 else WORSE
        bar = None
        if given["low"] is not None:
            below = given["mean"] - given["low"]
            bar = [[below], [given["high"] - given["mean"]]]
        panel.errorbar(
            [place],
            [given["mean"]],
            bar,
            fmt="o",
            color=colour,
            markerfacecolor=filled,
            capsize=3,
        )
    panel.grid(axis="y", color="#DDDDDD", linewidth=0.6)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(axis="x", length=0)
    panel.set_xlim(-0.5, len(found) - 0.5)


def _label_empty_slots(panel, runs, found):
    for place, (run, given) in enumerate(zip(runs, found)):
        if given is None:
            panel.axvspan(place - 0.4, place + 0.4, color=EMPTY, zorder=0)
            panel.text(
                place,
                0.5,
                textwrap.fill(unpaired_because(run), 8),
                transform=panel.get_xaxis_transform(),
                ha="center",
                va="center",
                color=OPEN,
                # Hides the zero line, which would strike it out.
                bbox={"facecolor": EMPTY, "edgecolor": EMPTY, "pad": 1},
            )


def _name_runs(panel, runs):
    """Names below the lowest panel, with the number of seeds of each."""
    # What fits side by side at this font's size, in characters.
    room = max(6, int(115 / len(runs)))
    labels = []
    for name, run in runs.items():
        # A line may end after an underscore: nothing of the name is lost.
        parts = name.replace("_", "_ ").replace("-", "- ")
        lines = textwrap.wrap(parts, room, break_on_hyphens=False)
        shown = [line.replace("_ ", "_").replace("- ", "-") for line in lines]
        labels.append("\n".join([*shown, textwrap.fill(_seeds(run), room)]))
    panel.set_xticks(range(len(runs)), labels)


def _seeds(run):
    """Seeds that the point rests on, of those that the list asks for."""
    paired = [found["seeds"] for found in run["difference"].values()]
    done = max(paired, default=0)
    planned = len(run["seeds"]) + len(run["not_run"])
    noun = "seed" if planned == 1 else "seeds"
    return f"{'' if done == planned else f'{done} of '}{planned} {noun}"


def _note(comparison):
    lines = (
        "Filled: zero lies outside the interval (blue above, orange below). "
        + comparison["intervals"]
    )
    return textwrap.fill(lines, 130)


def _style():
    """Matplotlib's own defaults, whatever the user's settings say."""
    from matplotlib import style

    # Without the salt, ids inside an SVG would be random.
    changed = {"font.size": 8.5, "svg.hashsalt": "cmkt"}
    return style.context(["default", changed])
