"""Puts another sound into a video, whose picture is copied bit for bit."""

import heapq
import io
import os
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np

from cmkt_plugin.leftovers import temporary_path
from cmkt_plugin.visual.media import load_av, opened, picture_of, sound_of
from cmkt_plugin.visual.picture_packets import copied
from cmkt_plugin.visual.sound_track import WAY_OUT

# Suffixes that are not FFmpeg's name of the format.
FORMATS = {
    **{".mkv": "matroska", ".mpg": "mpeg", ".m4v": "mp4", ".wmv": "asf"},
    **{".ts": "mpegts", ".mts": "mpegts", ".m2ts": "mpegts"},
}
# Of a lossy codec, sent through it a second time (bit/s per channel).
LEAST_BIT_RATE = 96_000


def check_mux(video, output):
    """Refuses a video that cannot be made, before any work is done.

    Arguments
    ---------
    video : str or pathlib.Path
        The video whose picture is to be copied.
    output : str or pathlib.Path
        The video to make.

    Raises
    ------
    ValueError
        If the output is the input, no kind of video, or of a kind that does
        not take this picture.
    """
    if Path(output).exists() and os.path.samefile(video, output):
        raise ValueError(
            f"{output} is the video itself: name another file to write"
        )
    with opened(video) as source:
        with _open_target(output, io.BytesIO()) as target:
            _add_streams(source, target, video, output)


def mux(video, output, pieces, start):
    """Writes a video with the picture of another and a new sound.

    Of the other streams of the video (further sounds, subtitles) none is
    kept. The sound is coded as the video's was where the new kind of file
    takes that, else as is usual there.

    Arguments
    ---------
    video : str or pathlib.Path
        The video whose picture is copied.
    output : str or pathlib.Path
        The video to write, under a temporary name until it is complete; its
        suffix tells the kind. A file that is there is replaced.
    pieces : iterable of numpy.ndarray
        The sound (time, channels) in pieces, with rate and channels of the
        video's and full scale 1. They are asked for as the picture goes on,
        so that neither is held in memory.

    start : fractions.Fraction
        When the sound begins, on the clock of the video (s).

    Returns
    -------
    pathlib.Path
        ``output``.

    Raises
    ------
    FileNotFoundError
        If there is no such video.
    OSError
        If the disk is full, or nothing can be written there.
    ValueError
        As ``check_mux``, or where the encoder does not take this sound.
    """
    check_mux(video, output)
    output = Path(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_path(output)
    try:
        with (
            opened(video) as source,
            _open_target(output, str(temporary)) as target,
        ):
            picture, sound = _add_streams(source, target, video, output)
            packets = heapq.merge(
                copied(source, picture),
                _coded(sound, pieces, start),
                key=_seconds,
            )
            for packet in packets:
                with _writing(output):
                    target.mux(packet)
        os.replace(temporary, output)
    finally:
        temporary.unlink(missing_ok=True)
    return output


@contextmanager
def _open_target(output, file):
    """Opens a video for writing, of the kind that a suffix asks for."""
    suffix = Path(output).suffix.lower()
    name = FORMATS.get(suffix, suffix[1:])
    try:
        target = load_av().open(file, "w", format=name)
    except ValueError as error:
        raise ValueError(
            f"{output}: '{suffix}' is no kind of video that can be written; "
            "name a file that ends in .mkv, .mp4, .mov, .avi, .mpg or .webm"
        ) from error
    with target:
        yield target
        with _writing(output):
            target.close()


@contextmanager
def _writing(output):
    """FFmpeg's errors are told of what is written, not of what is read."""
    try:
        yield
    except load_av().error.FFmpegError as error:
        if isinstance(error, OSError):
            raise OSError(
                error.errno, os.strerror(error.errno), str(output)
            ) from error
        raise ValueError(
            f"{output}: FFmpeg cannot write it ({error}): name an output that "
            "ends as the video does, or in .mkv or .wav"
        ) from error


def _add_streams(source, target, video, output):
    """The streams of a new video: the picture as it was, and a sound."""
    old = picture_of(source)
    if old is None:
        raise ValueError(
            f"{video}: no picture that a video could be made of; name an "
            "output that ends in .wav or .flac, or leave out --mux"
        )
    try:
        picture = target.add_stream_from_template(old)
    except ValueError as error:
        raise ValueError(
            f"{output}: {error}, which is the picture of {video}: name an "
            "output that ends as the video does, or in .mkv"
        ) from error
    return picture, _add_sound(sound_of(source, video, WAY_OUT), target, output)


def _add_sound(old, target, output):
    """A stream for the sound, coded as the old one if that is possible."""
    usual = [target.default_audio_codec, "aac", "libopus", "mp2", "pcm_s16le"]
    for name in [old.codec_context.codec.canonical_name, *usual]:
        if _encodes(name, old, target):
            sound = target.add_stream(name, rate=old.rate, layout=old.layout)
            wanted = LEAST_BIT_RATE * old.channels
            sound.bit_rate = max(old.bit_rate or 0, wanted)
            return sound
    raise ValueError(
        f"{output}: no encoder for {old.rate} Hz and {old.channels} channels "
        "in this kind of video; name an output that ends in .mkv"
    )


def _encodes(name, old, target):
    """Whether a kind of video takes a codec, and that a rate and layout."""
    av = load_av()
    try:
        coder = av.CodecContext.create(name, "w")
        coder.rate, coder.layout = old.rate, old.layout
        coder.format = coder.codec.audio_formats[0]
        coder.open()
    except (ValueError, av.error.FFmpegError):
        return False
    return coder.codec.canonical_name in target.supported_codecs


def _seconds(packet):
    return packet.dts * packet.time_base


def _coded(sound, pieces, start):
    """The packets of the sound."""
    av = load_av()
    coder = sound.codec_context
    position = round(start * sound.rate)
    to_coder = av.AudioResampler(
        coder.format, coder.layout, coder.rate, coder.frame_size or None
    )
    for piece in pieces:
        samples = np.ascontiguousarray(piece, dtype="float32").reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, "flt", coder.layout)
        frame.rate, frame.pts = sound.rate, position
        frame.time_base = Fraction(1, sound.rate)
        position += len(piece)
        for part in to_coder.resample(frame):
            yield from sound.encode(part)
    for part in [*to_coder.resample(None), None]:
        yield from sound.encode(part)
