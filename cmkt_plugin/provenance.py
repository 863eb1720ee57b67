"""Where a result comes from: version, commit, command, machine, date."""

import os
import platform
import re
import subprocess
import sys
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

import torch
from speechbrain.utils.parallel import get_available_cpu_count

from cmkt_plugin import __version__

# An absolute path at the start of an argument or after one of = , : [ { ( etc.
# A URL is none: what follows its colon is a second slash.
ABSOLUTE_PATH = re.compile(r"(^|[\s=,:'\"\[{(])((?:/[^\s/,:'\"\])}]+)+/?)")


def record():
    """Collects what somebody needs to know to repeat or judge a result.

    Returns
    -------
    dict
        ``version`` and ``commit`` of this package (None where it does not run
        from a git checkout; ``-dirty`` if tracked files differ from the
        commit), ``command``, ``machine``, ``threads`` (of torch), ``python``,
        ``torch``, ``speechbrain`` (versions) and ``date`` (UTC, ISO 8601).
        No absolute path is in it: it is meant to be published.

    Example
    -------
    >>> sorted(record())
    ['command', 'commit', 'date', 'machine', 'python', 'speechbrain',
     'threads', 'torch', 'version']
    """
    return {
        "version": __version__,
        "commit": commit(Path(__file__).parent),
        "command": command(sys.argv),
        "machine": machine(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "speechbrain": version("speechbrain"),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def commit(folder):
    """The git commit that a folder of code is at.

    Arguments
    ---------
    folder : str or pathlib.Path
        A folder that git tracks.

    Returns
    -------
    str or None
        The full hash, with ``-dirty`` if tracked files of the checkout were
        modified; None if git does not track the folder or is not installed.
    """
    # A package installed inside somebody else's checkout lies in a folder that
    # has a commit which is not the package's: only tracked files count.
    if not _git(folder, "ls-files", "."):
        return None
    head = _git(folder, "rev-parse", "HEAD")
    if not head:
        return None
    modified = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return head + ("-dirty" if modified else "")


def _git(folder, *arguments):
    """Standard output of a git command; empty if it fails."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def command(arguments):
    """A command line without the absolute paths of this machine.

    Arguments
    ---------
    arguments : list of str
        As in ``sys.argv``.

    Returns
    -------
    str
        The arguments, each absolute path replaced by its last component.

    Example
    -------
    >>> command(["/opt/bin/cmkt", "export", "--to=/data/a b", "hub/model"])
    "cmkt export '--to=a b' hub/model"
    """
    shown = [without_paths(argument) for argument in arguments]
    if shown and shown[0].endswith(".py"):
        shown.insert(0, "python")
    return " ".join(_quoted(argument) for argument in shown)


def without_paths(argument):
    """Replaces absolute paths in one argument by their last components.

    Arguments
    ---------
    argument : str
        A word of a command line, for instance a path, ``--key=path`` or
        inline YAML that holds paths.

    Returns
    -------
    str

    Example
    -------
    >>> without_paths("{wav: /data/x.wav, page: https://host/x}")
    '{wav: x.wav, page: https://host/x}'
    """
    flag, equals, value = argument.partition("=")
    if equals and flag.startswith("--"):
        return f"{flag}={without_paths(value)}"
    # Whole first: a path that holds spaces would be cut by the pattern.
    if os.path.isabs(argument):
        return os.path.basename(argument.rstrip("/")) or "/"
    return ABSOLUTE_PATH.sub(
        lambda found: found[1] + os.path.basename(found[2].rstrip("/")),
        argument,
    )


def _quoted(argument):
    """Quotes a word as little as a shell needs, so that it reads well."""
    # "!" is for interactive shells: they look for !include in their history.
    if re.fullmatch(r"[\w@%+=:,./-]+", argument):
        return argument
    return "'" + argument.replace("'", "'\"'\"'") + "'"


def machine():
    """The processor, the number of usable cores and the GPUs, in words.

    Returns
    -------
    str

    Example
    -------
    >>> "core" in machine()
    True
    """
    count = get_available_cpu_count()
    gpus = [
        torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())
    ]
    noun = "core" if count == 1 else "cores"
    return f"{_processor()}, {count} {noun}, {' + '.join(gpus) or 'no GPU'}"


def _processor():
    """The processor's model name; Linux has it in one place only."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        text = ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    name = found[1].strip() if found else platform.processor()
    return name or platform.machine()
