"""A few test utterances to see and hear: which, and what each run makes."""

from dataclasses import dataclass, field
from typing import Optional

import numpy as np

from cmkt_plugin.loading.model_source import open_model
from cmkt_plugin.report.runs import by_name

# What keeps a model or a recording from being used; the page then says so.
FAULTS = (ImportError, LookupError, OSError, RuntimeError, ValueError)


@dataclass
class Utterance:
    """A test utterance and its versions.

    Arguments
    ---------
    name : str
        Its id.
    words : str
        Its transcript, as it is written in the corpus.
    rate : int
        Hz.
    noisy, clean : numpy.ndarray
        Waveforms (time,).
    enhanced : dict
        Run name to waveform, or to the reason (str) why there is none.
    """

    name: str
    words: str
    rate: int
    noisy: np.ndarray
    clean: np.ndarray
    enhanced: dict = field(default_factory=dict)


def one_seed_each(runs):
    """The runs that are listened to: one seed of each name.

    Arguments
    ---------
    runs : list of Run
        All.

    Returns
    -------
    list of Run
        The lowest seed that all names have finished; where there is none, the
        lowest finished one of each, or the lowest.
    """
    named = by_name(runs)
    done = {
        name: {s for s, run in seeds.items() if run.comparable} or set(seeds)
        for name, seeds in named.items()
    }
    common = set.intersection(*done.values())
    return [named[n][min(common or done[n])] for n in named]


def gains(run, reference):
    """PESQ that each utterance gains.

    Arguments
    ---------
    run : Run
        Whose scores are looked at.
    reference : Run or None
        What it is compared with; None takes the noisy input.

    Returns
    -------
    dict
        Utterance to gain; empty if either has no PESQ.
    """
    if not run.comparable:
        return {}
    before = run.scores.noisy
    if reference is not None:
        before = reference.scores.scores
    before, after = before.get("pesq", {}), run.scores.scores.get("pesq", {})
    return {i: after[i] - before[i] for i in after if i in before}


def spread_over(gained, count):
    """Utterances from the smallest to the largest gain, evenly by rank.

    Arguments
    ---------
    gained : dict
        Utterance to gain.
    count : int
        How many.

    Returns
    -------
    list of str

    Example
    -------
    >>> gained = {"a": 0.3, "b": 0.1, "c": 0.9, "d": 0.5, "e": 0.7}
    >>> spread_over(gained, 3), spread_over(gained, 1)
    (['b', 'd', 'c'], ['d'])
    """
    ranked = sorted(gained, key=lambda name: (gained[name], name))
    if count == 1:
        return ranked[len(ranked) // 2 :][:1]
    places = np.linspace(0, len(ranked) - 1, min(count, len(ranked)))
    return [ranked[round(place)] for place in places]


def read_utterance(test_set, name):
    """Reads an utterance of a run's test set.

    Arguments
    ---------
    test_set : cmkt_plugin.run_test_set.RunTestSet
        The test set.
    name : str
        The utterance's id.

    Returns
    -------
    Utterance
    """
    (noisy, clean), rate = test_set.read(name)
    return Utterance(name, test_set.words(name), rate, noisy, clean)


def enhance(run, utterances):
    """Lets a run's model enhance utterances.

    Arguments
    ---------
    run : Run
        Its best checkpoint is used, as in its test.
    utterances : list of Utterance
        Their ``enhanced`` gets an entry under the run's name.
    """
    reason: Optional[str] = None
    try:
        model = open_model(run.folder, device="cpu")
        for given in utterances:
            made = model.enhance_array(given.noisy, given.rate)
            given.enhanced[run.name] = np.asarray(made)
    except FAULTS as error:
        reason = describe(error)
    for given in utterances:
        given.enhanced.setdefault(run.name, reason)


def describe(error):
    """An exception in one line, without this machine's folders.

    Example
    -------
    >>> describe(FileNotFoundError("/data/a/b.wav is missing"))
    'FileNotFoundError: b.wav is missing'
    """
    from cmkt_plugin.provenance import without_paths

    return without_paths(
        f"{type(error).__name__}: {' '.join(str(error).split())}"
    )
