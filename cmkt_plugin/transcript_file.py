"""Transcripts in a file of their own: a header, then ``id<TAB>text`` lines."""

from cmkt_plugin.atomic import write_text
from cmkt_plugin.text_file import read_text


def write_transcripts(path, texts, header):
    """Write transcripts, all of them or none.

    White space inside a text (line breaks and tabs too, which some models
    give) becomes single blanks. Everything else is kept as it is.

    Arguments
    ---------
    path : str or pathlib.Path
        The file to write (UTF-8); replaced if it is there.
    texts : dict
        Utterance id to transcript, in the order of the file; a transcript may
        be empty.
    header : dict
        What made them: keys and values of the lines ``# key: value``.

    Raises
    ------
    ValueError
        If an id or an entry of the header does not fit into its line.

    Example
    -------
    >>> path = getfixture("tmp_path") / "asr.txt"
    >>> write_transcripts(
    ...     path, {"p1": "hello\\nyou", "p2": ""}, {"side": "clean"}
    ... )
    >>> path.read_text()
    '# side: clean\\np1\\thello you\\np2\\t\\n'
    >>> read_transcripts(path)
    ({'side': 'clean'}, {'p1': 'hello you', 'p2': ''})
    """
    lines = [_header_line(key, value) for key, value in header.items()]
    lines += [transcript_line(name, text) for name, text in texts.items()]
    write_text(path, "".join(lines))


def transcript_line(name, text):
    """The line of one utterance.

    Arguments
    ---------
    name : str
        Id of the utterance.
    text : str
        Its transcript.

    Returns
    -------
    str
        With the line break.

    Raises
    ------
    ValueError
        If the id is empty, starts with ``#``, has a blank at an end or other
        white space anywhere.

    Example
    -------
    >>> transcript_line("p1", "two  words ")
    'p1\\ttwo words\\n'
    """
    odd = any(letter.isspace() and letter != " " for letter in name)
    if odd or not name or name != name.strip() or name.startswith("#"):
        raise ValueError(
            f"The utterance id {name!r} cannot be written to a transcript "
            "file. Expected at least one character, no tab or line break, no "
            "blank at its ends and no # in front. Rename it in the annotation."
        )
    return f"{name}\t{' '.join(text.split())}\n"


def _header_line(key, value):
    line = f"# {key}: {value}"
    if ":" in str(key) or len(line.splitlines()) != 1:
        raise ValueError(
            f"The header entry {key!r}: {value!r} does not fit into one line "
            "`# key: value`. Expected no line break, and no colon in the key."
        )
    return line + "\n"


def read_transcripts(path):
    """Read what `write_transcripts` wrote, or a hand-made file like it.

    Arguments
    ---------
    path : str or pathlib.Path
        The file. The header may be missing; empty lines are skipped.

    Returns
    -------
    header : dict
        Key to value, both strings.
    texts : dict
        Utterance id to transcript, in the order of the file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not UTF-8, a line has no tab or two, or an id is repeated;
        file and line are named.
    """
    header, texts, seen = {}, {}, {}
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        # Only in front: an id cannot start with #, a header ends for good.
        if line.startswith("#") and not texts:
            key, _, value = line[1:].partition(":")
            header[key.strip()] = value.strip()
        elif line.strip():
            name, text = _split(line, f"{path}, line {number}")
            if name in texts:
                raise ValueError(
                    f"{path}, line {number}: utterance {name!r} has a "
                    f"transcript in line {seen[name]} already. Expected every "
                    "id once: remove one of the two."
                )
            texts[name], seen[name] = text, number
    return header, texts


def _split(line, where):
    name, *text = line.split("\t")
    if len(text) != 1 or not name.strip():
        raise ValueError(
            f"{where}: expected `id<TAB>text` with one tab, found {line!r}. "
            "An empty transcript keeps its tab (editors that trim lines drop "
            "it)."
        )
    return name.strip(), text[0].strip()
