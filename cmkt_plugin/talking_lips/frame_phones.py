"""Which phone is spoken in every video frame of a rendered clip."""

import csv

from cmkt_plugin.atomic import write_text
from cmkt_plugin.talking_lips.synthesis import Phone
from cmkt_plugin.talking_lips.visemes import SILENCE
from cmkt_plugin.visual.lips import FRAME_RATE

COLUMNS = ["start_s", "end_s", "phone"]


def write_phones(path, phones):
    """Writes the phones of a clip.

    Arguments
    ---------
    path : pathlib.Path
        The file to write, CSV.
    phones : list of Phone
        In order.

    Example
    -------
    >>> path = getfixture("tmp_path") / "a.csv"
    >>> write_phones(path, [Phone(0.16, 0.25, "b")])
    >>> read_phones(path)
    [Phone(start=0.16, end=0.25, symbol='b')]
    """
    rows = [f"{p.start:.4f},{p.end:.4f},{p.symbol}" for p in phones]
    write_text(path, "\n".join([",".join(COLUMNS), *rows]) + "\n")


def read_phones(path):
    """Reads the phones of a clip.

    Arguments
    ---------
    path : pathlib.Path
        A file of ``write_phones``.

    Returns
    -------
    list of Phone

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is of another kind.
    """
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        if rows.fieldnames != COLUMNS:
            raise ValueError(
                f"{path} has the columns {rows.fieldnames}, expected "
                f"{COLUMNS}: render the corpus again (cmkt talking-lips)."
            )
        return [
            Phone(float(row["start_s"]), float(row["end_s"]), row["phone"])
            for row in rows
        ]


def phone_of_frames(phones, frames):
    """The phone that is spoken when a frame is shown.

    Arguments
    ---------
    phones : list of Phone
        Of the clip, in order.
    frames : int
        Length of the clip.

    Returns
    -------
    list of str
        ``SILENCE`` where nothing is spoken.

    Example
    -------
    >>> phone_of_frames([Phone(0.03, 0.1, "b"), Phone(0.1, 0.12, "u")], 5)
    ['silence', 'b', 'b', 'silence', 'silence']
    """
    labels = [SILENCE] * frames
    for phone in phones:
        for frame in range(frames):
            if phone.start <= frame / FRAME_RATE < phone.end:
                labels[frame] = phone.symbol
    return labels
