"""Reads a folder of videos with a text file beside each."""

import re
from pathlib import Path

from avse_table import Clip

from cmkt_plugin.file_tree import walk_files
from cmkt_plugin.preparation import wrong_folder
from cmkt_plugin.text_file import read_text
from cmkt_plugin.visual.video_files import VIDEOS, is_video


class VideoFolder:
    """Lists videos in any subfolders, each with a text of the same name.

    Arguments
    ---------
    speaker : str
        Regular expression with one group, the speaker, searched in the path
        without its extension. The default takes the name of the folder.
    texts : str
        Where the texts are, relative to the folder of a video: "." beside it,
        "../text" in a folder next to it.
    audio : str or None
        Where recordings of the same name (wav) are, in the same way; None
        takes the sound of the videos.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> (folder / "SP01").mkdir()
    >>> (folder / "SP01" / "001.mp4").touch()
    >>> _ = (folder / "SP01" / "001.txt").write_text("今天 天氣", "utf-8")
    >>> clip = VideoFolder()(folder)[0]
    >>> clip.id, clip.speaker, clip.transcript
    ('SP01_001', 'SP01', '今天 天氣')
    """

    def __init__(self, speaker=r"([^/]+)/[^/]+$", texts=".", audio=None):
        try:
            self.pattern = re.compile(speaker)
        except re.error as error:
            raise ValueError(
                f"speaker {speaker!r} is no regular expression: {error}"
            ) from error
        if self.pattern.groups != 1:
            raise ValueError(
                f"speaker {speaker!r} has {self.pattern.groups} groups, "
                r"expected one, as in '^([^_]+)_'"
            )
        self.speaker, self.texts, self.audio = speaker, texts, audio

    def __call__(self, folder):
        """Lists the clips.

        Arguments
        ---------
        folder : Path
            The folder.

        Returns
        -------
        list of Clip
        """
        names = sorted(name for name in walk_files(folder) if is_video(name))
        if not names:
            raise wrong_folder(
                *(folder, "videos", "the corpus"),
                f"files {', '.join(VIDEOS)}",
                flag="--video_folder",
            )
        return [self._clip(folder, Path(name)) for name in names]

    def _clip(self, folder, name):
        stem = name.with_suffix("").as_posix()
        found = self.pattern.search(stem)
        if found is None:
            raise ValueError(
                f"{folder / name}: no speaker is found in its path by "
                f"{self.pattern.pattern!r}; set the reader's speaker to an "
                "expression that fits the names"
            )
        text = self._beside(folder, name, self.texts, ".txt")
        audio = self.audio
        if audio is not None:
            audio = str(self._beside(folder, name, audio, ".wav"))
        return Clip(
            id=stem.replace("/", "_"),
            video=str(folder / name),
            speaker=found[1],
            transcript=read_text(text).strip() if text.is_file() else "",
            audio=audio,
        )

    def _beside(self, folder, name, place, suffix):
        return folder / name.parent / place / f"{name.stem}{suffix}"
