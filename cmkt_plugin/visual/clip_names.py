"""Finds videos and names their clips."""

from pathlib import Path

from cmkt_plugin.file_tree import walk_files
from cmkt_plugin.visual.video_files import VIDEOS, is_video


def name_clips(given):
    """Names the videos in files and folders.

    Arguments
    ---------
    given : list of str or Path
        Videos, and folders that are searched for them.

    Returns
    -------
    dict
        Id to path. A file's id is its name without the suffix; in a folder
        given, its path there, with ``_`` for ``/``.

    Raises
    ------
    FileNotFoundError
        If one does not exist, or a folder holds no video.
    ValueError
        If two videos would have one id.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> (folder / "s1").mkdir()
    >>> (folder / "s1" / "bbaf2n.mpg").touch()
    >>> list(name_clips([folder]))
    ['s1_bbaf2n']
    """
    named = {}
    for path in map(Path, given):
        for name, video in _in(path):
            other = named.setdefault(name, video)
            if not other.samefile(video):
                raise ValueError(
                    f"{other} and {video} would both be called {name}: "
                    "prepare them into different folders, or give the folder "
                    "that holds both"
                )
    return named


def _in(path):
    """Names and paths of the videos of one argument."""
    if path.is_file():
        return [(path.stem, path)]
    if not path.is_dir():
        raise FileNotFoundError(
            f"{path} not found: expected a video or a folder of videos"
        )
    videos = [Path(name) for name in walk_files(path) if is_video(name)]
    if not videos:
        raise FileNotFoundError(
            f"no video in the folder {path}: expected files that end in "
            f"{', '.join(VIDEOS)}; a file of another name can be given itself"
        )
    return [
        ("_".join(file.with_suffix("").parts), path / file) for file in videos
    ]
