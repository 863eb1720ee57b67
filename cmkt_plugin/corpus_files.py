"""Lists the files of a corpus and sums them up."""

import hashlib
import os
from typing import NamedTuple

from cmkt_plugin.threads import map_in_threads


class CorpusFile(NamedTuple):
    """A file of a corpus as its folder lists it."""

    path: str
    size: int  # bytes
    modified: int  # ns

    @property
    def name(self):
        """Its name in its folder."""
        return os.path.basename(self.path)


def list_files(folders, jobs=None):
    """Lists the files of many folders, in threads: they may be far away.

    Hidden files are passed over (archives made on a Mac hold a ``._`` file
    beside each recording), and so are folders that do not exist.

    Arguments
    ---------
    folders : list of Path
        The folders.
    jobs : int or None
        Threads; None takes as many as there are cores.

    Returns
    -------
    list of CorpusFile
        Sorted by name in each folder.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> for name in ("b.wav", "a.wav", "._a.wav"):
    ...     (folder / name).touch()
    >>> [file.name for file in list_files([folder, folder / "nowhere"])]
    ['a.wav', 'b.wav']
    """
    lists = map_in_threads(_list_folder, folders, "Listing files", jobs)
    return [file for files in lists for file in files]


def fingerprint(files):
    """Sums up paths, sizes and times of files.

    Arguments
    ---------
    files : list of CorpusFile
        The files.

    Returns
    -------
    dict
        ``files``, their number, and ``sha256``.
    """
    digest = hashlib.sha256()
    for file in files:
        line = f"{file.path} {file.size} {file.modified}\n"
        digest.update(line.encode(errors="surrogateescape"))
    return {"files": len(files), "sha256": digest.hexdigest()}


def _list_folder(folder):
    if not folder.is_dir():
        return []
    # Absolute, and not resolved: links in a corpus stay a part of it.
    with os.scandir(os.path.abspath(folder)) as entries:
        files = [
            entry
            for entry in entries
            if not entry.name.startswith(".") and entry.is_file()
        ]
    files.sort(key=lambda entry: entry.name)
    return [_describe(entry) for entry in files]


def _describe(entry):
    status = entry.stat()
    return CorpusFile(entry.path, status.st_size, status.st_mtime_ns)
