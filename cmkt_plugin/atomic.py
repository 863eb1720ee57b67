"""Files that are either whole or absent."""

import os
from pathlib import Path

from cmkt_plugin.leftovers import temporary_path


def write_text(path, text):
    """Writes a text file under a temporary name and renames it.

    Arguments
    ---------
    path : str or pathlib.Path
        The file to write; its folder is made if it is missing.
    text : str
        What it will hold (UTF-8).

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> write_text(folder / "tables" / "a.md", "one")
    >>> [file.name for file in (folder / "tables").iterdir()]
    ['a.md']
    """
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path, content):
    """Writes a file under a temporary name and renames it.

    Arguments
    ---------
    path : str or pathlib.Path
        The file to write; its folder is made if it is missing.
    content : bytes
        What it will hold.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_path(path)
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
