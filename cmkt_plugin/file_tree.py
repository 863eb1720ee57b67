"""Walks folders of recordings."""

import os
from pathlib import Path

import soundfile

from cmkt_plugin.audio_stream import SUFFIXES

# What a suffix may ask for. Not RAW: headerless files tell nothing of their
# rate.
WRITTEN = {*soundfile.available_formats(), *SUFFIXES} - {"RAW"}
# Further suffixes of files that libsndfile reads.
RECORDINGS = WRITTEN | {"AIFC", "SPH", "WAVE"}


def is_recording(name):
    """Whether a file's name ends as one that libsndfile reads.

    Example
    -------
    >>> is_recording("a.flac"), is_recording("a.m4a"), is_recording("wav")
    (True, False, False)
    """
    return Path(name).suffix[1:].upper() in RECORDINGS


def walk_files(folder, on_error=None):
    """Yields the files below a folder, those in linked folders too.

    Hidden files are passed over (archives made on a Mac hold a ``._`` file
    beside each recording), and a link that leads in a circle is left.

    Arguments
    ---------
    folder : str or pathlib.Path
        The folder.
    on_error : callable or None
        Called with the OSError of a folder that cannot be read; the walk goes
        on without it. None raises the error: nobody is to miss files without
        a word.

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
    walk = os.walk(folder, onerror=on_error or _raise, followlinks=True)
    seen = set()
    for parent, folders, files in walk:
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        real = os.path.realpath(parent)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        for name in files:
            if not name.startswith("."):
                yield Path(parent, name).relative_to(folder).as_posix()


def _raise(error):
    raise error


class Unreadable(dict):
    """Folders that cannot be read, each with the reason.

    Example
    -------
    >>> unreadable = Unreadable()
    >>> names = list(walk_files("gone", unreadable.note))
    >>> names, unreadable
    ([], {PosixPath('gone'): 'cannot be read (No such file or directory)'})
    """

    def note(self, error):
        """Remember the folder of an OSError."""
        self[Path(error.filename)] = f"cannot be read ({error.strerror})"
