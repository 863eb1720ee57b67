"""Measures something in a process of its own: time to start, peak memory.

What is measured is a module with a function ``measure``, so that the process
imports what this module needs and nothing else. It returns a dict with
``steps``, as ``Stopwatch`` takes them.
"""

import importlib
import json
import subprocess
import sys
import time
from pathlib import Path

LOG_TAIL = 5  # lines of a failed process that are shown


def measure_alone(module, settings, folder):
    """Runs a module's ``measure`` in a new process.

    Arguments
    ---------
    module : str
        Name of the module.
    settings : dict
        Arguments of ``measure``; what JSON can hold.
    folder : str or pathlib.Path
        Where the result is handed over.

    Returns
    -------
    dict
        What ``measure`` returns, its ``steps`` led by the one from the start
        of the process until all is imported; ``import_memory`` and
        ``peak_memory``: the peak until then and the peak of all (bytes).

    Raises
    ------
    RuntimeError
        If the process fails; with the end of what it said.
    """
    result = Path(folder, "measured.json")
    given = (module, json.dumps(settings), str(result), str(time.time()))
    done = subprocess.run(
        [sys.executable, "-m", __name__, *given],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-LOG_TAIL:])
        raise RuntimeError(f"measuring {module} failed:\n{tail}")
    return json.loads(result.read_text(encoding="utf-8"))


def peak_memory():
    """Most physical memory that this process has had, in bytes.

    Memory-mapped files count as far as they were read.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If the system is not Linux.

    Example
    -------
    >>> peak_memory() > 2**20
    True
    """
    # Not getrusage: its maximum outlives exec, so that a process starts with
    # the one of its parent, which may be larger than all that is its own.
    try:
        status = Path("/proc/self/status").read_text()
    except OSError as error:
        raise ValueError(
            "peak memory is read from /proc/self/status, which is not there: "
            "measure on Linux"
        ) from error
    kilobytes = status.split("VmHWM:")[1].split()[0]
    return int(kilobytes) * 1024


def _main(module, settings, result, started):
    measured = importlib.import_module(module).measure
    imported = {
        "seconds": time.time() - float(started),
        "processor": time.process_time(),
    }
    memory = peak_memory()
    found = measured(**json.loads(settings))
    found["steps"] = {"start, imports": imported, **found["steps"]}
    found.update(import_memory=memory, peak_memory=peak_memory())
    Path(result).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    _main(*sys.argv[1:])
