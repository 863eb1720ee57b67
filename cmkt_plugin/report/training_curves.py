"""Training curves: what SpeechBrain's FileTrainLogger wrote, as a picture."""

import math
import re

import numpy as np
from speechbrain.utils.logger import get_logger

from cmkt_plugin.comparison_table import TITLES
from cmkt_plugin.report.figures import GRID, style

logger = get_logger(__name__)
# Own latents, those of another utterance, no acoustics at all.
RETRIEVAL = {"retrieval": "-", "rolled": "--", "frequency": ":"}
HIT = re.compile(r"^(.*?)(retrieval|rolled|frequency)_(top\d+)$")
COLUMNS = 3


def read_log(path):
    """Reads a train_log.txt.

    Arguments
    ---------
    path : pathlib.Path
        The file; a missing one has no epochs.

    Returns
    -------
    dict
        Epoch to (name to number), such as ``lr``, ``train loss`` and ``valid
        pesq``. Of an epoch that was trained again after an interruption the
        last line counts. What is no finite number is not in it; a line
        without number of the epoch is skipped, with a warning.

    Example
    -------
    >>> path = getfixture("tmp_path") / "train_log.txt"
    >>> _ = path.write_text(
    ...     "epoch: 1, lr: 1.00e-03 - train loss: 2.0 - valid pesq: None\\n"
    ... )
    >>> read_log(path)
    {1: {'lr': 0.001, 'train loss': 2.0}}
    """
    if not path.is_file():
        return {}
    epochs = {}
    # A killed process may leave half a line: a number cut short is wrong.
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        if not (line.startswith("epoch: ") and line.endswith("\n")):
            continue
        pairs = re.split(r", | - ", line.strip())
        values = dict(p.rsplit(": ", 1) for p in pairs if ": " in p)
        epoch = values.pop("epoch", "")
        if not epoch.isdecimal():
            logger.warning(
                f"{path}: line {number} is skipped: the epoch is {epoch!r}, "
                "expected a number"
            )
            continue
        epoch = int(epoch)
        numbers = {name: _number(value) for name, value in values.items()}
        epochs.pop(epoch, None)
        epochs[epoch] = {n: v for n, v in numbers.items() if v is not None}
    return dict(sorted(epochs.items()))


def _number(text):
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def panels(logs):
    """What to draw, panel by panel.

    Arguments
    ---------
    logs : list of dict
        As ``read_log`` gives them.

    Returns
    -------
    dict
        Title to (entry of the log to line style): the learning rate, each
        loss term (training and validation together), each score, each depth
        of the retrieval.
    """
    names = dict.fromkeys(n for log in logs for e in log.values() for n in e)
    found = {}
    for name in names:
        stage, _, term = name.rpartition(" ")
        hit = HIT.match(term)
        if hit:
            title = f"{hit[1]}token retrieval, {hit[3].replace('top', 'top-')}"
            # Last, and what is claimed beside what it is compared with.
            found.setdefault((3, title), {})[name] = RETRIEVAL[hit[2]]
        elif name == "lr":
            found[(0, "learning rate")] = {name: "-"}
        elif term in TITLES:
            found[(2, f"validation {TITLES[term]}")] = {name: "-"}
        elif not term.endswith("retrieval_pool"):
            line = "--" if stage == "valid" else "-"
            title = "loss (weighted sum)" if term == "loss" else f"loss: {term}"
            found.setdefault((1, title), {})[name] = line
    ranked = sorted(found, key=lambda key: key[0])
    return {key[1]: found[key] for key in ranked}


def draw(logs, colours):
    """Small multiples of everything that was logged.

    Arguments
    ---------
    logs : dict
        Run name to list of logs, one per seed.
    colours : dict
        Run name to colour.

    Returns
    -------
    matplotlib.figure.Figure or None
        A line is the mean over the seeds that reached the epoch, the band
        their range. None if nothing was logged.
    """
    from matplotlib.figure import Figure

    shown = panels([log for seeds in logs.values() for log in seeds])
    if not shown:
        return None
    rows = math.ceil(len(shown) / COLUMNS)
    with style():
        figure = Figure((9.5, 2.1 * rows + 0.6), layout="constrained")
        axes = figure.subplots(rows, COLUMNS, squeeze=False).flatten()
        for panel, (title, lines) in zip(axes, shown.items()):
            _draw_panel(panel, title, lines, logs, colours)
        for panel in axes[len(shown) :]:
            panel.axis("off")
        for panel in axes[max(0, len(shown) - COLUMNS) : len(shown)]:
            panel.set_xlabel("epoch")
        _legend(figure, shown, logs, colours)
    return figure


def _draw_panel(panel, title, lines, logs, colours):
    per_cent = "retrieval" in title
    drawn = {}
    for entry, line in lines.items():
        for name, seeds in logs.items():
            epochs, values = series(seeds, entry)
            if not epochs:
                continue
            values = [
                np.multiply(row, 100 if per_cent else 1) for row in values
            ]
            means = [float(np.mean(row)) for row in values]
            # One epoch alone would be a line without length.
            marker = "." if len(epochs) == 1 else None
            # Runs with the same text have the same frequencies.
            colour = colours[name]
            if "frequency" in entry and means == drawn.setdefault(entry, means):
                colour = "black"
            panel.plot(
                epochs, means, line, color=colour, marker=marker, linewidth=1.3
            )
            if not per_cent:
                low, high = [min(r) for r in values], [max(r) for r in values]
                panel.fill_between(
                    epochs, low, high, color=colour, alpha=0.18, linewidth=0
                )
    panel.set_title(title, loc="left")
    panel.set_ylabel("% of tokens" if per_cent else "")
    panel.xaxis.get_major_locator().set_params(integer=True)
    panel.grid(axis="y", color=GRID, linewidth=0.6)
    panel.margins(x=0.02)


def series(seeds, entry):
    """The course of one entry over the epochs.

    Arguments
    ---------
    seeds : list of dict
        Logs of one run.
    entry : str
        Such as ``train loss``.

    Returns
    -------
    epochs : list of int
    values : list of list of float
        Of each epoch, the values of the seeds that have one.

    Example
    -------
    >>> series([{1: {"lr": 3.0}, 2: {"lr": 2.0}}, {1: {"lr": 1.0}}], "lr")
    ([1, 2], [[3.0, 1.0], [2.0]])
    """
    found = {}
    for log in seeds:
        for epoch, values in log.items():
            if entry in values:
                found.setdefault(epoch, []).append(values[entry])
    return sorted(found), [found[epoch] for epoch in sorted(found)]


def _legend(figure, shown, logs, colours):
    """One legend for all: colours are runs, line styles what was measured."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=colours[n], label=n) for n in logs]
    kinds = {"training": "-", "validation": "--"}
    if any("retrieval" in title for title in shown):
        kinds = {
            "training / retrieval": "-",
            "validation / other utterance's latents": "--",
            "by frequency alone": ":",
        }
    handles += [
        Line2D([], [], color="black", linestyle=line, label=label)
        for label, line in kinds.items()
    ]
    figure.legend(
        handles=handles,
        loc="outside upper left",
        ncols=min(len(handles), 6),
        frameon=False,
    )
