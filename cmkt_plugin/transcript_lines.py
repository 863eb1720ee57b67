"""Reads a corpus's transcripts: lines of utterance and words."""

from cmkt_plugin.shown import first_few
from cmkt_plugin.text_file import read_text
from cmkt_plugin.threads import map_in_threads


def read_transcript_lines(files, jobs=None):
    """Reads the lines of transcript files.

    Arguments
    ---------
    files : list of CorpusFile
        UTF-8; each line is an utterance's name, a blank and its words.
    jobs : int or None
        Threads; None takes as many as there are cores.

    Returns
    -------
    dict
        Utterance to words, "" where the line has none.

    Raises
    ------
    ValueError
        If a file is not UTF-8, or an utterance has two transcripts that
        differ.

    Example
    -------
    >>> from cmkt_plugin.corpus_files import list_files
    >>> folder = getfixture("tmp_path")
    >>> _ = (folder / "84-1.trans.txt").write_text("84-1-0000 GO  DO YOU\\n")
    >>> read_transcript_lines(list_files([folder]))
    {'84-1-0000': 'GO DO YOU'}
    """
    paths = [file.path for file in files]
    texts = map_in_threads(read_text, paths, "Transcripts", jobs)
    words, differing = {}, []
    for path, text in zip(paths, texts):
        # Not splitlines(): a rare separator may stand in a text.
        for line in text.split("\n"):
            name, *rest = line.split() or [""]
            said = " ".join(rest)
            if words.setdefault(name, said) != said:
                differing.append(f"{name} ({path})")
    words.pop("", None)
    if differing:
        raise ValueError(
            f"{len(differing)} utterances have two transcripts, expected one: "
            f"{first_few(differing)}. Delete the wrong line of each"
        )
    return words
