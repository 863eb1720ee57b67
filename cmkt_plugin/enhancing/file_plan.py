"""Plans which recording becomes which file."""

import os
from glob import glob, has_magic
from pathlib import Path

import soundfile

from cmkt_plugin.audio_stream import SUFFIXES
from cmkt_plugin.file_tree import walk_files

# Headerless files (RAW) tell nothing of their rate: none looks for them.
RECORDINGS = {*soundfile.available_formats(), *SUFFIXES, "AIFC", "SPH", "WAVE"}
RECORDINGS -= {"RAW"}


def plan_files(inputs, output):
    """Says which recording becomes which file; nothing is written.

    Arguments
    ---------
    inputs : list of str or pathlib.Path
        Recordings, folders that are searched for them, and patterns such as
        ``corpus/**/*.flac``. What is in a folder, or below the part of a
        pattern that has no wildcard, keeps its place in the tree.
    output : str or pathlib.Path
        A folder; where there is one recording, also a file, whose suffix may
        ask for another format.

    Returns
    -------
    dict
        Source to target. What lies in an output folder inside an input
        folder is no source: it came from here.

    Raises
    ------
    FileNotFoundError
        If an input does not exist or holds no recording.
    ValueError
        If two recordings would become one file, one would replace a source,
        or the output cannot be what it is to be.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> (folder / "in").mkdir()
    >>> (folder / "in" / "a.wav").touch()
    >>> plan_files([folder / "in"], "out")
    {PosixPath('...in/a.wav'): PosixPath('out/a.wav')}
    """
    output = Path(output)
    found = [
        (source, place)
        for given in inputs
        for source, place in _recordings(given, output)
    ]
    if is_file_name(output) and len({source for source, _ in found}) == 1:
        targets = {found[0][0]: output}
    else:
        _refuse_as_folder(output, len(found))
        targets = _join(found, output)
    _refuse_own_input(targets)
    return targets


def _recordings(given, output):
    """Yields what an input holds: source, and its place in the tree."""
    path = Path(given)
    if path.is_dir():
        yield from _in_folder(path, output)
    # First: a file's name may hold brackets.
    elif path.exists():
        yield path, path.name
    elif has_magic(str(given)):
        yield from _matching(str(given), output)
    else:
        raise FileNotFoundError(
            f"{given} not found: expected a recording, a folder or a pattern"
        )


def _in_folder(folder, output):
    sources = list(_outside(output, folder, _below(folder)))
    if not sources:
        raise FileNotFoundError(
            f"no recording in the folder {folder}: expected files that end in "
            "wav, flac, ogg, mp3 or another suffix that libsndfile knows"
        )
    return sources


def _matching(pattern, output):
    parts = Path(pattern).parts
    fixed = next(i for i, part in enumerate(parts) if has_magic(part))
    found = set()
    for match in map(Path, glob(pattern, recursive=True)):
        if match.is_dir():
            found.update(_below(match))
        elif is_recording(match):
            found.add(match)
    sources = list(_outside(output, Path(*parts[:fixed]), sorted(found)))
    if not sources:
        raise FileNotFoundError(
            f"the pattern {pattern} matches no recording: '*' stands for any "
            "characters of one name, '**' for any folders"
        )
    return sources


def _below(folder):
    names = sorted(walk_files(folder))
    return [folder / name for name in names if is_recording(name)]


def _outside(output, root, sources):
    """Yields sources with their places; what came from here is left out."""
    # As text: resolving 100,000 paths would take as long as reading them.
    own = Path(os.path.relpath(output, root))
    inside = own.parts and own.parts[0] != ".."
    for source in sources:
        place = source.relative_to(root)
        if not (inside and own in place.parents):
            yield source, place


def is_recording(name):
    return Path(name).suffix[1:].upper() in RECORDINGS


def is_file_name(output):
    return is_recording(output) and not output.is_dir()


def _refuse_as_folder(output, number):
    if is_file_name(output):
        raise ValueError(
            f"{output} names a file, but there are {number} recordings: name "
            "a folder"
        )
    if output.exists() and not output.is_dir():
        raise ValueError(
            f"{output} is a file that does not end in an audio suffix: name a "
            "folder, or a file such as enhanced.wav"
        )


def _join(found, output):
    sources = {}
    for source, place in found:
        target = output / place
        other = sources.setdefault(target, source)
        if other != source and not other.samefile(source):
            raise ValueError(
                f"{other} and {source} would both become {target}: enhance "
                "them into different folders, or give the folder that holds "
                "both, whose tree is kept"
            )
    return {source: target for target, source in sources.items()}


def _refuse_own_input(targets):
    """A link may hide that a file is its own target, so files are compared."""
    sources = {_identity(source): source for source in targets}
    for target in targets.values():
        source = sources.get(_identity(target)) if target.exists() else None
        if source:
            raise ValueError(
                f"{source} would be replaced by an output: choose another "
                "folder for the outputs"
            )


def _identity(path):
    try:
        status = path.stat()
    except OSError:  # a link to nowhere: reported when its turn comes
        return path
    return status.st_dev, status.st_ino
