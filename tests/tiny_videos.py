"""Small videos for tests: a drawn face or plain pictures, with sound."""

from fractions import Fraction

import av
import cv2
import numpy as np

RATE = 16000  # Hz
TICK = Fraction(1, 1000)  # seconds
WIDTH, HEIGHT = 180, 144


def face(mouth=0.0, x=90, y=72, size=100):
    """A face that OpenCV's cascade finds, its mouth open by 0 to 1."""
    image = np.full((HEIGHT, WIDTH), 90, np.uint8)

    def ellipse(across, down, wide, high, grey):
        scale = size / 100
        place = round(16 * (x + across * scale)), round(16 * (y + down * scale))
        axes = round(16 * wide * scale), round(16 * high * scale)
        cv2.ellipse(image, place, axes, 0, 0, 360, grey, -1, cv2.LINE_AA, 4)

    ellipse(0, -8, 46, 58, 60)
    ellipse(0, 5, 38, 50, 190)
    for side in (-17, 17):
        ellipse(side, -12, 10, 3, 70)
        ellipse(side, -3, 9, 5, 120)
        ellipse(side, -3, 4, 4, 40)
    ellipse(0, 12, 5, 10, 165)
    ellipse(0, 20, 8, 3, 120)
    ellipse(0, 35, 14, 3 + 8 * mouth, 60)
    return cv2.GaussianBlur(image, (0, 0), 1.2)


def blank():
    """A picture without a face."""
    return np.full((HEIGHT, WIDTH), 90, np.uint8)


def tone(seconds, rate=RATE):
    """A sound (time,)."""
    return 0.3 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)


def write_video(
    path, images=(), times=None, fps=25, sound=None, sound_start=0.0, turn=None
):
    """Writes a video; the suffix tells the kind.

    Arguments
    ---------
    path : Path
        ``.mkv`` for times as they are given.
    images : list of numpy.ndarray
        Grey pictures (height, width), uint8; none: no picture.
    times : list of float
        When each is shown (s); None: ``fps`` a second.
    sound : numpy.ndarray or None
        Samples at 16 kHz (time,); None: no sound.
    sound_start : float
        When it begins (s).
    turn : int or None
        By how many degrees a player is to turn the picture, to the left.
    """
    with av.open(str(path), "w") as file:
        if len(images):
            picture = _picture(file, images[0], fps, turn)
        heard = sound is not None and file.add_stream(
            "pcm_s16le" if path.suffix == ".mkv" else "aac", rate=RATE
        )
        if heard:
            heard.layout = "mono"
        for number, image in enumerate(images):
            time = number / fps if times is None else times[number]
            frame = av.VideoFrame.from_ndarray(image, "gray")
            frame.pts, frame.time_base = round(time / TICK), TICK
            file.mux(picture.encode(frame.reformat(format="yuv420p")))
        if len(images):
            file.mux(picture.encode())
        if heard:
            _write_sound(file, heard, sound, sound_start)
    return path


def _picture(file, image, fps, turn):
    picture = file.add_stream("libx264", rate=Fraction(fps).limit_denominator())
    picture.height, picture.width = image.shape
    picture.pix_fmt = "yuv420p"
    # No frame waits for later ones: the end of a cut file is lost alone.
    picture.options = {"preset": "ultrafast", "crf": "12", "threads": "1"}
    picture.codec_context.time_base = TICK
    if turn is not None:
        picture.set_display_rotation(turn)
    return picture


def _write_sound(file, stream, sound, start):
    samples = np.round(np.asarray(sound) * 32767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(samples[None], "s16", "mono")
    frame.rate, frame.pts = RATE, round(start * RATE)
    frame.time_base = Fraction(1, RATE)
    format = stream.codec_context.format
    resampler = av.AudioResampler(
        format, "mono", RATE, stream.codec_context.frame_size or None
    )
    for part in [*resampler.resample(frame), *resampler.resample(None), None]:
        file.mux(stream.encode(part))
