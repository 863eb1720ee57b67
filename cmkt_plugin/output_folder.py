"""Finds out before the work whether its results can be written."""

import errno
import os
from pathlib import Path


def check_writable(folder):
    """Refuses a folder that cannot be made or written into; makes nothing.

    Arguments
    ---------
    folder : str or pathlib.Path
        Where something is to be written; need not exist.

    Raises
    ------
    NotADirectoryError
        If it is a file, or below one.
    PermissionError
        If it, or the folder that it would be made in, is not writable.

    Example
    -------
    >>> check_writable(getfixture("tmp_path") / "results" / "deep")
    >>> check_writable("/dev/null/results")
    Traceback (most recent call last):
        ...
    NotADirectoryError: [Errno 20] Not a directory: '/dev/null/results'
    """
    there = Path(folder).absolute()
    while not there.exists():
        there = there.parent
    if not there.is_dir():
        raise NotADirectoryError(
            errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)
        )
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(
            errno.EACCES, os.strerror(errno.EACCES), str(there)
        )
