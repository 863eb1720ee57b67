"""Scores of many utterances: their means, and the table on disk."""

import csv
import io

import numpy as np

from cmkt_plugin.atomic import write_text
from cmkt_plugin.metrics import METRICS


def summarize(rows):
    """Mean of each metric over the utterances that have it.

    Arguments
    ---------
    rows : list of dict
        As `ScorePool.gather` gives them.

    Returns
    -------
    dict
        scores (metric to mean, None if no utterance has it), count (metric to
        number of utterances averaged), left_out (id to reason: utterances that
        miss at least one metric).

    Example
    -------
    >>> good = {"id": "a", "pesq": 2.0, "note": ""}
    >>> summarize([good, {"id": "b", "pesq": None, "note": "clean is silent"}])
    {'scores': {'pesq': 2.0}, 'count': {'pesq': 1},
     'left_out': {'b': 'clean is silent'}}
    """
    scores, count = {}, {}
    for metric in METRICS:
        column = [row[metric] for row in rows if metric in row]
        values = [value for value in column if value is not None]
        if column:
            scores[metric] = float(np.mean(values)) if values else None
            count[metric] = len(values)
    left_out = {row["id"]: row["note"] for row in rows if row["note"]}
    return {"scores": scores, "count": count, "left_out": left_out}


def write_csv(rows, path):
    """Write rows as CSV: id, speaker, further columns, METRICS, note.

    The file appears complete or not at all; None becomes an empty field.

    Arguments
    ---------
    rows : list of dict
        As `ScorePool.gather` gives them.
    path : str or Path
        File to write.
    """
    fixed = {"id", "speaker", *METRICS, "note"}
    further = {key: None for row in rows for key in row if key not in fixed}
    header = ["id", "speaker", *further, *METRICS, "note"]
    table = io.StringIO()
    writer = csv.DictWriter(table, header, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, table.getvalue())


def read_csv(path):
    """Read what `write_csv` wrote; metrics are floats or None, the rest text.

    Arguments
    ---------
    path : str or Path
        File to read.

    Returns
    -------
    list of dict

    Raises
    ------
    ValueError
        If the file is no table of scores; it names the missing columns.
    """
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows, header = list(reader), reader.fieldnames or []
    missing = [c for c in ("id", *METRICS, "note") if c not in header]
    if missing:
        raise ValueError(
            f"{path} is no table of scores: it lacks {missing}, has {header}."
        )
    for row in rows:
        row.update((m, float(row[m]) if row[m] else None) for m in METRICS)
    return rows
