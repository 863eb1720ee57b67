"""Walks a folder of recordings."""

import os
from pathlib import Path


def walk_files(folder):
    """Yields the files below a folder, those in linked folders too.

    Hidden files are passed over (archives made on a Mac hold a ``._`` file
    beside each recording), and a link that leads in a circle is left.

    Arguments
    ---------
    folder : str or pathlib.Path
        The folder.

    Yields
    ------
    str
        Path relative to the folder, with ``/``.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> (folder / "deep").mkdir()
    >>> for name in ("b.wav", "deep/a.wav", "._b.wav"):
    ...     (folder / name).touch()
    >>> list(walk_files(folder))
    ['b.wav', 'deep/a.wav']
    """
    seen = set()
    for parent, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        real = os.path.realpath(parent)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        for name in files:
            if not name.startswith("."):
                yield Path(parent, name).relative_to(folder).as_posix()
