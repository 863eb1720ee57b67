"""Reads GRID (https://spandh.dcs.shef.ac.uk/gridcorpus).

M. Cooke, J. Barker, S. Cunningham, X. Shao, "An audio-visual corpus for speech
perception and automatic speech recognition", JASA 120(5), 2006.
"""

from avse_table import Clip

from cmkt_plugin.preparation import wrong_folder
from cmkt_plugin.text_file import read_text

SOURCE = "https://spandh.dcs.shef.ac.uk/gridcorpus"
SUFFIXES = (".mpg", ".mp4", ".avi", ".mkv")
SILENCES = ("sil", "sp")


class GridFolder:
    """Lists the clips of GRID.

    Videos are ``sN/video/*.mpg`` or ``sN/*.mpg``. What is said is read from
    ``sN/text/NAME.txt`` or from the alignments as they are published,
    ``sN/align/NAME.align`` or ``alignments/sN/NAME.align``. Names come again
    with other speakers: an id has the speaker in front.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> for name in ("s1/video", "s1/align"):
    ...     (folder / name).mkdir(parents=True)
    >>> (folder / "s1" / "video" / "bbaf2n.mpg").touch()
    >>> _ = (folder / "s1" / "align" / "bbaf2n.align").write_text(
    ...     "0 23750 sil\\n23750 29500 bin\\n29500 34000 blue\\n"
    ... )
    >>> clip = GridFolder()(folder)[0]
    >>> clip.id, clip.speaker, clip.transcript
    ('s1_bbaf2n', 's1', 'bin blue')
    """

    def __call__(self, folder):
        """Lists the clips.

        Arguments
        ---------
        folder : Path
            The folder with ``s1``, ``s2``, ...

        Returns
        -------
        list of Clip
        """
        videos = sorted(
            path
            for pattern in ("s[0-9]*/video/*", "s[0-9]*/*")
            for path in folder.glob(pattern)
            if path.suffix.lower() in SUFFIXES
        )
        if not videos:
            raise wrong_folder(
                *(folder, "GRID", SOURCE, "sN/video/*.mpg"),
                flag="--video_folder",
            )
        return [_clip(folder, path) for path in videos]


def _clip(folder, path):
    speaker = path.relative_to(folder).parts[0]
    return Clip(
        id=f"{speaker}_{path.stem}",
        video=str(path),
        speaker=speaker,
        transcript=_transcript(folder, speaker, path.stem),
    )


def _transcript(folder, speaker, name):
    """What is said, "" if there is no file that tells it."""
    text = folder / speaker / "text" / f"{name}.txt"
    if text.is_file():
        return " ".join(read_text(text).split())
    for aligned in (
        folder / speaker / "align" / f"{name}.align",
        folder / "alignments" / speaker / f"{name}.align",
    ):
        if aligned.is_file():
            return read_alignment(aligned)
    return ""


def read_alignment(path):
    """The words of an alignment: lines of beginning, end and word.

    Arguments
    ---------
    path : Path
        A file of GRID's alignments.

    Returns
    -------
    str
    """
    lines = [line.split() for line in read_text(path).splitlines()]
    words = [line[2] for line in lines if len(line) == 3]
    return " ".join(word for word in words if word not in SILENCES)
