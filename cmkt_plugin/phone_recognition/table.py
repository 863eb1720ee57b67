"""Phone errors as Markdown, with the recogniser's own beside them."""

from cmkt_plugin.comparison_table import interval, number
from cmkt_plugin.markdown_table import how_it_was_made, table
from cmkt_plugin.phone_recognition.alignment import NONE
from cmkt_plugin.phone_recognition.phone_errors import PARTS

MADE = ("command", "date", "version", "commit", "machine", "torch")
SHOWN = 20  # confusions


def markdown(found, provenance):
    """Writes what was found as Markdown.

    Arguments
    ---------
    found : dict
        As ``phone_errors.describe`` returns it, with ``recognizer`` (``name``,
        ``revision``, ``symbol`` and ``held_out``), ``empty`` (from
        ``count_empty``), ``utterances`` and ``confusions`` (from
        ``top_confusions``).
    provenance : dict
        As ``provenance.record`` returns it.

    Returns
    -------
    str
    """
    own = own_rate(found["recognizer"])
    parts = [_what(found), _systems(found, own)]
    for base, runs in found["differences"].items():
        if runs:
            parts += [
                f"Difference to `{base}`; * where zero lies outside the "
                "interval.",
                _differences(runs, own),
            ]
    parts.append(found["intervals"])
    for grouping, groups in found["groups"].items():
        parts += [
            f"## By {grouping}",
            f"Differences are to `{list(found['differences'])[-1]}`.",
            _groups(groups, own),
        ]
    parts += _confusions(found, own)
    made = {name: provenance[name] for name in MADE}
    made["command"] = f"`{provenance['command']}`"
    return "\n\n".join([*parts, how_it_was_made(made)]) + "\n"


def top_confusions(counts):
    """The most frequent confusions of one phone with another, of any system.

    Arguments
    ---------
    counts : dict
        From ``phone_errors.confusions``.

    Returns
    -------
    list of dict
        ``clean``, ``heard``, and ``times`` (system to number).

    Example
    -------
    >>> from collections import Counter
    >>> counts = Counter({("a", "a"): 9, ("a", "b"): 2, ("b", ""): 3})
    >>> top_confusions({"cmkt": counts})
    [{'clean': 'a', 'heard': 'b', 'times': {'cmkt': 2}}]
    """
    wrong = {pair for given in counts.values() for pair in given}
    # Deletions of frequent phones would fill the table; they are in the split.
    wrong = {p for p in wrong if p[0] != p[1] and NONE not in p}
    # By name where equally frequent: the table is to be the same every time.
    ranked = sorted(
        wrong, key=lambda p: (-max(c[p] for c in counts.values()), p)
    )
    return [
        {
            "clean": was,
            "heard": became,
            "times": {n: c[was, became] for n, c in counts.items()},
        }
        for was, became in ranked[:SHOWN]
    ]


def own_rate(recognizer):
    """The recogniser's own error rate on clean held-out speech, as text.

    Arguments
    ---------
    recognizer : dict
        With ``held_out``.

    Returns
    -------
    str
    """
    return number("rate", recognizer["held_out"]["phone_error_rate"])


def _what(found):
    judge, symbol = found["recognizer"], found["recognizer"]["symbol"]
    held = judge["held_out"]
    return (
        f"Errors per {symbol} of {found['utterances']} recordings, against "
        f"what the recogniser `{judge['name']}` hears in the clean ones "
        f"(recognised empty: {found['empty']['clean']} clean ones). Its own "
        f"{symbol} error rate on clean held-out speech, against the "
        f"transcripts, is {own_rate(judge)} ({held['utterances']} utterances "
        f"of {held['speakers']} speakers, {held['speech']}): it stands beside "
        "all figures, in the last column. A mistake that it makes in a clean "
        "recording counts as right where it makes it again."
    )


def _systems(found, own):
    header = ["", "phones", "error rate", "95% interval", *PARTS]
    header += ["recognised empty", "recogniser's own"]
    rows = []
    for name, given in found["systems"].items():
        parts = [number("rate", given[p] / given["phones"]) for p in PARTS]
        rate = given["phone_error_rate"]
        empty = found["empty"][name]
        rows.append(
            [name, given["phones"], number("rate", rate["mean"]), _ends(rate)]
            + [*parts, empty, own]
        )
    return table(header, rows)


def _ends(rate):
    if rate["low"] is None:
        return "(one speaker)"
    low, high = (number("rate", rate[end]) for end in ("low", "high"))
    return f"[{low}, {high}]"


def _differences(runs, own):
    rows = [[name, interval("rate", d), own] for name, d in runs.items()]
    return table(["", "error rate", "recogniser's own"], rows)


def _groups(groups, own):
    header = ["group", "utterances", "", "error rate", "95% interval"]
    rows = []
    for group, given in groups.items():
        for name, figures in given["systems"].items():
            rate = figures["phone_error_rate"]
            difference = interval("rate", given["differences"].get(name))
            rows.append([group, given["utterances"], name])
            rows[-1] += [number("rate", rate["mean"]), _ends(rate)]
            rows[-1] += [difference, own]
    return table([*header, "difference", "recogniser's own"], rows)


def _confusions(found, own):
    names = list(found["systems"])
    rows = [
        [c["clean"], c["heard"], *(c["times"][name] for name in names)]
        for c in found["confusions"]
    ]
    return [
        "## Most frequent confusions",
        "Times that a phone of the clean recording was heard as another one; "
        "all of them, deletions and insertions too, are in the CSV of each "
        f"system. Recogniser's own error rate: {own}.",
        table(["clean", "heard", *names], rows),
    ]
