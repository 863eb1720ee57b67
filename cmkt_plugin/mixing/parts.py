r"""Which part of a folder a recording is in: all of its pieces are together.

A long recording is kept as several files, cut into pieces or by channel. They
sound alike: one in training and another in the test would be no unknown noise.
A file's path without what tells pieces apart names its group, and the group's
hash decides the part. What tells them apart is a regular expression for the
end of the path without ``.wav``:

``PIECES``, of noise: a number of up to three digits after ``_``, ``-`` or a
blank (``running_tap_3``; longer ones count recordings, as in MUSAN), with the counters of one or two digits and the take that
are before it (``102305-6-0-1`` of UrbanSound8K, ``1-100032-A-0`` of ESC-50);
``ch01``, alone (DEMAND's, of the folder it is in) or after ``.``, ``_`` or
``-``.

``POSITIONS``, of rooms: numbers that follow another number
(``Room001-00012``), so that ``room_1`` and ``room_2`` are two rooms.
"""

import hashlib
import os
import re

PIECES = (
    r"(?:-[A-Z])?(?:[-_ ]\d{1,2})*[-_ ]\d{1,3}$|(?:^|[-_. /])(?:ch|CH|Ch)\d+$"
)
POSITIONS = r"(?<=\d)(?:[-_ ]\d+)+$"


def require_part(part):
    """Refuses bounds that are reversed or not within 0 and 1.

    Arguments
    ---------
    part : tuple of float
        From, up to.

    Returns
    -------
    tuple of float
    """
    if not 0 <= part[0] < part[1] <= 1:
        raise ValueError(
            f"part is {tuple(part)}: expected 0 <= from < up to <= 1, "
            "e.g. (0.0, 0.8) for training and (0.8, 1.0) for testing"
        )
    return tuple(part)


def require_pattern(group):
    """Refuses what is no regular expression.

    Arguments
    ---------
    group : str or None
        The expression, or None for none.

    Returns
    -------
    str or None
    """
    try:
        re.compile(group or "")
    except (re.error, TypeError) as error:
        raise ValueError(
            f"group is {group!r}: expected a regular expression for what "
            f"tells pieces of one recording apart ({error}), e.g. '_\\d+$', "
            "or null, which takes every file for a recording of its own"
        ) from error
    return group


def group_of(name, group):
    """The group of a file: its path without what tells pieces apart.

    Arguments
    ---------
    name : str
        Path of the file, with ``/``.
    group : str or None
        The regular expression; None groups nothing.

    Returns
    -------
    str

    Example
    -------
    >>> group_of("home/running_tap_3.wav", PIECES)
    'home/running_tap'
    >>> group_of("PSQUARE/ch01.wav", PIECES)
    'PSQUARE'
    >>> group_of("esc50_1-100032-A-0.wav", PIECES)
    'esc50_1-100032'
    >>> group_of("Room001-00012.wav", POSITIONS)
    'Room001'
    """
    if group is None:
        return name
    return re.sub(group, "", os.path.splitext(name)[0])


def in_part(part, group):
    """Whether a group is in a part, the same on every machine.

    Arguments
    ---------
    part : tuple of float
        From, up to.
    group : str
        The group; its place in [0, 1) is a hash of it.

    Returns
    -------
    bool

    Example
    -------
    >>> in_part((0.0, 0.5), "tap") != in_part((0.5, 1.0), "tap")
    True
    """
    # Six bytes: a float holds them exactly, so that it stays below 1.
    digest = hashlib.sha256(group.encode()).digest()[:6]
    return part[0] <= int.from_bytes(digest, "big") / 2**48 < part[1]
