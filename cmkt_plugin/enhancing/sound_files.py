"""What the enhancement of many files has to know of sound files."""

import soundfile

from cmkt_plugin.file_tree import is_recording
from cmkt_plugin.recordings import read_header


class SoundFiles:
    """Files that libsndfile reads.

    Attributes
    ----------
    name, expected : str
        What errors call one, and how their names end.

    Example
    -------
    >>> SoundFiles().has("a.flac"), SoundFiles().has("a.mp4")
    (True, False)
    """

    name = "recording"
    expected = (
        "files that end in wav, flac, ogg, mp3 or another suffix that "
        "libsndfile knows"
    )

    def has(self, name):
        """Whether a file's name is that of one."""
        return is_recording(name)

    def header(self, path):
        """Frames, sampling rate (Hz) and fault of a file.

        Arguments
        ---------
        path : pathlib.Path
            The file.

        Returns
        -------
        cmkt_plugin.recordings.Header
        """
        return read_header(path, channels=None)

    def channels(self, path):
        """Channels of a file, each of which is enhanced by itself."""
        return soundfile.info(path).channels

    def enhance(self, model, source, target, **options):
        """Enhances a file.

        Arguments
        ---------
        model : cmkt_plugin.inference.CMKTEnhancement
            The model.
        source, target : pathlib.Path
            The file, and the one to write.
        **options
            Of ``model.enhance_file``.
        """
        model.enhance_file(source, target, **options)
