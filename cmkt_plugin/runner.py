"""Runs the missing cells of a list of runs, each a real ``train.py``."""

import json
import os
import signal
import threading
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field

from speechbrain.utils.parallel import get_available_cpu_count

from cmkt_plugin.run_process import RunProcess, acquire_lock

POLL_SECONDS = 0.1


@dataclass
class Outcome:
    """What happened to the cells.

    Arguments
    ---------
    finished : list of Cell
        Run to completion now.
    failed : dict
        Cell to the last lines of its log.
    elsewhere : list of Cell
        Being run by another process: neither touched nor complete.
    """

    finished: list = field(default_factory=list)
    failed: dict = field(default_factory=dict)
    elsewhere: list = field(default_factory=list)


def run_missing(run_list, jobs=1, report=print):
    """Runs the cells that have no summary yet.

    A run that was stopped goes on from its last checkpoint, because the recipe
    does so itself when it is started again with the same output folder.

    Arguments
    ---------
    run_list : RunList
        As ``load_runs`` returns it.
    jobs : int
        Processes at a time; each gets its share of the cores.
    report : callable
        Takes one line of text per event.

    Returns
    -------
    Outcome

    Raises
    ------
    ValueError
        If a complete cell was made with other settings than the list's.
    """
    if jobs < 1:
        raise ValueError(f"jobs must be at least 1, got {jobs}")
    for cell in run_list.cells:
        check_settings(cell)
    waiting = deque(cell for cell in run_list.cells if not cell.complete)
    total, outcome, running = len(waiting), Outcome(), []
    threads = max(1, get_available_cpu_count() // max(1, min(jobs, total)))
    report(f"{total} of {len(run_list.cells)} runs to do, {jobs} at a time")
    try:
        with _stopped_like_interrupt():
            while waiting or running:
                while waiting and len(running) < jobs:
                    cell = waiting.popleft()
                    _start(cell, run_list.recipe, threads, running, outcome)
                time.sleep(POLL_SECONDS)
                for process in [p for p in running if p.ended()]:
                    running.remove(process)
                    process.close(outcome)
                    done = len(outcome.finished) + len(outcome.failed)
                    report(f"[{done}/{total}] {process.describe()}")
    finally:
        for process in running:
            process.stop()
    return outcome


def _start(cell, recipe, threads, running, outcome):
    """Starts a cell unless another runner has it or has just finished it."""
    lock = acquire_lock(cell.beside(".lock"))
    if lock is None:
        outcome.elsewhere.append(cell)
    elif cell.complete:
        os.close(lock)
    else:
        running.append(RunProcess(cell, recipe, threads, lock))


def check_settings(cell):
    """Refuses a finished run that was made with other settings.

    Arguments
    ---------
    cell : Cell
        What the list says now.

    Raises
    ------
    ValueError
        Names what differs and the ways out.
    """
    record = cell.beside(".settings.json")
    if not cell.complete or not record.is_file():
        return
    made, listed = json.loads(record.read_text("utf-8")), cell.settings()
    old = {"hparams": made["hparams"], **made["flags"]}
    new = {"hparams": listed["hparams"], **listed["flags"]}
    differing = [
        f"{name} was {old.get(name, 'not given')!r} and is now "
        f"{new.get(name, 'not given')!r}"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]
    if differing:
        raise ValueError(
            f"{cell.folder} holds a finished run with other settings: "
            f"{'; '.join(differing)}. Give the same settings, remove the "
            "folder, or choose another 'results' folder"
        )


@contextmanager
def _stopped_like_interrupt():
    """Lets ``kill`` and a closed terminal stop the runs as Ctrl-C does."""
    handlers = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            # Left alone where it is ignored on purpose, as under nohup.
            if signal.getsignal(number) == signal.SIG_DFL:
                handlers[number] = signal.SIG_DFL
                signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
