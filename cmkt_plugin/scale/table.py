"""The measurements as Markdown."""


def markdown(measured, made):
    """Writes the measurements as tables.

    Arguments
    ---------
    measured : dict
        From ``measurements.measure``.
    made : dict
        From ``cmkt_plugin.provenance.record``.

    Returns
    -------
    str
    """
    steps = measured["first_batch"]["steps"]
    started = measured["first_batch"]["import_seconds"]
    parts = [
        "# Time and memory at scale",
        "Generated names, durations and sentences; every part in a process of "
        "its own. Peak memory is that of the process, in brackets what it has "
        "above the peak of its imports; processor time likewise what comes "
        "after them.",
        f"## A manifest of {measured['manifest']['entries']:,} entries",
        _table(_manifest(measured["manifest"])),
        "## The embedding cache",
        "MiniLM's input embeddings, the recipes' whole words.",
        _table(_cache(measured["cache"])),
        "Its last layer, on fewer sentences:",
        _table(_contextual(measured["contextual"], measured["cache"])),
        "## From the start of the process to the first batch",
        f"With the cache of {measured['cache']['sentences']:,} sentences; "
        "every utterance's audio is the same second of noise.",
        _table(
            [("start, imports", _seconds(started))]
            + [(name, _seconds(taken)) for name, taken in steps.items()]
            + [("total", _seconds(started + sum(steps.values())))]
            + _process(measured["first_batch"])
        ),
        "## How it was made",
        _load(measured),
        "\n".join(f"- {key}: {value}" for key, value in made.items()),
    ]
    return "\n\n".join(parts) + "\n"


def _manifest(found):
    return [
        ("start, imports", _seconds(found["import_seconds"])),
        (
            f"annotation read, mixtures drawn from {found['noises']} noises, "
            f"{found['rooms']} rooms and babble, manifest written",
            _seconds(found["seconds"]),
        ),
        *_process(found),
        ("file", f"{found['bytes'] / 1e6:,.1f} MB"),
    ]


def _cache(found):
    words = found["tokens"] / found["sentences"]
    return [
        ("sentences", f"{found['sentences']:,}"),
        ("tokens", f"{found['tokens']:,} ({words:.1f} per sentence)"),
        ("start, imports", _seconds(found["import_seconds"])),
        ("language model loaded", _seconds(found["load_seconds"])),
        ("embedded and written", _seconds(found["seconds"])),
        ("rate", f"{found['rate']:,.0f} sentences/s"),
        ("on disk", f"{found['bytes'] / 1e6:,.1f} MB"),
        ("per token", f"{found['bytes_per_token']:.1f} bytes"),
        *_process(found),
    ]


def _contextual(found, cache):
    minutes = cache["sentences"] / found["rate"] / 60
    return [
        ("sentences", f"{found['sentences']:,}"),
        ("rate", f"{found['rate']:,.1f} sentences/s"),
        ("per token", f"{found['bytes_per_token']:.1f} bytes"),
        *_process(found),
        (
            f"extrapolated, not measured: {cache['sentences']:,} sentences",
            f"{minutes:,.1f} min",
        ),
    ]


def _load(measured):
    return (
        f"The machine's load average was {measured['load_average']:.1f} before "
        "anything was measured. As far as that is other work, times and rates "
        "are bounds that an idle machine betters."
    )


def _seconds(value):
    return f"{value:,.2f} s"


def _process(found):
    """Rows that say what the process as a whole took."""
    time = found["processor"] - found["import_processor"]
    memory = found["peak_memory"] - found["import_memory"]
    return [
        ("processor time", f"{found['processor']:,.2f} s ({time:,.2f} s)"),
        (
            "peak memory",
            f"{found['peak_memory'] / 1e6:,.0f} MB ({memory / 1e6:,.0f} MB)",
        ),
    ]


def _table(rows):
    lines = [f"| {name} | {value} |" for name, value in rows]
    return "\n".join(["| | |", "|---|---|", *lines])
