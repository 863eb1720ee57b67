"""Temporary names, and what killed runs left under them."""

import os
import shutil
import socket
import time
from glob import escape

ABANDONED = 86400  # seconds after which another machine's file is left over


def temporary_path(path):
    """The name under which this process prepares a file or folder.

    Arguments
    ---------
    path : Path
        What it will be called. Its folder stays the same: a rename is atomic
        only within one file system.

    Returns
    -------
    Path
        With machine and process, which keep runs that start together apart.

    Example
    -------
    >>> from pathlib import Path
    >>> temporary_path(Path("a.wav")).name
    '.a.wav....part'
    """
    return path.with_name(f".{path.name}.{_host()}.{os.getpid()}.part")


def remove_leftovers(folder, name=None):
    """Removes temporary files and folders of processes that were killed.

    Those of a process that lives stay, and those of other machines for a day:
    they may be at work.

    Arguments
    ---------
    folder : Path
        Where to look.
    name : str or None
        Only those of this file; None takes all.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> for name in ("a", "b"):
    ...     temporary_path(folder / name).mkdir()
    >>> remove_leftovers(folder, "a")  # of this process: none is at work
    >>> [path.name[:2] for path in folder.iterdir()]
    ['.b']
    """
    kind = "*" if name is None else escape(name)
    for leftover in folder.glob(f".{kind}.*.*.part"):
        if _is_being_written(leftover):
            continue
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def _is_being_written(path):
    host, pid = path.name.split(".")[-3:-1]
    if host != _host() or not pid.isdigit():
        return time.time() - path.stat().st_mtime < ABANDONED
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it lives, under another user
        return True
    return int(pid) != os.getpid()


def _host():
    return socket.gethostname().replace(".", "_")
