"""Which phone became which: two sequences of phones side by side."""

from collections import Counter

from speechbrain.utils.edit_distance import alignment, op_table

NONE = ""  # what a deleted phone became, and an inserted one was


def aligned(reference, hypothesis):
    """Pairs of phones with the fewest errors.

    Arguments
    ---------
    reference, hypothesis : list of str
        Phones.

    Returns
    -------
    list of tuple
        (phone of the reference, phone of the hypothesis), one of them "" for
        a phone that was inserted or deleted.

    Example
    -------
    >>> aligned(["b", "ɛ", "t"], ["p", "ɛ"])
    [('b', 'p'), ('ɛ', 'ɛ'), ('t', '')]
    """
    return [
        (
            NONE if left is None else reference[left],
            NONE if right is None else hypothesis[right],
        )
        for _, left, right in alignment(op_table(reference, hypothesis))
    ]


def count_errors(pairs):
    """Errors of aligned phones, by kind.

    Arguments
    ---------
    pairs : list of tuple
        From ``aligned``.

    Returns
    -------
    dict
        ``phones`` (of the reference), ``substitutions``, ``deletions`` and
        ``insertions``.

    Example
    -------
    >>> count_errors([("b", "p"), ("ɛ", "ɛ"), ("t", ""), ("", "s")])
    {'phones': 3, 'substitutions': 1, 'deletions': 1, 'insertions': 1}
    """
    kinds = Counter(map(_kind, pairs))
    return {
        "phones": sum(was != NONE for was, _ in pairs),
        "substitutions": kinds["substitution"],
        "deletions": kinds["deletion"],
        "insertions": kinds["insertion"],
    }


def _kind(pair):
    was, became = pair
    if was == became:
        return "right"
    if NONE not in pair:
        return "substitution"
    return "deletion" if became == NONE else "insertion"
