"""What windows change as Markdown."""

from cmkt_plugin.markdown_table import how_it_was_made, table

HEADER = [
    "model",
    "one pass: SI-SDR (dB)",
    "context (s)",
    "in pieces: SI-SDR (dB)",
    "difference to one pass (dB)",
    "within 50 ms of a join (dB)",
]


def markdown(measured, seconds, made):
    """Writes what windows change as a table.

    Arguments
    ---------
    measured : dict
        Model to what ``window_error.measure`` returns.
    seconds : float
        Length of the recording (s).
    made : dict
        From ``cmkt_plugin.provenance.record``.

    Returns
    -------
    str
    """
    rows = [
        _cells(name, found, row)
        for name, found in measured.items()
        for row in [found["streamed"], *found["windows"]]
        if row
    ]
    parts = [
        "# Windows against one pass",
        f"One recording of {seconds:.0f} s, made of test recordings joined end "
        "to end: talker and noise change all the time. Windows of 10 s, with "
        "more and less context on either side; models that stream carry their "
        "state instead, unless they are told not to. The difference is the "
        "power of (result - one pass) against that of one pass, over all of "
        "it and near the joins.",
        table(HEADER, rows),
        how_it_was_made(made),
    ]
    return "\n\n".join(parts) + "\n"


def _cells(name, found, row):
    carried = row is found["streamed"]
    return [
        name,
        f"{found['one_pass']:.2f}",
        "state carried" if carried else f"{row['context']:g}",
        f"{row['si_sdr']:.2f}",
        f"{row['difference']:.1f}",
        f"{row['difference_at_joins']:.1f}",
    ]
