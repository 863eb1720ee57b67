"""The measurements as Markdown."""

from cmkt_plugin.markdown_table import how_it_was_made, table


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
    manifest, cache = measured["manifest"], measured["cache"]
    parts = [
        "# Time and memory at scale",
        "Generated names, durations and sentences; every part in a process of "
        "its own. Peak memory is that of the process, in brackets what it has "
        "above the peak of its imports.",
        _load(measured),
        f"## A manifest of {manifest['entries']:,} entries",
        f"With {manifest['noises']} noises, {manifest['rooms']} rooms and "
        "babble.",
        _steps(manifest),
        _facts({"peak memory": _memory(manifest), "file": _size(manifest)}),
        f"## The embedding cache of {cache['sentences']:,} sentences",
        "MiniLM's input embeddings, the recipes' whole words.",
        _steps(cache),
        _facts({**_filled(cache), "on disk": _size(cache)}),
        f"Its last layer, on {measured['contextual']['sentences']:,} "
        "sentences:",
        _steps(measured["contextual"]),
        _facts(_contextual(measured["contextual"], cache["sentences"])),
        "## From the start of a training to its first batch",
        "That cache exists; every utterance's audio is the same second of "
        "noise.",
        _steps(measured["first_batch"]),
        _facts({"peak memory": _memory(measured["first_batch"])}),
        how_it_was_made(made),
    ]
    return "\n\n".join(parts) + "\n"


def _load(measured):
    return (
        f"The machine's load average was {measured['load_average']:.1f} before "
        "anything was measured. As far as that is other work, the time that "
        "passed is an upper bound; processor time is nearer to what an idle "
        "core would take, without its waiting for the disk."
    )


def _steps(found):
    """Table of the steps of a process and of all of them together."""
    steps = dict(found["steps"])
    steps["total"] = {
        clock: sum(step[clock] for step in found["steps"].values())
        for clock in ("seconds", "processor")
    }
    rows = [
        [name, f"{step['seconds']:,.2f} s", f"{step['processor']:,.2f} s"]
        for name, step in steps.items()
    ]
    return table(["step", "time", "processor time"], rows)


def _filled(found):
    words = found["tokens"] / found["sentences"]
    return {
        "tokens": f"{found['tokens']:,} ({words:.1f} per sentence)",
        "rate": f"{found['rate']:,.0f} sentences/s",
        "rate by processor time": f"{found['processor_rate']:,.0f} sentences/s",
        "per token": f"{found['bytes_per_token']:.1f} bytes",
        "peak memory": _memory(found),
    }


def _contextual(found, sentences):
    hours = sentences / found["processor_rate"] / 3600
    label = f"extrapolated, not measured: {sentences:,} sentences"
    return {**_filled(found), label: f"{hours:,.2f} h of processor time"}


def _size(found):
    return f"{found['bytes'] / 1e6:,.1f} MB"


def _memory(found):
    above = found["peak_memory"] - found["import_memory"]
    return f"{found['peak_memory'] / 1e6:,.0f} MB ({above / 1e6:,.0f} MB)"


def _facts(facts):
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())
