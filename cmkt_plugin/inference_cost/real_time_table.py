"""Streams and ONNX as Markdown."""

STREAM = (
    "| model | parameters | latency (ms) | a hop (ms) | its computation: "
    "median (ms) | 95 % (ms) | difference to one pass | peak |"
)
ONNX = (
    "| model | parameters | torch (s) | onnxruntime (s) | ratio | difference "
    "| peak |"
)


def markdown(measured, seconds, made):
    """Writes what ``real_time.measure`` found as tables.

    Arguments
    ---------
    measured : dict
        Model to what was found.
    seconds : float
        Length of the recording that was streamed (s).
    made : dict
        From ``cmkt_plugin.provenance.record``.

    Returns
    -------
    str
    """
    streams = [
        f"| {name} | {found['parameters']:,} | {row['latency_ms']:g} | "
        f"{row['hop_ms']:g} | {row['median_ms']:.2f} | {row['p95_ms']:.2f} | "
        f"{row['difference']:.1e} | {row['peak']:.2f} |"
        for name, found in measured.items()
        for row in [found.get("stream")]
        if row
    ]
    refused = [
        f"- {name}: {found[kind]}"
        for name, found in measured.items()
        for kind in ("no_stream", "no_onnx")
        if kind in found
    ]
    graphs = [
        f"| {name} | {found['parameters']:,} | {row['torch_s']:.3f} | "
        f"{row['onnxruntime_s']:.3f} | {row['ratio']:.1f} | "
        f"{row['difference']:.1e} | {row['peak']:.2f} |"
        for name, found in measured.items()
        for row in [found.get("onnx")]
        if row
    ]
    parts = [
        "# Real time and ONNX",
        "## Streams",
        f"The difference is the largest over a recording of {seconds:.0f} s, "
        "streamed 10 ms at a time; times are of 10 s of noise, pushed hop by "
        f"hop on {made['threads']} CPU threads. The latency comes without the "
        "computation of a hop.",
        _table(STREAM, streams),
        "## ONNX",
        "10 s of noise in one pass, one CPU thread each, in turn; medians. "
        "Ratio: above 1 where onnxruntime is the faster.",
        _table(ONNX, graphs),
        *(["## Refused", "\n".join(refused)] if refused else []),
        "## How it was made",
        "\n".join(f"- {key}: {value}" for key, value in made.items()),
    ]
    return "\n\n".join(parts) + "\n"


def _table(header, rows):
    return "\n".join([header, "|" + "---|" * (header.count("|") - 1), *rows])
