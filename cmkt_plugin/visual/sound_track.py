"""The sound of a video, as a file that can be enhanced like any other."""

from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import soundfile

from cmkt_plugin.audio_stream import open_recording
from cmkt_plugin.file_tree import is_recording
from cmkt_plugin.visual.media import load_av, opened, sound_of
from cmkt_plugin.visual.unusable_clip import CORRUPT, UnusableClip

MICROSECONDS = 1_000_000
# Of clocks that round to milliseconds; what is missing beyond is a gap.
TOLERANCE = 0.1  # s
# By which the times that a whole file tells may differ from what is in it.
LATE = 0.5  # s
WAY_OUT = "there is nothing to enhance"  # of a video without sound


class SoundTrack(NamedTuple):
    """What is known of the sound of a video.

    Arguments
    ---------
    rate : int
        Sampling rate (Hz).
    channels : int
        Number of channels.
    start : fractions.Fraction
        When its first sample is heard, on the clock of the file (s).
    seconds : float
        How long it lasts.
    """

    rate: int
    channels: int
    start: Fraction
    seconds: float


def read_track(path):
    """What a video tells of its sound, without decoding it.

    Arguments
    ---------
    path : str or pathlib.Path
        The video.

    Returns
    -------
    SoundTrack
        Start and duration as the file tells them, where it does.

    Raises
    ------
    UnusableClip
        If it cannot be read or has no sound.
    """
    with opened(path) as container:
        stream = sound_of(container, path, WAY_OUT)
        start = (stream.start_time or 0) * stream.time_base
        seconds = float((stream.duration or 0) * stream.time_base)
        seconds = seconds or (container.duration or 0) / MICROSECONDS
        return SoundTrack(stream.rate, stream.channels, start, seconds)


@contextmanager
def opened_sound(path):
    """Opens the sound of a video as a recording.

    Arguments
    ---------
    path : str or pathlib.Path
        The video, or a sound file.

    Yields
    ------
    recording : cmkt_plugin.audio_stream.ForwardFile
        Its sound; that of a video is decoded into a temporary file.
    start : fractions.Fraction
        When it begins, on the clock of the video (s).

    Raises
    ------
    FileNotFoundError, ValueError
        If it cannot be read, is cut off, or has no sound.
    """
    if is_recording(path):
        with open_recording(path) as recording:
            yield recording, Fraction(0)
        return
    with TemporaryDirectory(prefix="cmkt_") as folder:
        # Its suffix is not that of an output, which is to have its own format.
        sound = Path(folder, "sound.rf64")
        track = spool_sound(path, sound)
        with open_recording(sound) as recording:
            yield recording, track.start


def spool_sound(path, target):
    """Decodes the sound of a video into a sound file.

    It keeps its rate and channels. Where the video's clock leaves a gap
    between two packets the file has silence, so that lips and sound stay
    together.

    Arguments
    ---------
    path : str or pathlib.Path
        The video.
    target : str or pathlib.Path
        The file to write: RF64, which may be of any length, with 24 bits,
        more than lossy codecs carry.

    Returns
    -------
    SoundTrack

    Raises
    ------
    UnusableClip
        If it cannot be read, is cut off, or has no sound.
    """
    with opened(path) as container:
        stream = sound_of(container, path, WAY_OUT)
        rate, channels = stream.rate, stream.channels
        sound = _Decoder(stream)
        with soundfile.SoundFile(
            *(str(target), "w", rate, channels), "PCM_24", format="RF64"
        ) as file:
            until = 0.0
            for packet in container.demux(_heard_and_seen(container, stream)):
                until = max(until, _end(packet))
                if packet.stream is stream:
                    for block in sound.decode(packet):
                        file.write(block)
        _refuse_cut(path, container, until, sound.samples)
    return SoundTrack(rate, channels, sound.start, sound.samples / rate)


class _Decoder:
    """Makes samples of packets, and silence of gaps between them."""

    def __init__(self, stream):
        self.stream, self.start, self.samples = stream, None, 0
        self._to_float = load_av().AudioResampler("flt", stream.layout)

    def decode(self, packet):
        """Yields blocks (time, channels)."""
        rate, channels = self.stream.rate, self.stream.channels
        for frame in packet.decode():
            gap = self._gap(frame)
            blocks = []
            if gap > TOLERANCE:
                blocks.append(np.zeros((round(gap * rate), channels)))
            for part in self._to_float.resample(frame):
                blocks.append(part.to_ndarray().reshape(-1, channels))
            for block in blocks:
                self.samples += len(block)
                yield block

    def _gap(self, frame):
        """Seconds between the last sample and the first of a frame."""
        if frame.pts is None:  # of old formats, which know no times
            self.start = self.start or Fraction(0)
            return 0.0
        time = frame.pts * frame.time_base
        if self.start is None:
            self.start = time
        return float(time - self.start) - self.samples / self.stream.rate


def _heard_and_seen(container, sound):
    """The picture is not decoded, but tells how long the file goes on."""
    return [sound, *container.streams.video[:1]]


def _end(packet):
    """When what a packet holds is over (s); 0 where nobody knows."""
    if packet.pts is None:
        return 0.0
    return float((packet.pts + (packet.duration or 0)) * packet.time_base)


def _refuse_cut(path, container, until, samples):
    begun = (container.start_time or 0) / MICROSECONDS
    promised = begun + (container.duration or 0) / MICROSECONDS
    if not samples or promised - until > LATE:
        raise UnusableClip(
            path,
            CORRUPT,
            f"it ends after {until:.2f} s with {samples} samples of sound, "
            f"expected {promised:.2f} s; copy or download it again",
        )
