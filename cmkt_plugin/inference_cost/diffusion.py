"""Time and memory of diffusion enhancers: sizes and numbers of steps."""

import os

from cmkt_plugin.inference_cost.diffusion_model import open_enhancer
from cmkt_plugin.markdown_table import how_it_was_made, table
from cmkt_plugin.scale.process import measure_alone

PART = f"{__package__}.diffusion_model"
TRAINING = 0  # in the place of a number of steps


def measure(backbone, sizes, steps, seconds, threads, folder, report=print):
    """Measures each size with each number of steps, and one training step.

    Arguments
    ---------
    backbone : str or pathlib.Path
        YAML file with an ``enhancer``, a diffusion enhancer.
    sizes : list of str
        Overrides of its knobs, YAML.
    steps : list of int
        Sampling steps.
    seconds : float
        Length of the audio.
    threads : int
        Threads of torch.
    folder : str or pathlib.Path
        For what is handed over.
    report : callable
        Told what is being done.

    Returns
    -------
    dict
        ``rows``: of each size its ``knobs``, ``parameters``, and ``cost``:
        number of steps (0: a training step) to ``seconds`` per second of
        audio and ``memory``, the peak of the process in bytes.

    Raises
    ------
    ValueError
        If a size is no diffusion enhancer.
    """
    for knobs in sizes:
        open_enhancer(backbone, knobs)
    rows = []
    for knobs in sizes:
        row = {"knobs": knobs, "cost": {}}
        for number in [TRAINING, *steps]:
            report(f"{knobs or 'as it is'}: N = {number}")
            given = {
                "backbone": str(backbone),
                "knobs": knobs,
                "seconds": seconds,
                "number": number,
                "threads": threads,
            }
            found = measure_alone(PART, given, folder)
            row["parameters"] = found["parameters"]
            row["cost"][number] = {
                "seconds": found["steps"]["work"]["seconds"] / seconds,
                "memory": found["peak_memory"],
            }
        rows.append(row)
    return {
        "audio": seconds,
        "threads": threads,
        "load_average": os.getloadavg()[0],
        "rows": rows,
    }


def markdown(measured, made):
    """Writes the costs as tables.

    Arguments
    ---------
    measured : dict
        From ``measure``.
    made : dict
        From ``cmkt_plugin.provenance.record``.

    Returns
    -------
    str
    """
    numbers = list(measured["rows"][0]["cost"])
    titles = ["training step" if n == TRAINING else f"N = {n}" for n in numbers]
    parts = [
        "# Time and memory of diffusion enhancers",
        f"Untrained models, {measured['audio']:g} s of noise at 16 kHz, with "
        "lips where there is a first stage, on "
        f"{measured['threads']} CPU threads, each cell a process of its own; "
        f"load average {measured['load_average']:.1f} at the end.",
        "Seconds of computation per second of audio (training step: forward "
        "and backward of one item):",
        table(["parameters", *titles], _rows(measured, numbers, _seconds)),
        "Peak memory of the process (MB):",
        table(["parameters", *titles], _rows(measured, numbers, _memory)),
        "Knobs: "
        + "; ".join(
            f"{row['parameters']:,}: `{row['knobs'] or 'as in the file'}`"
            for row in measured["rows"]
        ),
        how_it_was_made(made),
    ]
    return "\n\n".join(parts) + "\n"


def _rows(measured, numbers, cell):
    return [
        [
            f"{row['parameters']:,}",
            *(cell(row["cost"][number]) for number in numbers),
        ]
        for row in measured["rows"]
    ]


def _seconds(cost):
    return f"{cost['seconds']:.2f}"


def _memory(cost):
    return f"{cost['memory'] / 1e6:,.0f}"
