"""Plans which recording becomes which file."""

import os
from pathlib import Path
from typing import NamedTuple

from cmkt_plugin.enhancing.found_recordings import find_recordings
from cmkt_plugin.file_tree import WRITTEN, Unreadable, is_recording


class Plan(NamedTuple):
    """What is to be done.

    Arguments
    ---------
    targets : dict
        Source to target. What lies in an output folder inside an input
        folder is no source: it came from here.
    unreadable : Unreadable
        Input folders whose recordings nobody knows.
    """

    targets: dict
    unreadable: Unreadable


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
        ask for another format. With a ``/`` at its end it is a folder.

    Returns
    -------
    Plan

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
    >>> plan_files([folder / "in"], "out").targets
    {PosixPath('...in/a.wav'): PosixPath('out/a.wav')}
    """
    unreadable = Unreadable()
    found = [
        (source, place)
        for given in inputs
        for source, place in find_recordings(given, Path(output), unreadable)
    ]
    sources = list(dict.fromkeys(source for source, _ in found))
    if len(sources) == 1 and _is_file_for(sources[0], output):
        targets = {sources[0]: Path(output)}
    else:
        _refuse_as_folder(output, len(sources))
        targets = join(found, Path(output))
    refuse_own_input(targets)
    return Plan(targets, unreadable)


def names_file(output):
    """Whether an output is a file by its suffix.

    Arguments
    ---------
    output : str or pathlib.Path
        As for ``plan_files``.

    Example
    -------
    >>> [names_file(name) for name in ("a.wav", "a.wav/", "enhanced", "a.m4a")]
    [True, False, False, False]
    """
    return is_recording(output) and not _names_folder(output)


def _names_folder(output):
    return str(output).endswith(("/", os.sep)) or Path(output).is_dir()


def _is_file_for(source, output):
    """Whether an output is a file that one recording can become.

    A suffix of letters that asks for no known format is a slip of the pen
    (talk.m4a): as a folder, it would hide the recording in it.
    """
    if _names_folder(output):
        return False
    suffix = Path(output).suffix
    same = is_recording(output) and suffix.lower() == source.suffix.lower()
    if same or suffix[1:].upper() in WRITTEN:
        return True
    letters = sum(character.isalpha() for character in suffix)
    looks_like = suffix[1:].isalnum() and letters > 1 and len(suffix) < 6
    if looks_like and not Path(output).exists():
        raise ValueError(
            f"{output}: libsndfile writes no {suffix} files; name a file that "
            f"ends in .wav, .flac, .ogg or .mp3, or {output}/ for a folder"
        )
    return False


def _refuse_as_folder(output, number):
    if names_file(output) and number > 1:
        raise ValueError(
            f"{output} names a file, but there are {number} recordings: name "
            "a folder"
        )
    if Path(output).exists() and not Path(output).is_dir():
        raise ValueError(
            f"{output} is a file whose suffix asks for no format that "
            "libsndfile writes: name a folder, or a file such as enhanced.wav"
        )


def join(found, output):
    """The targets of sources in a folder.

    Arguments
    ---------
    found : list of tuple
        Each source and the place of its output in the folder.
    output : pathlib.Path
        The folder.

    Returns
    -------
    dict
        Source to target.

    Raises
    ------
    ValueError
        If two sources would become one file.
    """
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


def refuse_own_input(targets):
    """Refuses outputs that would replace a source.

    Arguments
    ---------
    targets : dict
        Source to target.

    Raises
    ------
    ValueError
        With the source.
    """
    # A link may hide that a file is its own target, so files are compared.
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
