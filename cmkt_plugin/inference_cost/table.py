"""Time and memory as Markdown."""

from cmkt_plugin.markdown_table import how_it_was_made, table

HEADER = [
    "audio (s)",
    "windows: time (s)",
    "× real time",
    "peak memory (MB)",
    "one pass: time (s)",
    "× real time",
    "peak memory (MB)",
]


def markdown(measured, made):
    """Writes time and memory as a table.

    Arguments
    ---------
    measured : dict
        From ``measurements.measure``, with ``parameters`` of the model.
    made : dict
        From ``cmkt_plugin.provenance.record``.

    Returns
    -------
    str
    """
    rows = [
        [
            f"{row['seconds']:,g}",
            *_cells(row, "windows"),
            *_cells(row, "one_pass"),
        ]
        for row in measured["rows"]
    ]
    parts = [
        "# Time and memory of enhancing a recording",
        f"A model of {measured['parameters']:,} parameters on "
        f"{measured['threads']} CPU threads; recordings of 16 kHz, one "
        "channel. Each row is two processes: this package's windows, and "
        "SpeechBrain's own interface, which takes the recording in one pass. "
        "Times real time: seconds of audio in a second, without loading the "
        "model; peak memory is that of the whole process.",
        "One pass was allowed "
        f"{measured['memory'] / 1e9:.1f} GB, what the machine had free. Its "
        f"load average was {measured['load_average']:.1f} before anything was "
        "measured: as far as that is other work, times are upper bounds.",
        table(HEADER, rows),
        how_it_was_made(made),
    ]
    return "\n\n".join(parts) + "\n"


def _cells(row, way):
    """Time, times real time, peak memory."""
    found = row[way]
    memory = f"{found['peak_memory'] / 1e6:,.0f}"
    if found.get("out_of_memory"):
        return ["out of memory", "–", f"{memory} when it failed"]
    taken = found["steps"]["enhanced"]["seconds"]
    return [f"{taken:,.1f}", f"{row['seconds'] / taken:,.0f}", memory]
