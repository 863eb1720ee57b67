"""Errors of the user's making or the machine's, as one line."""

import errno
from contextlib import contextmanager

import click

WAY_OUT = {
    errno.ENOENT: "check the name",
    errno.ENOTDIR: "a part of this path is a file: name another folder",
    errno.EISDIR: "this is a folder: name a file in it",
    errno.EACCES: "name another place, or change its permissions",
    errno.EPERM: "name another place, or change its permissions",
    errno.EROFS: "name a place that is not read-only",
    errno.ENOSPC: "free some space, or name a place on another disk",
    errno.EDQUOT: "free some space, or name a place on another disk",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}


@contextmanager
def in_one_line(status=1):
    """Shows errors of the ``with`` block in one line, without a traceback.

    Arguments
    ---------
    status : int
        The exit status.
    """
    try:
        yield
    except BrokenPipeError:  # of ``cmkt ... | head``: click ends quietly
        raise
    except (ValueError, OSError) as error:
        shown = click.ClickException(one_line(error))
        shown.exit_code = status
        raise shown


def one_line(error):
    """What to say of an error: name, what it is, the way out.

    Arguments
    ---------
    error : Exception
        The package's own tell all this; those of the system are completed.

    Returns
    -------
    str

    Example
    -------
    >>> one_line(
    ...     NotADirectoryError(errno.ENOTDIR, "Not a directory", "a.wav/b")
    ... )
    'a.wav/b: not a directory; a part of this path is a file: name another
    folder'
    """
    if not isinstance(error, OSError) or not error.strerror:
        return " ".join(str(error).split())
    names = [error.filename, error.filename2]
    what = str(error.strerror)
    told = ": ".join(
        [*(str(n) for n in names if n), what[:1].lower() + what[1:]]
    )
    return "; ".join(filter(None, [told, WAY_OUT.get(error.errno)]))
