"""Transcripts as they come, kept beside the output until it is whole."""

import json
import os
from pathlib import Path

from cmkt_plugin.atomic import write_text


class PartialTranscripts:
    """Texts of the batches that are done; survives a kill at any time.

    The file holds one line of JSON on what makes the texts, and one per
    batch. A last line without its end was being written when the process was
    killed, and is dropped.

    Arguments
    ---------
    path : str or pathlib.Path
        The file; what it holds is taken up.
    identity : dict
        What makes the texts (str to str): the model, the side and so on.

    Raises
    ------
    ValueError
        If the file was begun with something else, or cannot be read.

    Example
    -------
    >>> path = getfixture("tmp_path") / "asr.txt.partial"
    >>> PartialTranscripts(path, {"model": "a"}).add({"p1": "hello"})
    >>> PartialTranscripts(path, {"model": "a"}).texts
    {'p1': 'hello'}
    """

    def __init__(self, path, identity):
        self.path = Path(path)
        self.texts = {}
        written = self.path.read_bytes() if self.path.exists() else b""
        whole = written[: written.rfind(b"\n") + 1]
        if not whole:
            write_text(self.path, json.dumps(identity) + "\n")
            return
        begun, *batches = self._parse(whole)
        self._compare(begun, identity)
        os.truncate(self.path, len(whole))
        for texts in batches:
            self.texts.update(texts)

    def _parse(self, whole):
        try:
            return [json.loads(line) for line in whole.split(b"\n")[:-1]]
        except ValueError as error:
            raise ValueError(
                f"{self.path} is damaged ({error}): delete it to begin anew"
            ) from error

    def _compare(self, begun, identity):
        other = [
            f"{key} {begun.get(key)!r}, now {value!r}"
            for key, value in identity.items()
            if begun.get(key) != value
        ]
        if other:
            raise ValueError(
                f"{self.path} was begun with another {'; '.join(other)}. "
                "Delete it to begin anew, or name another output."
            )

    def add(self, texts):
        """Append a batch, on the disk when this returns.

        Arguments
        ---------
        texts : dict
            Utterance id to transcript.
        """
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(texts) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.texts.update(texts)

    def remove(self):
        """Delete the file, once its texts are elsewhere."""
        self.path.unlink()
