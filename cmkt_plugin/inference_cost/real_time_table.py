"""Streams and ONNX as Markdown."""

from cmkt_plugin.markdown_table import how_it_was_made, table

STREAM = [
    "model",
    "parameters",
    "latency (ms)",
    "a hop (ms)",
    "its computation: median (ms)",
    "95 % (ms)",
    "difference to one pass",
    "peak",
]
ONNX = [
    "model",
    "parameters",
    "torch (s)",
    "onnxruntime (s)",
    "ratio",
    "difference",
    "peak",
]


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
    refused = [
        f"- {name}: {found[kind]}"
        for name, found in measured.items()
        for kind in ("no_stream", "no_onnx")
        if kind in found
    ]
    parts = [
        "# Real time and ONNX",
        "## Streams",
        f"The difference is the largest over a recording of {seconds:.0f} s, "
        "streamed 10 ms at a time; times are of 10 s of noise, pushed hop by "
        f"hop on {made['threads']} CPU threads. The latency comes without the "
        "computation of a hop.",
        table(STREAM, _rows(measured, "stream", _stream_cells)),
        "## ONNX",
        "10 s of noise in one pass, one CPU thread each, in turn; medians. "
        "Ratio: above 1 where onnxruntime is the faster.",
        table(ONNX, _rows(measured, "onnx", _onnx_cells)),
        *(["## Refused", "\n".join(refused)] if refused else []),
        how_it_was_made(made),
    ]
    return "\n\n".join(parts) + "\n"


def _rows(measured, kind, cells):
    return [
        [name, f"{found['parameters']:,}", *cells(found[kind])]
        for name, found in measured.items()
        if kind in found
    ]


def _stream_cells(row):
    return [
        f"{row['latency_ms']:g}",
        f"{row['hop_ms']:g}",
        f"{row['median_ms']:.2f}",
        f"{row['p95_ms']:.2f}",
        *_parity(row),
    ]


def _onnx_cells(row):
    return [
        f"{row['torch_s']:.3f}",
        f"{row['onnxruntime_s']:.3f}",
        f"{row['ratio']:.1f}",
        *_parity(row),
    ]


def _parity(row):
    return [f"{row['difference']:.1e}", f"{row['peak']:.2f}"]
