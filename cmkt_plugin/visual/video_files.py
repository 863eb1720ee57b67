"""What the enhancement of many files has to know of videos."""

from pathlib import Path

from cmkt_plugin.enhancing.file_plan import Plan, join, refuse_own_input
from cmkt_plugin.enhancing.found_recordings import find_recordings
from cmkt_plugin.enhancing.sound_files import SoundFiles
from cmkt_plugin.file_tree import Unreadable
from cmkt_plugin.recordings import Header
from cmkt_plugin.visual.sound_track import read_track

# FFmpeg reads more: these are what folders are searched for.
VIDEOS = (
    *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg"),
    *(".ts", ".mts", ".m2ts", ".wmv", ".flv", ".3gp", ".ogv", ".vob"),
)
SOUNDS = (".wav", ".flac")


class VideoFiles(SoundFiles):
    """Videos, and sound files, of which only the sound is enhanced.

    Example
    -------
    >>> [VideoFiles().has(name) for name in ("a.mp4", "a.flac", "a.txt")]
    [True, True, False]
    """

    name = "video"
    expected = "files that end in mp4, mkv, mov, avi, mpg, webm or wav"

    def has(self, name):
        """Whether a file's name is that of a video or sound."""
        return is_video(name) or super().has(name)

    def header(self, path):
        """Frames, sampling rate (Hz) and fault of the sound of a file.

        Arguments
        ---------
        path : pathlib.Path
            The file.

        Returns
        -------
        cmkt_plugin.recordings.Header
        """
        if super().has(path):
            return super().header(path)
        try:
            track = read_track(path)
        except (ValueError, OSError) as error:
            return Header(0, 0, str(error).removeprefix(f"{path}: "))
        return Header(round(track.seconds * track.rate), track.rate, "")

    def channels(self, path):
        """Channels of a file, each of which is enhanced by itself."""
        if super().has(path):
            return super().channels(path)
        return read_track(path).channels

    def enhance(self, model, source, target, **options):
        """Enhances a video.

        Arguments
        ---------
        model : cmkt_plugin.visual.inference.AudioVisualEnhancement
            The model.
        source, target : pathlib.Path
            The video, and the file to write.
        **options
            Of ``model.enhance_video``.
        """
        model.enhance_video(source, target, **options)


def is_video(name):
    """Whether a file's name is that of a video.

    Arguments
    ---------
    name : str or pathlib.Path
        The name.

    Returns
    -------
    bool
    """
    return Path(name).suffix.lower() in VIDEOS


def plan_videos(inputs, output, mux=False):
    """Says which video becomes which file; nothing is written.

    Arguments
    ---------
    inputs : list of str or pathlib.Path
        Videos, folders and patterns, as for ``plan_files``.
    output : str or pathlib.Path
        A folder, which gets the tree of the inputs; for one video also a
        file, whose suffix asks for its format.
    mux : bool
        What is written into a folder: True for videos named as the inputs,
        False for their sounds as .wav.

    Returns
    -------
    cmkt_plugin.enhancing.file_plan.Plan

    Raises
    ------
    FileNotFoundError
        If an input does not exist or holds no video.
    ValueError
        If two videos would become one file, one would replace a source, or
        the output cannot be what it is to be.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> (folder / "in").mkdir()
    >>> (folder / "in" / "a.mp4").touch()
    >>> plan_videos([folder / "in"], "out").targets
    {PosixPath('...in/a.mp4'): PosixPath('out/a.wav')}
    """
    unreadable, output = Unreadable(), Path(output)
    found = [
        pair
        for given in inputs
        for pair in find_recordings(given, output, unreadable, VideoFiles())
    ]
    sources = list(dict.fromkeys(source for source, _ in found))
    if names_file(output):
        _refuse_as_file(output, sources, mux)
        targets = {sources[0]: output}
    else:
        _refuse_as_folder(output)
        if not mux:
            found = [(s, Path(p).with_suffix(".wav")) for s, p in found]
        targets = join(found, output)
    refuse_own_input(targets)
    return Plan(targets, unreadable)


def names_file(output):
    """Whether an output is a file by its suffix.

    Arguments
    ---------
    output : str or pathlib.Path
        As for ``plan_videos``.

    Returns
    -------
    bool
    """
    is_file = is_video(output) or Path(output).suffix.lower() in SOUNDS
    return is_file and not Path(output).is_dir()


def _refuse_as_file(output, sources, mux):
    if len(sources) > 1:
        raise ValueError(
            f"{output} names a file, but there are {len(sources)} videos: "
            "name a folder"
        )
    if mux and not is_video(output):
        raise ValueError(
            f"{output} is no video: leave out --mux for the sound alone, or "
            "name a file that ends in .mkv or .mp4"
        )


def _refuse_as_folder(output):
    if output.exists() and not output.is_dir():
        raise ValueError(
            f"{output} is a file whose suffix asks for nothing that is "
            "written: name a folder, or a file such as enhanced.wav"
        )
    # As a folder it would hide the sound of one video in it.
    suffix = output.suffix[1:]
    letters = sum(character.isalpha() for character in suffix)
    is_slip = suffix.isalnum() and letters > 1 and len(suffix) < 5
    if is_slip and not output.is_dir():
        raise ValueError(
            f"{output}: no .{suffix} files are written; name a file that ends "
            "in .wav, .flac, .mkv or .mp4, or a folder without such a suffix"
        )
