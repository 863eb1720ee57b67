"""Writes a clip: frames and sound in one file."""

import os
from fractions import Fraction

import numpy as np

from cmkt_plugin.leftovers import temporary_path
from cmkt_plugin.visual.lips import FRAME_RATE
from cmkt_plugin.visual.media import load_av

# With its macroblock tree x264 makes other bytes of the same frames each time.
X264 = {
    "crf": "22",
    "preset": "veryfast",
    "threads": "1",
    "x264-params": "no-mbtree=1",
}
REPEATABLE = {"fflags": "+bitexact"}  # Matroska would number files by lot


def write_video(path, frames, wav, rate):
    """Writes a Matroska file: H.264 video, FLAC sound (lossless).

    Arguments
    ---------
    path : pathlib.Path
        The file to write, ``.mkv``; it appears whole or not at all.
    frames : iterable of numpy.ndarray
        Blue, green, red (height, width, 3), uint8; 25 a second.
    wav : numpy.ndarray
        The sound (time,), of which full scale is 1.
    rate : int
        Its sampling rate (Hz).

    Raises
    ------
    ImportError
        If PyAV is not installed.

    Example
    -------
    >>> path = getfixture("tmp_path") / "a.mkv"
    >>> frame = np.zeros((96, 96, 3), dtype="uint8")
    >>> write_video(path, [frame, frame], np.zeros(1280), 16000)
    >>> path.exists()
    True
    """
    av = load_av()
    temporary = temporary_path(path)
    try:
        with av.open(
            str(temporary), "w", format="matroska", options=REPEATABLE
        ) as file:
            video = file.add_stream("libx264", rate=FRAME_RATE)
            video.options = X264
            video.pix_fmt = "yuv420p"
            sound = file.add_stream("flac", rate=rate, layout="mono")
            sound.format = "s16"
            _encode_video(av, file, video, frames)
            _encode_sound(av, file, sound, wav, rate)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _encode_video(av, file, stream, frames):
    for number, pixels in enumerate(frames):
        if not number:
            stream.height, stream.width = pixels.shape[:2]
        frame = av.VideoFrame.from_ndarray(pixels, format="bgr24")
        frame.pts, frame.time_base = number, Fraction(1, FRAME_RATE)
        file.mux(stream.encode(frame))
    file.mux(stream.encode(None))


def _encode_sound(av, file, stream, wav, rate):
    pcm = np.round(np.clip(wav, -1, 1) * 32767).astype("int16")
    frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
    frame.sample_rate, frame.pts = rate, 0
    frame.time_base = Fraction(1, rate)
    file.mux(stream.encode(frame))
    file.mux(stream.encode(None))
