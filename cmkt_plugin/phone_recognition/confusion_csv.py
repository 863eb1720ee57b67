"""Confusions and errors of each recording, as CSV."""

import csv
import io
import re

from cmkt_plugin.atomic import write_text
from cmkt_plugin.phone_recognition.alignment import count_errors


def write_confusions(counts, output):
    """Writes a matrix for each system: clean phones down, heard ones across.

    The empty label is nothing: its column holds deletions, its row insertions.

    Arguments
    ---------
    counts : dict
        From ``phone_errors.confusions``.
    output : pathlib.Path
        ``_confusions_<system>.csv`` is appended to its name.

    Example
    -------
    >>> output = getfixture("tmp_path") / "x"
    >>> write_confusions({"cmkt/1": {("a", "b"): 2, ("b", ""): 1}}, output)
    >>> print(output.with_name("x_confusions_cmkt_1.csv").read_text(), end="")
    clean,,a,b
    ,0,0,0
    a,0,0,2
    b,1,0,0
    """
    # The same in all: matrices can then be subtracted.
    labels = {label for given in counts.values() for p in given for label in p}
    labels = sorted(labels | {""})
    names = _file_names(counts)
    for name, given in counts.items():
        rows = [
            [was, *(given.get((was, became), 0) for became in labels)]
            for was in labels
        ]
        path = output.with_name(f"{output.name}_confusions_{names[name]}.csv")
        write_text(path, _csv(["clean", *labels], rows))


def write_errors(alignments, speakers, output):
    """Writes the errors of every recording and system.

    Arguments
    ---------
    alignments : dict
        From ``phone_errors.align_systems``.
    speakers : dict
        Utterance to speaker.
    output : pathlib.Path
        ``.csv`` is appended to its name.
    """
    rows = [
        [name, speakers[name], system, *count_errors(pairs).values()]
        for system, given in alignments.items()
        for name, pairs in given.items()
    ]
    header = ["id", "speaker", "system", "phones"]
    header += ["substitutions", "deletions", "insertions"]
    write_text(output.with_name(f"{output.name}.csv"), _csv(header, rows))


def _file_names(systems):
    """Names of systems that may stand in a file's name, each another one."""
    names = {}
    for system in systems:
        name = re.sub(r"\W+", "_", system)
        while name in names.values():
            name += "_"
        names[system] = name
    return names


def _csv(header, rows):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([header, *rows])
    return text.getvalue()
