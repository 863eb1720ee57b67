"""What makes a clip unusable, by a name under which clips are counted."""

NO_FILE = "no file"
CORRUPT = "corrupt file"
NO_SOUND = "no sound"
NO_PICTURE = "no picture"
NO_FACE = "no face"
LENGTHS = "different lengths"


class UnusableClip(ValueError):
    """A clip that cannot be prepared.

    Arguments
    ---------
    path : str or Path
        Its file.
    fault : str
        One of the names above.
    detail : str
        What was expected, what was found, the way out.

    Example
    -------
    >>> error = UnusableClip("a.mp4", NO_SOUND, "expected an audio stream")
    >>> str(error), error.fault
    ('a.mp4: no sound: expected an audio stream', 'no sound')
    """

    def __init__(self, path, fault, detail):
        # All three: worker processes send errors back by their arguments.
        super().__init__(path, fault, detail)
        self.path, self.fault, self.detail = path, fault, detail

    def __str__(self):
        return f"{self.path}: {self.fault}: {self.detail}"
