"""Clips of a corpus, and the table (CSV) that lists those of any corpus."""

import csv
import io
from pathlib import Path
from typing import NamedTuple, Optional

from cmkt_plugin.shown import first_few
from cmkt_plugin.text_file import read_text

NEEDED = ("id", "video", "speaker", "transcript")
OPTIONAL = ("audio", "split", "phones")


class Clip(NamedTuple):
    """A video of one talker.

    Arguments
    ---------
    id : str
        Its name, which does as a file's.
    video : str
        The video file.
    speaker : str
        Who talks.
    transcript : str
        What is said; "" if that is not known.
    audio : str or None
        A file with the sound; None where the video's own is used.
    split : str or None
        ``train``, ``valid`` or ``test``, where the corpus says so.
    phones : str or None
        The phones that are said, separated by blanks.
    """

    id: str
    video: str
    speaker: str
    transcript: str
    audio: Optional[str] = None
    split: Optional[str] = None
    phones: Optional[str] = None


class ClipTable:
    """Reads the table of a corpus.

    Arguments
    ---------
    file : str
        A CSV file (UTF-8) in the folder of the videos. Its columns are id,
        video, speaker, transcript and, if wanted, audio, split and phones;
        paths are relative to that folder.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> _ = (folder / "clips.csv").write_text(
    ...     "id,video,speaker,transcript,split\\n"
    ...     "s1_a,s1/a.mpg,s1,bin blue,train\\n"
    ... )
    >>> clip = ClipTable()(folder)[0]
    >>> clip.id, clip.speaker, clip.transcript, clip.audio
    ('s1_a', 's1', 'bin blue', None)
    """

    def __init__(self, file="clips.csv"):
        self.file = file

    def __call__(self, folder):
        """Lists the clips.

        Arguments
        ---------
        folder : Path
            The folder of the videos.

        Returns
        -------
        list of Clip

        Raises
        ------
        FileNotFoundError, ValueError
            If there is no such table, or it is not as expected.
        """
        path = Path(folder, self.file)
        if not path.is_file():
            raise FileNotFoundError(
                f"{path} does not exist: expected a table of the clips with "
                f"the columns {', '.join(NEEDED)} (and {', '.join(OPTIONAL)}). "
                "Write one, name another by --reader "
                "'!new:avse_table.ClipTable [other.csv]', or choose another "
                "reader (README.md)"
            )
        rows = csv.DictReader(io.StringIO(read_text(path)))
        self._check_columns(path, rows.fieldnames or ())
        return [self._clip(path, row, rows.line_num) for row in rows]

    def _check_columns(self, path, columns):
        missing = [name for name in NEEDED if name not in columns]
        unknown = [name for name in columns if name not in (*NEEDED, *OPTIONAL)]
        if missing or unknown:
            raise ValueError(
                f"{path}: no column {', '.join(missing) or 'missing'}, unknown "
                f"{first_few(unknown) or 'none'}; expected "
                f"{', '.join(NEEDED)} and, if wanted, {', '.join(OPTIONAL)}"
            )

    def _clip(self, path, row, line):
        if None in row or None in row.values():
            raise ValueError(
                f"{path}: line {line} has another number of cells than the "
                "header; put a text with commas in quotes"
            )
        fields = {name: value.strip() for name, value in row.items()}
        for name in ("id", "video", "speaker"):
            if not fields[name]:
                raise ValueError(f"{path}: line {line} has no {name}")
        for name in ("video", "audio"):
            if fields.get(name):
                fields[name] = str(path.parent / fields[name])
        return Clip(
            **{
                name: value or (None if name in OPTIONAL else "")
                for name, value in fields.items()
            }
        )
