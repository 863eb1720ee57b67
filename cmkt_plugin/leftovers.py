"""Temporary names, and what killed runs left under them."""

import hashlib
import os
import shutil
import socket
import threading
import time

ABANDONED = 86400  # seconds after which another machine's file is left over
# Bytes: of the 255 that file systems allow, the rest is for machine, process
# and thread. The same everywhere: others' leftovers are found by it.
LONGEST = 140


def temporary_path(path):
    """The name under which this thread prepares a file or folder.

    Arguments
    ---------
    path : Path
        What it will be called. Its folder stays the same: a rename is atomic
        only within one file system.

    Returns
    -------
    Path
        With machine, process and thread, which keep those that write the same
        at once apart. Long names are shortened.

    Example
    -------
    >>> from pathlib import Path
    >>> temporary_path(Path("a.wav")).name
    '.a.wav....part'
    >>> len(temporary_path(Path(80 * "語")).name.encode()) < 255
    True
    """
    owner = f"{_host()}.{os.getpid()}-{threading.get_native_id()}"
    return path.with_name(f".{_short(path.name)}.{owner}.part")


def remove_leftovers(folder, name=None):
    """Removes temporary files and folders of whoever was killed.

    Those of a process or thread that lives stay, and those of other machines
    for a day: they may be at work.

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
    >>> remove_leftovers(folder, "a")  # of this thread: none is at work
    >>> [path.name[:2] for path in folder.iterdir()]
    ['.b']
    """
    for leftover in folder.glob(".*.*.*.part"):
        written = leftover.name.rsplit(".", 3)[0]
        if name is not None and written != f".{_short(name)}":
            continue
        if _is_being_written(leftover):
            continue
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def _short(name):
    """A name of ``LONGEST`` bytes at most, its own for every name."""
    content = os.fsencode(name)
    if len(content) <= LONGEST:
        return name
    digest = hashlib.sha256(content).hexdigest()[:16]
    # What the cut leaves of a character is no text: it is dropped.
    start = content[: LONGEST - len(digest) - 1].decode(errors="ignore")
    return f"{start}~{digest}"


def _is_being_written(path):
    host, owner = path.name.split(".")[-3:-1]
    pid, _, thread = owner.partition("-")
    if host != _host() or not pid.isdigit():
        return time.time() - path.stat().st_mtime < ABANDONED
    if int(pid) == os.getpid():
        return _is_of_another_thread(thread)
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it lives, under another user
        pass
    return True


def _is_of_another_thread(thread):
    others = {other.native_id for other in threading.enumerate()}
    others.discard(threading.get_native_id())
    return thread.isdigit() and int(thread) in others


def _host():
    return socket.gethostname().replace(".", "_")
