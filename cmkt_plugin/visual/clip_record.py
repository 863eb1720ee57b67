"""What is known of each clip in a folder of prepared ones."""

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path

FILENAME = "lips.jsonl"


class ClipRecord:
    """A line for each clip that was prepared or left out, as JSON.

    Beside the facts it holds size and time of the sources and a mark of the
    settings: a clip of which nothing has changed is not prepared again, nor
    is an unusable one tried again. Of two lines the later one counts, and a
    line that a kill has torn counts for nothing.

    Arguments
    ---------
    folder : str or Path
        The folder; made if it is missing.
    settings : dict
        What the clips are prepared with, as JSON can hold it.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> (folder / "a.mp4").touch()
    >>> record = ClipRecord(folder / "lips", {"offset_ms": 0.0})
    >>> before = stamps([folder / "a.mp4"])
    >>> record.note("a", before, {"fault": "no sound"})
    >>> record.find({"a": [folder / "a.mp4"]})
    {'a': {'fault': 'no sound'}}
    >>> other = ClipRecord(folder / "lips", {"offset_ms": 80.0})
    >>> other.find({"a": [folder / "a.mp4"]})
    {}
    """

    def __init__(self, folder, settings):
        self.path = Path(folder, FILENAME)
        self.settings = settings
        text = json.dumps(settings, sort_keys=True)
        self._mark = hashlib.sha256(text.encode()).hexdigest()[:16]

    def find(self, sources):
        """Finds the clips of which nothing has changed.

        Arguments
        ---------
        sources : dict
            Clip to its files.

        Returns
        -------
        dict
            Clip to facts.
        """
        lines = {line["id"]: line for line in self._lines()}
        return {
            name: lines[name]["facts"]
            for name, files in sources.items()
            if name in lines
            and lines[name]["settings"] == self._mark
            and lines[name]["sources"] == stamps(files)
        }

    def note(self, name, before, facts):
        """Notes a clip.

        Arguments
        ---------
        name : str
            The clip.
        before : list
            ``stamps`` of its files from before they were read: what changes
            them later makes the facts old ones.
        facts : dict
            What is known of it.
        """
        line = {
            "id": name,
            "facts": facts,
            "sources": before,
            "settings": self._mark,
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        file = os.open(self.path, flags, 0o666)
        try:
            # In one piece, and the line break first: it ends a torn line.
            os.write(file, b"\n" + json.dumps(line).encode())
        finally:
            os.close(file)

    def _lines(self):
        if not self.path.is_file():
            return
        text = self.path.read_text(encoding="utf-8", errors="replace")
        for line in text.split("\n"):
            with suppress(ValueError):  # empty or torn
                yield json.loads(line)


def stamps(files):
    """Size and time of files; None for those that are missing.

    Arguments
    ---------
    files : list of Path
        The files.

    Returns
    -------
    list of list
    """
    found = []
    for file in files:
        try:
            status = os.stat(file)
            found.append([status.st_size, status.st_mtime_ns])
        except OSError:
            found.append(None)
    return found
