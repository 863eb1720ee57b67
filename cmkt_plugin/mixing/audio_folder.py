"""Lists the recordings of a folder of noise, or of room impulse responses."""

from pathlib import Path
from typing import NamedTuple

from speechbrain.utils.logger import get_logger

from cmkt_plugin.file_tree import walk_files
from cmkt_plugin.mixing.draws import pick
from cmkt_plugin.mixing.parts import (
    PIECES,
    POSITIONS,
    group_of,
    in_part,
    require_part,
    require_pattern,
)
from cmkt_plugin.mixing.pcm import require_rate
from cmkt_plugin.mixing.rates import frames_needed
from cmkt_plugin.recordings import read_header
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
        [0, 1) is a hash of its group, so that the parts (0, 0.8), (0.8, 0.9)
        and (0.9, 1) of one folder are disjoint whatever is added to it.
    minimum_seconds : float
        Shorter recordings are left out: repeated, they sound as a tone.
    group : str or None
        Regular expression for what tells pieces of one recording apart, at
        the end of the path without its extension (see ``parts``): files that
        differ in that alone are in one part. None takes every file for a
        recording of its own.

    Example
    -------
    >>> import soundfile
    >>> folder = getfixture("tmp_path")
    >>> soundfile.write(folder / "hum.flac", [0.5] * 44100, 44100)
    >>> NoiseFolder(folder).list_files()
    [AudioFile(name='hum.flac', frames=44100, rate=44100)]
    """

    def __init__(
        self, folder, part=(0.0, 1.0), minimum_seconds=1.0, group=PIECES
    ):
        self.folder = folder
        self.part = require_part(part)
        self.minimum_seconds = minimum_seconds
        self.group = require_pattern(group)
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

    def group_of(self, name):
        """Returns the group of a file, by its path; see ``parts``."""
        return group_of(name, self.group)

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
        names = self._names_in_part()
        headers = map_in_threads(self._check, names, "Headers")
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

    def _names_in_part(self):
        names = sorted(walk_files(self.folder))
        groups = {name: self.group_of(name) for name in names}
        found = [n for n in names if in_part(self.part, groups[n])]
        if names and not found:
            raise ValueError(
                f"{self.folder}: none of its {len(names)} files "
                f"({len(set(groups.values()))} groups of pieces of one "
                f"recording, told apart by {self.group}) is in part "
                f"{self.part}. Add recordings, name a folder of its own for "
                "this part, or widen it; if every file is a recording of its "
                "own, set group (noise_group, rir_group in YAML) to null"
            )
        return found

    def _check(self, name):
        """Returns an AudioFile and what is wrong with it ("" for nothing)."""
        header = read_header(Path(self.folder, name), channels=None)
        file = AudioFile(name, header.frames, header.rate)
        if header.fault:
            return file, f"{name} ({header.fault})"
        seconds = file.frames / file.rate
        short = seconds < self.minimum_seconds
        return file, f"{name} ({seconds:.3f} s)" if short else ""

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
    group : str or None
        Regular expression for what tells positions in one room apart.

    Example
    -------
    >>> import soundfile
    >>> folder = getfixture("tmp_path")
    >>> soundfile.write(folder / "room.wav", [0.9, 0.3], 16000)
    >>> len(RIRFolder(folder).list_files())
    1
    """

    def __init__(self, folder, part=(0.0, 1.0), group=POSITIONS):
        super().__init__(folder, part, minimum_seconds=0.0, group=group)

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
