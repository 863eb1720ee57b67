"""Text files in UTF-8, and a plain word on those that are not."""

import codecs
from pathlib import Path

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path):
    """Reads a text file as UTF-8; a byte order mark is dropped.

    Arguments
    ---------
    path : str or pathlib.Path
        The file.

    Returns
    -------
    str
        Its text, with ``\\n`` at the end of lines.

    Raises
    ------
    ValueError
        If it is not UTF-8: with the line, the encoding that it seems to have,
        and the command that converts it.

    Example
    -------
    >>> path = getfixture("tmp_path") / "words.txt"
    >>> _ = path.write_bytes("而 对".encode("utf-8-sig"))
    >>> read_text(path)
    '而 对'
    >>> _ = path.write_bytes("而 对".encode("gbk"))
    >>> read_text(path)
    Traceback (most recent call last):
    ValueError: ...words.txt: line 1 is not UTF-8, it looks like GBK; ...
    """
    path = Path(path)
    content = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{path}: line {line} is not UTF-8, {_way_out(path, content)}"
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _way_out(path, content):
    """Names the encoding that the bytes seem to have, and the remedy."""
    encoding = _guess(content)
    if encoding is None:
        return (
            "nor GBK or UTF-16: save it as UTF-8, or unpack it again if it was "
            "damaged on its way"
        )
    return (
        f"it looks like {encoding}; convert it: iconv -f {encoding} -t UTF-8 "
        f"'{path}' > utf8.txt, and put utf8.txt in its place"
    )


def _guess(content):
    """Names UTF-16, GBK or GB18030; None for anything else."""
    if content.startswith(UTF_16):
        return "UTF-16"
    foreign = [line for line in content.splitlines() if not line.isascii()]
    # Damage in a UTF-8 file often decodes as GBK, line by line.
    if 2 * sum(_decodes(line, "utf-8") for line in foreign) > len(foreign):
        return None
    known = (name for name in ("GBK", "GB18030") if _decodes(content, name))
    return next(known, None)


def _decodes(content, encoding):
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
