"""The lips of a video, cropped while its sound is enhanced."""

from itertools import islice

from cmkt_plugin.visual.crop import crop
from cmkt_plugin.visual.face_detector import CascadeDetector
from cmkt_plugin.visual.lip_track import LipTrack, absent
from cmkt_plugin.visual.lips import FRAME_RATE
from cmkt_plugin.visual.mouth import MouthGeometry
from cmkt_plugin.visual.video import at_frame_rate, read_frames


class VideoLips(LipTrack):
    """Mouth regions of a video, cropped when they are asked for.

    Of an hour they would be 830 MB. So the video is decoded twice, first to
    follow the face: smoothing looks ahead. What is kept of it is where the
    mouth is, and the crops of one window.

    Arguments
    ---------
    path : str or pathlib.Path
        The video.
    start : fractions.Fraction
        When the sound begins, on the video's clock (s).
    detector, mouth : callable or None
        As for ``cmkt_plugin.visual.lip_regions.find_lips``.

    Raises
    ------
    cmkt_plugin.visual.unusable_clip.UnusableClip
        If there is no picture, or the file is damaged.
    """

    def __init__(self, path, start, detector=None, mouth=None):
        detector, mouth = (
            detector or CascadeDetector(),
            mouth or MouthGeometry(),
        )
        self.path, self.start = path, start
        faces = [
            [] if image is None else detector(image) for image in self._images()
        ]
        self.squares, self.present = mouth(faces)

    def _images(self):
        return at_frame_rate(read_frames(self.path), self.start)

    def _crops(self, count):
        """The first frames in blocks, filled up with absent ones."""
        frames = zip(self._images(), self.squares, self.present)
        for first in range(0, count, FRAME_RATE):
            block = absent(FRAME_RATE)
            for place, (image, square, seen) in zip(
                block, islice(frames, FRAME_RATE)
            ):
                if seen:
                    place["pixels"], place["present"] = crop(image, square), 1
            yield block
