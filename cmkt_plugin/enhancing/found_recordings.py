"""Finds the recordings in files, folders and patterns."""

import os
from collections import deque
from glob import glob, has_magic
from pathlib import Path

from cmkt_plugin.enhancing.sound_files import SoundFiles
from cmkt_plugin.file_tree import walk_files
from cmkt_plugin.shown import first_few


def find_recordings(given, output, unreadable, kind=SoundFiles()):
    """Yields what one input holds.

    Arguments
    ---------
    given : str or pathlib.Path
        As an input of ``plan_files``.
    output : pathlib.Path
        What lies in it is left out.
    unreadable : cmkt_plugin.file_tree.Unreadable
        Where folders that cannot be read are noted.
    kind : SoundFiles
        What is a recording.

    Yields
    ------
    source : pathlib.Path
        The recording.
    place : pathlib.Path or str
        Its place in the tree.

    Raises
    ------
    FileNotFoundError
        If the input does not exist or holds no recording.

    Example
    -------
    >>> from cmkt_plugin.file_tree import Unreadable
    >>> folder = getfixture("tmp_path")
    >>> (folder / "a.wav").touch()
    >>> list(find_recordings(folder, Path("out"), Unreadable()))
    [(PosixPath('...a.wav'), PosixPath('a.wav'))]
    """
    path = Path(given)
    if path.is_dir():
        yield from _in_folder(path, output, unreadable, kind)
    # First: a file's name may hold brackets.
    elif path.exists():
        yield path, path.name
    elif has_magic(str(given)):
        yield from _matching(str(given), output, unreadable, kind)
    else:
        raise FileNotFoundError(
            f"{given} not found: expected a {kind.name}, a folder or a pattern"
        )


def _in_folder(folder, output, unreadable, kind):
    below = _below(folder, unreadable, kind)
    sources = list(_outside(output, folder, below))
    if not sources:
        raise FileNotFoundError(
            f"no {kind.name} in the folder {folder}: expected {kind.expected}"
            f"{_told(unreadable)}"
        )
    return sources


def _matching(pattern, output, unreadable, kind):
    parts = Path(pattern).parts
    fixed = next(i for i, part in enumerate(parts) if has_magic(part))
    found = set()
    for match in map(Path, glob(pattern, recursive=True)):
        if match.is_dir():
            found.update(_below(match, unreadable, kind))
        elif kind.has(match):
            found.add(match)
    _note_unreadable(parts, unreadable)
    sources = list(_outside(output, Path(*parts[:fixed]), sorted(found)))
    if not sources:
        raise FileNotFoundError(
            f"the pattern {pattern} matches no {kind.name}: '*' stands for "
            f"any characters of one name, '**' for any folders{_told(unreadable)}"
        )
    return sources


def _note_unreadable(parts, unreadable):
    """Notes the folders that ``glob`` passed over without a word."""
    for i, part in enumerate(parts):
        if has_magic(part):
            for folder in glob(str(Path(*parts[:i]))) if i else ["."]:
                if not os.path.isdir(folder):
                    continue
                if part == "**":
                    deque(walk_files(folder, unreadable.note), maxlen=0)
                else:
                    next(os.walk(folder, onerror=unreadable.note), None)
        if part == "**":  # whatever follows is in there
            return


def _told(unreadable):
    told = [f"{folder} {why}" for folder, why in unreadable.items()]
    return f". {first_few(told, 3, '; ')}" if told else ""


def _below(folder, unreadable, kind):
    names = sorted(walk_files(folder, unreadable.note))
    return [folder / name for name in names if kind.has(name)]


def _outside(output, root, sources):
    """Yields sources with their places; what came from here is left out."""
    # As text: resolving 100,000 paths would take as long as reading them.
    own = Path(os.path.relpath(output, root))
    inside = own.parts and own.parts[0] != ".."
    for source in sources:
        place = source.relative_to(root)
        if not (inside and own in place.parents):
            yield source, place
