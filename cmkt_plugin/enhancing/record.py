"""What the outputs in a folder were made of, so that work can go on."""

import hashlib
import json
import os
from contextlib import suppress
from functools import partial
from pathlib import Path

from cmkt_plugin.atomic import write_text
from cmkt_plugin.threads import map_in_threads

FILENAME = ".cmkt_enhance.jsonl"


class Record:
    """A file beside the outputs: the settings, and a line for each output.

    A line holds size and time of source and output. Times alone would not do:
    a source that is replaced by an older one (``cp -p``, ``rsync -t``) is
    older than its output, and nothing tells it. A file that grows by lines
    costs the same for the last of 100,000 outputs as for the first, and what
    a kill tears is one line: that output is made again.

    Arguments
    ---------
    folder : str or pathlib.Path
        The folder of the outputs; made if it is missing.
    settings : dict
        Model and options, as JSON can hold them. Each line names them too:
        what another command adds meanwhile is not taken for this one's.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> targets = {folder / "in.wav": folder / "out" / "in.wav"}
    >>> record = Record(folder / "out", {"model": "1b4f", "dry_wet": 1.0})
    >>> record.begin()
    >>> for source, target in targets.items():
    ...     source.touch()
    ...     target.touch()
    ...     record.note(source.stat(), target)
    >>> record.remaining(targets)
    {}
    """

    def __init__(self, folder, settings):
        self.folder, self.settings = Path(folder), settings
        self.path = self.folder / FILENAME
        text = json.dumps(settings, sort_keys=True)
        self._mark = hashlib.sha256(text.encode()).hexdigest()[:16]

    def begin(self):
        """Note the settings; outputs of other ones count no more."""
        entries = self._entries() if self.path.is_file() else {}
        lines = [json.dumps(entry) for entry in entries.values()]
        write_text(self.path, "\n".join([json.dumps(self.settings), *lines]))

    def note(self, before, target):
        """Note a finished output; threads and processes may do so at once.

        Arguments
        ---------
        before : os.stat_result
            Of the source, from before it was read: what changes it later
            makes the output an old one.
        target : pathlib.Path
            The output.
        """
        entry = {
            "output": self._name(target),
            "made": _stamp(target.stat()),
            "source": _stamp(before),
            "settings": self._mark,
        }
        # The line break comes first: it ends a line that a kill has torn. By
        # name, as another command may have replaced the file; who has deleted
        # it does not want it.
        with suppress(FileNotFoundError):
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND)
            try:
                os.write(file, b"\n" + json.dumps(entry).encode())
            finally:
                os.close(file)

    def remaining(self, targets, jobs=None):
        """Finds the recordings whose outputs are still to be made.

        Arguments
        ---------
        targets : dict
            Source to target, below the folder. If no record is there, this is
            the beginning.
        jobs : int or None
            Threads that look at files; None takes as many as there are cores.

        Returns
        -------
        dict
            The targets without those that are as they were noted, and whose
            sources are so too.

        Raises
        ------
        ValueError
            If the outputs were made with other settings, or nobody knows how.
        """
        if not self.path.is_file():
            self._refuse_unknown(targets)
            self.begin()
            return targets
        self._refuse_others()
        is_done = partial(self._is_done, self._entries())
        pairs = list(targets.items())
        done = map_in_threads(is_done, pairs, "Looking for outputs", jobs)
        return dict(pair for pair, found in zip(pairs, done) if not found)

    def _entries(self):
        """The lines that were written with these settings, by output."""
        _, *lines = self._text().split("\n")
        found = {}
        for line in lines:
            with suppress(ValueError, KeyError, TypeError):  # torn
                entry = json.loads(line)
                if entry["settings"] == self._mark:
                    found[entry["output"]] = entry
        return found

    def _is_done(self, entries, pair):
        source, target = pair
        entry = entries.get(self._name(target), {})
        try:
            now = _stamp(source.stat()), _stamp(target.stat())
        except OSError:
            return False
        return now == (entry.get("source"), entry.get("made"))

    def _text(self):
        # Whatever a crash has left in it: such a line is no JSON.
        return self.path.read_text(encoding="utf-8", errors="replace")

    def _name(self, target):
        return target.relative_to(self.folder).as_posix()

    def _refuse_unknown(self, targets):
        there = sum(target.exists() for target in targets.values())
        if there:
            raise ValueError(
                f"{there} outputs are in {self.folder} already, and "
                f"{FILENAME}, which tells what they were made of, is not: "
                "leave out --resume to replace them, or name another folder"
            )

    def _refuse_others(self):
        before = self._settings_before()
        differing = [
            k for k in self.settings if before.get(k) != self.settings[k]
        ]
        if differing:
            told = "; ".join(
                f"{key} was {before.get(key)}, is {self.settings[key]}"
                for key in differing
            )
            raise ValueError(
                f"the outputs in {self.folder} were made otherwise: {told}. "
                "Repeat those settings, leave out --resume to make all "
                "outputs again, or name another folder"
            )

    def _settings_before(self):
        first = self._text().partition("\n")[0]
        with suppress(ValueError):
            before = json.loads(first)
            if isinstance(before, dict):
                return before
        raise ValueError(
            f"{self.path} does not tell what the outputs were made with, but "
            f"begins with {first[:40]!r}: leave out --resume to make them again"
        )


def _stamp(status):
    return [status.st_size, status.st_mtime_ns]
