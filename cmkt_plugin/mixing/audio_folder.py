"""Lists the recordings of a folder of noise, or of room impulse responses."""

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

import soundfile
from speechbrain.utils.logger import get_logger

from cmkt_plugin.mixing.draws import pick
from cmkt_plugin.mixing.pcm import require_rate
from cmkt_plugin.mixing.rates import frames_needed
from cmkt_plugin.shown import first_few
from cmkt_plugin.threads import map_in_threads

logger = get_logger(__name__)


class AudioFile(NamedTuple):
    """A recording: name relative to the folder, frames, rate (Hz)."""

    name: str
    frames: int
    rate: int


class NoiseFolder:
    """Recordings of noise, of any format and rate that libsndfile reads.

    Folders in it, linked ones too, are searched; hidden files are passed over.
    Of several channels the first is heard: the mean of distant microphones
    would be a comb filter. What is unreadable or too short is left out, with
    a warning that counts and names it. Nothing is read before it is needed,
    and the headers once.

    Arguments
    ---------
    folder : str
        The folder.
    part : tuple of float
        Which part of the recordings: from, up to. A recording's place in
        [0, 1) is a hash of its name, so that the parts (0, 0.8), (0.8, 0.9)
        and (0.9, 1) of one folder are disjoint whatever is added to it.
        Pieces of one recording under several names may fall into two parts.
    minimum_seconds : float
        Shorter recordings are left out: repeated, they sound as a tone.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> soundfile.write(folder / "hum.flac", [0.5] * 44100, 44100)
    >>> NoiseFolder(folder).list_files()
    [AudioFile(name='hum.flac', frames=44100, rate=44100)]
    """

    def __init__(self, folder, part=(0.0, 1.0), minimum_seconds=1.0):
        if not 0 <= part[0] < part[1] <= 1:
            raise ValueError(
                f"part is {tuple(part)}: expected 0 <= from < up to <= 1, "
                "e.g. (0.0, 0.8) for training and (0.8, 1.0) for testing"
            )
        self.folder = folder
        self.part = tuple(part)
        self.minimum_seconds = minimum_seconds
        self._files = None

    def list_files(self):
        """Lists the recordings, in order of name.

        Returns
        -------
        list of AudioFile

        Raises
        ------
        ValueError, FileNotFoundError
            If there is no such folder or nothing to use in it.
        """
        if self._files is None:
            self._files = self._scan()
        return self._files

    def path(self, file):
        """Returns the path of one of the recordings."""
        return str(Path(self.folder, file.name))

    def draw(self, source, length, sample_rate):
        """Draws a recording and where in it the noise begins.

        Arguments
        ---------
        source : random.Random
            The generator.
        length : int
            Samples of noise wanted.
        sample_rate : int
            Their rate (Hz).

        Returns
        -------
        path : str
            The recording; all are equally probable.
        offset : int
            Frame at its own rate: such that it need not be repeated, where it
            is long enough; else 0.
        """
        file = pick(source, self.list_files())
        needed = frames_needed(length, file.rate, sample_rate)
        starts = max(file.frames - needed + 1, 1)
        return self.path(file), int(source.random() * starts)

    def _scan(self):
        if self.folder is None or not Path(self.folder).is_dir():
            raise FileNotFoundError(
                f"{self.folder}: expected a folder of recordings, found none; "
                "name the one that holds noise or room impulse responses"
            )
        names = [
            name
            for name in sorted(_names(self.folder))
            if self.part[0] <= _place(name) < self.part[1]
        ]
        headers = map_in_threads(self._read_header, names, "Noise headers")
        left_out = [fault for _, fault in headers if fault]
        files = [file for file, fault in headers if not fault]
        if not files:
            raise ValueError(self._nothing(left_out))
        if left_out:
            logger.warning(
                f"{self.folder}: {len(left_out)} of {len(names)} files left "
                f"out: {first_few(left_out)}"
            )
        return files

    def _read_header(self, name):
        """Returns an AudioFile and what is wrong with it ("" for nothing)."""
        try:
            with soundfile.SoundFile(str(Path(self.folder, name))) as audio:
                file = AudioFile(name, audio.frames, audio.samplerate)
                # A flac or mp3 header has its length whatever is left of it.
                audio.seek(max(audio.frames - 1, 0))
                whole = len(audio.read(1)) == min(audio.frames, 1)
        # TypeError: headerless audio, whose rate libsndfile wants to be told.
        except (soundfile.SoundFileError, OSError, TypeError):
            whole = False
        if not whole:
            return None, f"{name} (not readable as audio to its end)"
        seconds = file.frames / file.rate
        if file.frames == 0 or seconds < self.minimum_seconds:
            return file, f"{name} ({seconds:.3f} s)"
        return file, ""

    def _nothing(self, left_out):
        found = f"{len(left_out)} others: {first_few(left_out)}"
        return (
            f"{self.folder}: expected at least one recording of at least "
            f"{self.minimum_seconds} s in part {self.part}, found none"
            f"{' but ' + found if left_out else ''}. Name a folder with wav, "
            "flac, ogg or mp3 files, a wider part or a lower minimum_seconds"
        )


class RIRFolder(NoiseFolder):
    """Room impulse responses: as ``NoiseFolder``, of any duration.

    Arguments
    ---------
    folder : str
        The folder.
    part : tuple of float
        Which part of the responses: from, up to.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> soundfile.write(folder / "room.wav", [0.9, 0.3], 16000)
    >>> len(RIRFolder(folder).list_files())
    1
    """

    def __init__(self, folder, part=(0.0, 1.0)):
        super().__init__(folder, part, minimum_seconds=0.0)

    def require_rate(self, sample_rate):
        """Refuses a folder in which a response has another rate.

        Arguments
        ---------
        sample_rate : int
            The model's rate (Hz).

        Raises
        ------
        ValueError
            Naming the first such file.
        """
        for file in self.list_files():
            require_rate(
                self.path(file),
                file.rate,
                sample_rate,
                "a room impulse response",
            )


def _names(folder):
    """Yields the names of all files; follows links, but not in a circle."""
    seen = set()
    for parent, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        real = os.path.realpath(parent)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        for name in files:
            if not name.startswith("."):
                yield Path(parent, name).relative_to(folder).as_posix()


def _place(name):
    """Where a name stands in [0, 1), on every machine."""
    # Six bytes: a float holds them exactly, so that it stays below 1.
    digest = hashlib.sha256(name.encode()).digest()[:6]
    return int.from_bytes(digest, "big") / 2**48
