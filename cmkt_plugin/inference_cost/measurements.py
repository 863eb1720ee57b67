"""Time and memory of enhancing recordings of growing length."""

import os
from pathlib import Path

import numpy as np
import soundfile

from cmkt_plugin.scale.process import measure_alone

BLOCK = 2**20  # samples that are made at a time
SPARE = 2**30  # bytes of the memory that is free, left to others


def measure(model, lengths, threads, folder, report=print):
    """Enhances recordings in windows and in one pass, each in a new process.

    Arguments
    ---------
    model : str or pathlib.Path
        Folder of an export that ``SpectralMaskEnhancement`` loads.
    lengths : list of float
        Lengths of the recordings (s): noise, for the samples do not matter.
    threads : int
        Threads of torch.
    folder : str or pathlib.Path
        Takes up the recordings: 64 kB per second.
    report : callable
        Told what is being done.

    Returns
    -------
    dict
        ``rows``: for each length its ``seconds``, ``windows`` and
        ``one_pass``, as from ``measure_alone``; ``memory``, the limit in
        bytes for one pass; ``threads``; ``load_average`` before anything was
        measured.
    """
    folder, model = Path(folder).resolve(), str(Path(model).resolve())
    found = {
        "threads": threads,
        "load_average": os.getloadavg()[0],
        "memory": available_memory() - SPARE,
        "rows": [],
    }
    for seconds in lengths:
        source = write_noise(folder / "noise.wav", seconds)
        given = {
            "model": model,
            "source": source,
            "target": str(folder / "enhanced.wav"),
            "threads": threads,
        }
        report(f"{seconds:g} s in windows")
        row = {"seconds": seconds, "windows": _alone("in_windows", given)}
        report(f"{seconds:g} s in one pass")
        given["memory"] = found["memory"]
        row["one_pass"] = _alone("in_one_pass", given)
        found["rows"].append(row)
    return found


def _alone(part, given):
    folder = Path(given["target"]).parent
    return measure_alone(f"{__package__}.{part}", given, folder)


def available_memory():
    """Bytes of physical memory that new processes can have.

    Example
    -------
    >>> available_memory() > 2**20
    True
    """
    lines = Path("/proc/meminfo").read_text().splitlines()
    table = dict(line.split(":") for line in lines)
    return int(table["MemAvailable"].split()[0]) * 1024


def write_noise(path, seconds, sample_rate=16000):
    """Writes a recording of noise, block by block.

    Arguments
    ---------
    path : pathlib.Path
        The file to write.
    seconds : float
        Its length.
    sample_rate : int
        Its rate (Hz).

    Returns
    -------
    str
        The path.

    Example
    -------
    >>> path = write_noise(getfixture("tmp_path") / "noise.wav", 0.5)
    >>> soundfile.info(path).frames
    8000
    """
    generator = np.random.default_rng(1)
    left = round(seconds * sample_rate)
    with soundfile.SoundFile(path, "w", sample_rate, 1) as file:
        while left:
            count = min(left, BLOCK)
            file.write(generator.uniform(-0.3, 0.3, count))
            left -= count
    return str(path)
