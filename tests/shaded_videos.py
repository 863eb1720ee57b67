"""Videos of a few seconds, made on the spot, and enhancers that show time."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from cmkt_plugin.enhancers import Enhanced
from cmkt_plugin.visual.face_detector import Face

av = pytest.importorskip("av", reason="videos need the extra [av]")
RATE, SIDE = 16000, 96


class Brightness(torch.nn.Module):
    """As loud as the lips are bright; a hundredth where nothing is seen."""

    hop_length = 128

    def forward(self, noisy, lengths, need_wav=True, lips=None):
        if lips is None:
            return Enhanced(0.01 * noisy, None)
        seen = lips.pixels.float().mean(dim=(2, 3)) / 255 * lips.present
        frame = torch.arange(noisy.shape[1]) * 25 // RATE
        frame = frame.clamp(max=seen.shape[1] - 1)
        return Enhanced(noisy * seen[:, frame], None)


class WholePicture:
    """Stands for the detector: all of a picture that is not black."""

    def __call__(self, image):
        return [Face(0, 0, SIDE, SIDE)] if image.mean() > 4 else []


def tone(seconds, rate=RATE, channels=1):
    """Samples (time, channels), another tone for each."""
    time = np.arange(round(seconds * rate)) / rate
    tones = [np.sin(2 * np.pi * 100 * (1 + c) * time) for c in range(channels)]
    return 0.4 * np.stack(tones, axis=1).astype("float32")


def write_video(
    path,
    grey=(),
    sound=None,
    rate=RATE,
    begins=0.0,
    gap=(0.0, 0.0),
    codecs=("ffv1", "pcm_s16le"),
):
    """Writes a video.

    Arguments
    ---------
    path : pathlib.Path
        The file; its suffix tells the container.
    grey : sequence of int
        The grey level of each picture; none: no picture.
    sound : numpy.ndarray or None
        Samples (time, channels).
    rate : int
        Their rate (Hz).
    begins : float
        When the sound begins (s).
    gap : tuple of float
        After how much of the sound there is none, and for how long (s).
    codecs : tuple of str
        Of picture and sound.
    """
    with av.open(str(path), "w") as file:
        picture = hearing = None
        if len(grey):
            picture = file.add_stream(codecs[0], rate=25)
            picture.width, picture.height = SIDE, SIDE
            picture.pix_fmt = "yuv420p"
        if sound is not None:
            layout = "mono" if sound.shape[1] == 1 else "stereo"
            hearing = file.add_stream(codecs[1], rate=rate, layout=layout)
        for number, level in enumerate(grey):
            image = np.full((SIDE * 3 // 2, SIDE), 128, np.uint8)
            image[:SIDE] = level
            frame = av.VideoFrame.from_ndarray(image, "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            file.mux(picture.encode(frame))
        if picture:
            file.mux(picture.encode(None))
        if hearing:
            _write_sound(file, hearing, sound, begins, gap)


def _write_sound(file, hearing, sound, begins, gap):
    rate = hearing.rate
    first = round(gap[0] * rate)
    _write_part(file, hearing, sound[:first], begins)
    _write_part(file, hearing, sound[first:], begins + sum(gap))
    file.mux(hearing.encode(None))


def _write_part(file, hearing, sound, begins):
    if not len(sound):
        return
    coder, rate = hearing.codec_context, hearing.rate
    to_coder = av.AudioResampler(
        coder.format, coder.layout, rate, coder.frame_size or 1024
    )
    samples = np.ascontiguousarray(sound).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(samples, "flt", coder.layout)
    frame.rate, frame.time_base = rate, Fraction(1, rate)
    frame.pts = round(begins * rate)
    for part in [*to_coder.resample(frame), *to_coder.resample(None)]:
        file.mux(hearing.encode(part))


def packets(path):
    """What the picture of a video is made of, packet by packet."""
    with av.open(str(path)) as file:
        return [
            bytes(packet)
            for packet in file.demux(file.streams.video[0])
            if packet.size
        ]


def shown_from(path):
    """When the first picture of a video is shown (s)."""
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        times = [p.pts for p in file.demux(stream) if p.pts is not None]
        return float(min(times) * stream.time_base)


def heard(path):
    """Samples (time, channels) of a video, and when they begin (s)."""
    with av.open(str(path)) as file:
        stream, blocks, start = file.streams.audio[0], [], None
        to_float = av.AudioResampler("flt", stream.layout)
        for frame in file.decode(stream):
            start = frame.time if start is None else start
            for part in to_float.resample(frame):
                blocks.append(part.to_ndarray().reshape(-1, stream.channels))
    return np.concatenate(blocks), start
