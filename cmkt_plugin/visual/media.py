"""Opens video and audio files with PyAV (FFmpeg)."""

from contextlib import contextmanager
from pathlib import Path

from cmkt_plugin.visual.unusable_clip import (
    CORRUPT,
    NO_FILE,
    NO_SOUND,
    UnusableClip,
)

PACKAGES = "pip install 'cmkt_plugin[av]'"


def load_av():
    """The package PyAV, which only reading videos needs."""
    try:
        import av
    except ImportError as error:
        raise ImportError(f"Reading videos needs PyAV: {PACKAGES}") from error
    return av


def load_cv2():
    """The package OpenCV, which only lip regions need."""
    try:
        import cv2
    except ImportError as error:
        raise ImportError(
            f"Finding lips needs OpenCV below 5: {PACKAGES}"
        ) from error
    return cv2


@contextmanager
def opened(path):
    """Opens a file for reading; FFmpeg's errors in the ``with`` name it.

    Arguments
    ---------
    path : str or Path
        The file.

    Yields
    ------
    av.container.InputContainer

    Raises
    ------
    UnusableClip
        If the file is missing, is none that FFmpeg knows, or is damaged.
    """
    av = load_av()
    if not Path(path).is_file():
        raise UnusableClip(
            path, NO_FILE, "expected a video or audio file; check its name"
        )
    try:
        with av.open(str(path)) as container:
            yield container
    except av.error.FFmpegError as error:
        raise UnusableClip(
            path,
            CORRUPT,
            f"FFmpeg says {str(error).split(': ', 1)[0]!r}; "
            "copy or download it again, or leave it out",
        ) from error


def picture_of(container):
    """The first picture of an open file that is not the cover of a sound.

    Arguments
    ---------
    container : av.container.InputContainer
        As from ``opened``.

    Returns
    -------
    av.video.stream.VideoStream or None
        None where there is no picture.
    """
    cover = load_av().stream.Disposition.attached_pic
    pictures = [
        stream
        for stream in container.streams.video
        if not stream.disposition & cover
    ]
    return pictures[0] if pictures else None


def sound_of(container, path, way_out):
    """The first sound of an open file.

    Arguments
    ---------
    container : av.container.InputContainer
        As from ``opened``.
    path : str or pathlib.Path
        What errors call it.
    way_out : str
        What can be done about a file without sound.

    Returns
    -------
    av.audio.stream.AudioStream

    Raises
    ------
    UnusableClip
        If there is no sound.
    """
    if not container.streams.audio:
        kinds = ", ".join(s.type for s in container.streams) or "nothing"
        raise UnusableClip(
            path,
            NO_SOUND,
            f"expected an audio stream, found {kinds}; {way_out}",
        )
    return container.streams.audio[0]
