"""Phone errors of systems, against what is heard in the clean recordings."""

from collections import Counter

from cmkt_plugin.bootstrap import statement
from cmkt_plugin.comparison import check_groups
from cmkt_plugin.phone_recognition.alignment import aligned, count_errors
from cmkt_plugin.phone_recognition.rate_interval import rate_interval
from cmkt_plugin.phone_recognition.recognition import CLEAN

PARTS = ("substitutions", "deletions", "insertions")


def align_systems(heard):
    """Aligns what was heard with what was heard in the clean recordings.

    Arguments
    ---------
    heard : dict
        ``clean`` and the systems' names to (utterance to list of phones).

    Returns
    -------
    dict
        System to (utterance to pairs of phones, as ``aligned`` returns them).

    Raises
    ------
    ValueError
        If nothing was recognised in the clean recordings.
    """
    clean = heard[CLEAN]
    if not any(clean.values()):
        raise ValueError(
            f"nothing was recognised in {len(clean)} clean recordings: "
            "expected speech of the recogniser's language"
        )
    return {
        name: {u: aligned(clean[u], phones[u]) for u in clean}
        for name, phones in heard.items()
        if name != CLEAN
    }


def describe(alignments, speakers, bases, groups=None):
    """Error rates, their differences, and both within groups.

    Arguments
    ---------
    alignments : dict
        From ``align_systems``.
    speakers : dict
        Utterance to speaker.
    bases : list of str
        The systems that those after them are compared with; within groups,
        the last.
    groups : dict or None
        As ``mixture_groups.read_groups`` returns it.

    Returns
    -------
    dict
        ``systems`` (name to figures), ``differences`` (base to name to
        ``rate_interval``'s result), ``intervals`` (how they were made) and
        ``groups`` (grouping to group to ``utterances``, ``systems`` and
        ``differences`` to the last base). Groups without a clean phone are
        not in it.

    Example
    -------
    >>> pairs = [("b", "p"), ("ɛ", "ɛ")]
    >>> found = describe({"cmkt": {"u1": pairs}}, {"u1": "p1"}, ["cmkt"])
    >>> found["systems"]["cmkt"]["phone_error_rate"]["mean"]
    0.5
    """
    counts = {
        name: {u: count_errors(pairs) for u, pairs in given.items()}
        for name, given in alignments.items()
    }
    tested = counts[bases[0]].keys()
    check_groups(groups or {}, set(tested))
    parts = {
        grouping: {group: ids & tested for group, ids in named.items()}
        for grouping, named in (groups or {}).items()
    }
    return {
        "systems": _rates(counts, speakers, tested),
        "differences": {
            base: _differences(counts, base, speakers, tested) for base in bases
        },
        "intervals": statement([1]),
        "groups": {
            grouping: {
                group: {
                    "utterances": len(ids),
                    "systems": _rates(counts, speakers, ids),
                    "differences": _differences(
                        counts, bases[-1], speakers, ids
                    ),
                }
                for group, ids in named.items()
                if _phones(counts[bases[0]], ids)
            }
            for grouping, named in parts.items()
        },
    }


def confusions(alignments):
    """How often which clean phone was heard as which.

    Arguments
    ---------
    alignments : dict
        From ``align_systems``.

    Returns
    -------
    dict
        System to Counter of (clean phone, phone heard); "" stands for none.
        Right ones are counted too.
    """
    return {
        name: Counter(pair for pairs in given.values() for pair in pairs)
        for name, given in alignments.items()
    }


def count_empty(heard):
    """In how many recordings nothing was recognised.

    Arguments
    ---------
    heard : dict
        As for ``align_systems``.

    Returns
    -------
    dict
        Name to number.

    Example
    -------
    >>> count_empty({"clean": {"u1": ["a"]}, "cmkt": {"u1": []}})
    {'clean': 0, 'cmkt': 1}
    """
    return {
        name: sum(not phones for phones in given.values())
        for name, given in heard.items()
    }


def _rates(counts, speakers, ids):
    rates = {}
    for name, given in counts.items():
        parts = {part: sum(given[u][part] for u in ids) for part in PARTS}
        rates[name] = {
            "phone_error_rate": _interval(given, speakers, ids),
            "phones": _phones(given, ids),
            **parts,
        }
    return rates


def _differences(counts, base, speakers, ids):
    after = list(counts)[list(counts).index(base) + 1 :]
    return {
        name: _interval(counts[name], speakers, ids, counts[base])
        for name in after
    }


def _interval(counts, speakers, ids, base=None):
    ids = sorted(ids)
    errors = [_errors(counts[u]) for u in ids]
    if base is not None:
        errors = [n - _errors(base[u]) for n, u in zip(errors, ids)]
    return rate_interval(
        [speakers[u] for u in ids], errors, [counts[u]["phones"] for u in ids]
    )


def _errors(counts):
    return sum(counts[part] for part in PARTS)


def _phones(counts, ids):
    return sum(counts[u]["phones"] for u in ids)
