"""What came of enhancing many files, in words."""

from cmkt_plugin.enhancing.progress import clock

STANDARD_INPUT = "standard input"


def summary(outcome, resumable):
    """Lists what failed, why it ended early, and the sum of it.

    Arguments
    ---------
    outcome : cmkt_plugin.enhancing.enhance.Outcome
        What ``enhance_files`` returned.
    resumable : bool
        Whether the same command with ``--resume`` would go on.

    Returns
    -------
    list of str
        Lines.

    Example
    -------
    >>> from cmkt_plugin.enhancing.enhance import Outcome
    >>> outcome = Outcome({"a.wav": 30.0}, {"b.wav": "truncated"}, wall=2.0)
    >>> for line in summary(outcome, resumable=True):
    ...     print(line)
    Error: b.wav: truncated
    1 file, 0:30 of audio in 0:02 (15.0 x real time), 1 failed
    """
    lines = [
        f"Error: {source}: {reason}"
        for source, reason in outcome.failed.items()
    ]
    if outcome.stopped:
        more = "; --resume goes on with the rest" if resumable else ""
        lines.append(f"Stopped: {outcome.stopped}{more}")
    number, seconds = len(outcome.finished), sum(outcome.finished.values())
    speed = seconds / max(outcome.wall, 1e-9)
    lines.append(
        f"{number} file{'s' * (number != 1)}, {clock(seconds)} of audio in "
        f"{clock(outcome.wall)} ({speed:.1f} x real time), "
        f"{len(outcome.failed)} failed"
    )
    return lines


def as_standard_input(failed):
    """Calls standard input by its name, not by that of its temporary file.

    Arguments
    ---------
    failed : dict
        The temporary file to the reason; may be empty.

    Returns
    -------
    dict

    Example
    -------
    >>> as_standard_input({"/tmp/x/stdin.audio": "'/tmp/x/stdin.audio': empty"})
    {'standard input': "'standard input': empty"}
    """
    shown = {}
    for source, reason in failed.items():
        shown[STANDARD_INPUT] = reason.replace(str(source), STANDARD_INPUT)
    return shown
