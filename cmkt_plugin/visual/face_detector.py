"""Finds the faces in a picture with OpenCV's cascades.

Their models ship in the package opencv-python-headless below 5. Measured on
GRID's eleven clips (825 frames, 360x288): ``frontalface_alt2`` finds one face
in each, in 7 ms; ``frontalface_default`` more than one in every eighth.
MediaPipe's newest wheel carries no model and the last that does (0.10.14) runs
only beside protobuf 4: wrapped in a class with the same ``__call__`` it can
take this detector's place.
"""

from pathlib import Path
from typing import NamedTuple

from cmkt_plugin.visual.media import load_cv2

FRONTAL = "haarcascade_frontalface_alt2.xml"
PROFILE = "haarcascade_profileface.xml"  # of those who look to the left


class Face(NamedTuple):
    """The square around a face, from brow to chin (pixels)."""

    left: float
    top: float
    width: float
    height: float


class CascadeDetector:
    """Viola and Jones's detector (doi:10.1109/CVPR.2001.990517).

    Any object can take its place that, called with a grey picture (height,
    width) uint8, gives a list of ``Face``, and that can be pickled.

    Arguments
    ---------
    cascades : list of str
        Files of OpenCV's package, or paths of others. Each is asked only
        where those before it find nothing: ``[FRONTAL, PROFILE]``.
    smallest : float
        Smallest face, as a share of the picture's shorter side.
    scale : float
        Ratio of the sizes tried; nearer to 1 finds more and takes longer.
    neighbours : int
        Overlapping hits that make a face; more gives fewer false ones.
    shorter_side : int
        Pixels to which larger pictures are reduced to find faces in them. The
        lips are cropped from the picture as it is.

    Raises
    ------
    FileNotFoundError
        When called, if there is no such cascade.

    Example
    -------
    >>> import numpy as np
    >>> CascadeDetector()(np.zeros((288, 360), np.uint8))
    []
    """

    def __init__(
        self,
        cascades=(FRONTAL,),
        smallest=0.2,
        scale=1.1,
        neighbours=3,
        shorter_side=288,
    ):
        self.settings = {
            "cascades": list(cascades),
            "smallest": smallest,
            "scale": scale,
            "neighbours": neighbours,
            "shorter_side": shorter_side,
        }
        self._loaded = None

    def __call__(self, image):
        """Finds faces.

        Arguments
        ---------
        image : numpy.ndarray
            A grey picture (height, width), uint8.

        Returns
        -------
        list of Face
        """
        cv2 = load_cv2()
        if self._loaded is None:
            self._loaded = [_load(c) for c in self.settings["cascades"]]
        ratio = max(min(image.shape) / self.settings["shorter_side"], 1)
        if ratio > 1:
            size = [round(side / ratio) for side in image.shape[::-1]]
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        for cascade in self._loaded:
            found = self._find(cascade, image)
            if len(found):
                return [Face(*(ratio * found_box)) for found_box in found]
        return []

    def __getstate__(self):
        # OpenCV's objects cannot be sent to worker processes.
        return {**self.__dict__, "_loaded": None}

    def _find(self, cascade, image):
        smallest = round(self.settings["smallest"] * min(image.shape))
        return cascade.detectMultiScale(
            image,
            scaleFactor=self.settings["scale"],
            minNeighbors=self.settings["neighbours"],
            minSize=(smallest, smallest),
        )


def _load(name):
    cv2 = load_cv2()
    # Version 5 has no cascades.
    folder = getattr(getattr(cv2, "data", None), "haarcascades", "")
    path = Path(folder, name)
    if not hasattr(cv2, "CascadeClassifier") or not path.is_file():
        raise FileNotFoundError(
            f"{path}: expected a cascade of OpenCV {cv2.__version__}; install "
            "opencv-python-headless below 5, or name another file"
        )
    return cv2.CascadeClassifier(str(path))
