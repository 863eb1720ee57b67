"""The part of the report that needs recordings and models."""

import math
from dataclasses import dataclass, field

from cmkt_plugin.comparison_table import GROUP_METRICS, TITLES, number
from cmkt_plugin.report import attention_map, listener, spectrograms
from cmkt_plugin.report.utterances import (
    FAULTS,
    describe,
    enhance,
    gains,
    one_seed_each,
    read_utterance,
    spread_over,
)
from cmkt_plugin.run_test_set import RunTestSet


@dataclass
class Shown:
    """What is heard and seen of some utterances.

    Arguments
    ---------
    runs : list of Run
        One seed of each name.
    how : str
        How the utterances were chosen.
    problem : str
        Why there are none; empty if there are.
    utterances : list of Utterance
        With what each run makes of them.
    test_set : RunTestSet or None
        Where they are from.
    """

    runs: list
    how: str = ""
    problem: str = ""
    utterances: list = field(default_factory=list)
    test_set: object = None


def listen(runs, baseline, count, ids=(), data_folder=None):
    """Chooses utterances and lets every run enhance them.

    Arguments
    ---------
    runs : list of Run
        All; those that are not comparable only if none is.
    baseline : str
        Name of the run that the gain is counted from.
    count : int
        How many utterances.
    ids : sequence of str
        Which ones; chosen by their gain if empty.
    data_folder : str, pathlib.Path or None
        The corpus; None: where it was when the runs were made.

    Returns
    -------
    Shown

    Raises
    ------
    ValueError
        If one of ``ids`` is not in the test set.
    """
    heard = one_seed_each([r for r in runs if r.comparable] or runs)
    shown = Shown(heard)
    try:
        shown.test_set = RunTestSet(heard[-1].folder, data_folder)
    except FAULTS as error:
        shown.problem = describe(error)
        return shown
    names, shown.how = _choose(shown, baseline, count, ids)
    try:
        shown.utterances = [
            read_utterance(shown.test_set, name) for name in names
        ]
    except FAULTS as error:
        shown.problem = describe(error)
    for run in heard if shown.utterances else ():
        enhance(run, shown.utterances)
    return shown


def _choose(shown, baseline, count, ids):
    """Ids of the utterances to show, and in words how they were found."""
    lengths = shown.test_set.lengths
    unknown = [name for name in ids if name not in lengths]
    if unknown:
        raise ValueError(
            f"{', '.join(unknown)}: not in the test set of "
            f"{shown.runs[-1].name}, which has e.g. {min(lengths)}"
        )
    if ids:
        return list(ids), "Chosen by whoever made this page."
    last = shown.runs[-1]
    # Without a common seed the gain would be that of the seed.
    reference = next(
        (
            run
            for run in shown.runs[:-1]
            if (run.name, run.seed) == (baseline, last.seed) and run.comparable
        ),
        None,
    )
    gained = {
        name: gain
        for name, gain in gains(last, reference).items()
        if name in lengths
    }
    if not gained:
        return spread_over(lengths, count), (
            "From the shortest to the longest: there are no scores to choose "
            "by."
        )
    over = "the noisy input"
    if reference is not None:
        over = f"{reference.name} seed {reference.seed}"
    return spread_over(gained, count), (
        f"Chosen by the PESQ that {last.name} seed {last.seed} gains over "
        f"{over}, from the worst through the median to the best of "
        f"{len(gained)} utterances: the pictures are not the typical case."
    )


def versions(shown, kinds):
    """What the page shows of each utterance.

    Arguments
    ---------
    shown : Shown
        From ``listen``.
    kinds : dict
        Utterance to noise and SNR, where they are known.

    Returns
    -------
    list of dict
        ``name``, ``words``, ``kind``, ``factor`` and ``panels``: noisy, each
        run and clean with ``title``, ``image``, ``audio`` (None with a
        ``problem``) and ``scores``.
    """
    return [
        {
            "name": given.name,
            "words": given.words,
            "kind": kinds.get(given.name, ""),
            "seconds": len(given.noisy) / given.rate,
            **_panels(given, shown.runs),
        }
        for given in shown.utterances
    ]


def _panels(given, runs):
    sides = [("noisy", given.noisy, runs[0].scores and runs[0].scores.noisy)]
    for run in runs:
        scores = run.scores and run.scores.scores
        sides.append(
            (f"{run.name} {run.seed}", given.enhanced[run.name], scores)
        )
    sides.append(("clean", given.clean, None))
    heard = [wav for _, wav, _ in sides if not isinstance(wav, str)]
    factor = spectrograms.common_factor(heard)
    loudest = spectrograms.seen(given.clean, given.rate).loudest
    panels = []
    for title, wav, scores in sides:
        panel = {"title": title, "image": None, "audio": None, "problem": ""}
        panel["scores"] = _scores(scores or {}, given.name)
        if isinstance(wav, str):
            panel["problem"] = wav
        else:
            panel["image"] = spectrograms.picture(wav, given.rate, loudest)
            panel["audio"] = spectrograms.sound(wav, given.rate, factor)
        panels.append(panel)
    drop = -20 * math.log10(factor)
    return {"factor": factor, "drop": drop, "panels": panels}


def _scores(scores, name):
    """Such as "PESQ 1.431, SI-SDR 10.00 dB"; lines break at commas only."""
    whole = str.maketrans(" -", "\N{NO-BREAK SPACE}\N{NON-BREAKING HYPHEN}")
    pairs = [
        f"{TITLES[m].replace(' (dB)', '')} {number(m, scores[m][name])}"
        + " dB" * (m == "si_sdr")
        for m in GROUP_METRICS
        if name in scores.get(m, {})
    ]
    return ", ".join(pair.translate(whole) for pair in pairs)


def attention(shown):
    """Attention maps of every run that was taught.

    Arguments
    ---------
    shown : Shown
        From ``listen``.

    Returns
    -------
    list of dict
        ``title`` (run, seed and teacher), ``problem`` (why there is no map,
        or empty) and ``maps``: ``name``, ``words``, ``image`` and
        ``verdict``.
    """
    found = []
    for run in shown.runs if shown.utterances else ():
        title = f"{run.name} seed {run.seed}"
        try:
            for one in listener.open_listeners(run):
                name = f"{title}, teacher {one.name}" if one.name else title
                maps = _maps(one, run, shown)
                found.append({"title": name, "problem": "", "maps": maps})
        except FAULTS as error:
            found.append(
                {"title": title, "problem": describe(error), "maps": []}
            )
    return found


def _maps(one, run, shown):
    test_set = shown.test_set
    words = {given.name: given.words for given in shown.utterances}
    tokens = listener.read_tokens(one, run, words)
    maps = []
    for own in shown.utterances:
        entry = {"name": own.name, "words": own.words, "image": None}
        maps.append(entry)
        try:
            nearest = attention_map.nearest_in_length(
                own.name, test_set.lengths, test_set.words
            )
            other = read_utterance(test_set, nearest)
            found = attention_map.map_attention(
                one, tokens[own.name], own, other
            )
        except ValueError as error:
            entry["verdict"] = describe(error)
            continue
        entry["verdict"] = found.verdict
        entry["image"] = attention_map.picture(found, own, other)
    return maps
