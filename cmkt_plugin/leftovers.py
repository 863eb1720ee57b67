"""Removes what killed runs left under temporary names."""

import shutil
import time

# A temporary file older than this (seconds) belongs to a killed run.
STALE = 3600


def remove_leftovers(folder):
    """Removes old temporary files and folders (``.*.part``).

    Fresh ones stay: they may be of another run that is at work.

    Arguments
    ---------
    folder : Path
        Where to look.

    Example
    -------
    >>> import os
    >>> folder = getfixture("tmp_path")
    >>> for name in (".a.part", ".b.part"):
    ...     (folder / name).mkdir()
    >>> os.utime(folder / ".a.part", (0, 0))
    >>> remove_leftovers(folder)
    >>> [path.name for path in folder.iterdir()]
    ['.b.part']
    """
    for leftover in folder.glob(".*.part"):
        if time.time() - leftover.stat().st_mtime <= STALE:
            continue
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)
