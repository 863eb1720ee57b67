"""The difference of windows to one pass as Markdown."""


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
    header = [
        "| model | one pass: SI-SDR (dB) | context (s) | windows: SI-SDR (dB) "
        "| difference to one pass (dB) | within 50 ms of a join (dB) |",
        "|---|---|---|---|---|---|",
    ]
    lines = [
        f"| {name} | {found['one_pass']:.2f} | {row['context']:g} | "
        f"{row['si_sdr']:.2f} | {row['difference']:.1f} | "
        f"{row['difference_at_joins']:.1f} |"
        for name, found in measured.items()
        for row in found["windows"]
    ]
    parts = [
        "# Windows against one pass",
        f"One recording of {seconds:.0f} s, made of test recordings joined end "
        "to end. Windows of 10 s, with more and less context on either side. "
        "The difference is the power of (windows - one pass) against that of "
        "the enhanced recording, over all of it and near the joins.",
        "\n".join([*header, *lines]),
        "## How it was made",
        "\n".join(f"- {key}: {value}" for key, value in made.items()),
    ]
    return "\n\n".join(parts) + "\n"
