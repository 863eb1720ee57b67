"""The process of one run: its lock, its log, its end."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time

from cmkt_plugin.atomic import write_text

# Time that a run gets to end by itself before it is killed.
GRACE_SECONDS = 10
LOG_TAIL = 8


def acquire_lock(path):
    """Takes a lock that dies with the processes that hold it.

    The kernel's lock on an open file, not the file's existence: nothing stale
    is left by a killed runner, a process number used again misleads nobody,
    and because the run inherits it, a run that outlives its killed runner is
    not started a second time beside itself.

    Arguments
    ---------
    path : pathlib.Path
        The lock file; it holds the number of the runner's process.

    Returns
    -------
    int or None
        The open file; None if somebody else holds the lock.

    Example
    -------
    >>> path = getfixture("tmp_path") / "1.lock"
    >>> lock = acquire_lock(path)
    >>> acquire_lock(path) is None
    True
    >>> os.close(lock)
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    return lock


class RunProcess:
    """A started cell.

    Arguments
    ---------
    cell : Cell
        What to run.
    recipe : pathlib.Path
        The script.
    threads : int
        Cores it may compute with.
    lock : int
        Open lock file; the process inherits it.
    """

    def __init__(self, cell, recipe, threads, lock):
        self.cell = cell
        self.lock = lock
        self.started = time.monotonic()
        command = [sys.executable, str(recipe), *cell.arguments()]
        # Unbuffered: the log's end is what a failure is reported with.
        environment = {"OMP_NUM_THREADS": str(threads), "PYTHONUNBUFFERED": "1"}
        write_text(
            cell.beside(".settings.json"), json.dumps(cell.settings(), indent=1)
        )
        with open(cell.log, "ab") as log:
            log.write(f"$ {' '.join(command)}\n".encode())
            self.log_start = log.tell()
            self.process = subprocess.Popen(
                command,
                cwd=recipe.parent,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(lock,),
                # Its own group, to stop it together with its workers.
                start_new_session=True,
            )

    def ended(self):
        """Whether the process is over."""
        return self.process.poll() is not None

    def close(self, outcome):
        """Releases the lock and notes how the cell ended."""
        self.minutes = (time.monotonic() - self.started) / 60
        # Explicitly: a worker left over may still hold the file open.
        fcntl.flock(self.lock, fcntl.LOCK_UN)
        os.close(self.lock)
        if self.process.returncode == 0 and self.cell.complete:
            outcome.finished.append(self.cell)
        else:
            outcome.failed[self.cell] = self.log_tail()

    def describe(self):
        """One line about an ended run."""
        name = f"{self.cell.run} seed {self.cell.seed}"
        code = self.process.returncode
        state = "done" if code == 0 else f"FAILED (exit status {code})"
        if code == 0 and not self.cell.complete:
            state = "FAILED (ended without test_summary.json)"
        return f"{name}: {state}, {self.minutes:.1f} minutes"

    def log_tail(self):
        """The last lines that this attempt wrote to the log."""
        text = self.cell.log.read_bytes()[self.log_start :]
        # A progress bar redraws its line: only its last state counts.
        lines = [
            line.split("\r")[-1]
            for line in text.decode(errors="replace").split("\n")
        ]
        return "\n".join([line for line in lines if line.strip()][-LOG_TAIL:])

    def stop(self):
        """Ends the process and its workers; what is complete stays."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(GRACE_SECONDS)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        os.close(self.lock)
