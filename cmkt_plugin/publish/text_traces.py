"""Paths, tokens and names in a text that would tell of the machine."""

import re

# An address is no path, whatever stands in its query; file:/ is one.
ADDRESS = re.compile(r"\b(?!file:)[A-Za-z][\w+.-]*://[^\s'\"<>`),;]+")
NAME = r"[\w.~+@-]+"
PLACES = "home|Users|srv|mnt|media|scratch|lustre|gpfs"
ABSOLUTE = re.compile(
    r"(?:^|(?<=[\s=,:;'\"\[{(|`>]))/[\w.~+@-]"  # one part is enough here
    # What is a relative path goes on from a word, a dot or a bracket.
    rf"|(?<![\w.)\]}}/\\-])//?{NAME}/[\w.~+@-]"
    rf"|/(?:{PLACES})/\w"  # behind ../.. or a compiler's -I too
    r"|(?<!\w)[A-Za-z]:\\"
    r"|\\\\+[\w.-]{2,}\\+[\w$]{2,}"  # \\server\share, escaped or not
    r"|(?<![\w/])~(?:[a-z_][\w-]*)?/"
    r"|\bfile:/"
)
TOKEN = re.compile(
    r"\bhf_[A-Za-z0-9]{16,}|\bgh[a-z]_[A-Za-z0-9]{16,}|\bgithub_pat_\w{16,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bsk-[\w-]{20,}|\bxox[a-z]-[\w-]{10,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s:@]+:[^/\s@]+@"
)


def text_traces(text, names):
    """Finds what a published text must not hold.

    Arguments
    ---------
    text : str
        A file's.
    names : dict
        What a name is of to the name, such as that of the user.

    Returns
    -------
    iterator of str
        The findings, with the line; of a token without it.

    Example
    -------
    >>> names = {"the user's name": "jdoe"}
    >>> list(text_traces("python train.py --folder=/srv/x", names))
    ['holds an absolute path: python train.py --folder=/srv/x']
    >>> list(text_traces("by jdoe@gpu7", names))
    ["holds the user's name: by jdoe@gpu7"]
    >>> list(text_traces("1/2 of https://x.org/?u=/a/b, see a/b.py", names))
    []
    """
    for line in text.splitlines():
        shown = TOKEN.sub("(token)", line.strip())[:80]
        if TOKEN.search(line):
            yield "holds an access token"
        line = ADDRESS.sub("", line)
        if ABSOLUTE.search(line):
            yield f"holds an absolute path: {shown}"
        for what, name in names.items():
            if _pattern(name).search(line):
                yield f"holds {what}: {shown}"


def _pattern(name):
    """A name as a part of a path or an address; alone, if it is no word."""
    whole = rf"(?<![\w.-]){re.escape(name)}(?![\w-])"
    if not name.isalpha():
        return re.compile(whole)
    # Users and machines are called train, model or python.
    return re.compile(
        rf"(?<=[/\\@~]){re.escape(name)}(?![\w-])|{whole}(?=[/\\@])"
    )
