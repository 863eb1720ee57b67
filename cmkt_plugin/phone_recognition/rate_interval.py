"""Error rates of a whole test set, with bootstrap intervals over speakers."""

from collections import defaultdict

import numpy as np

from cmkt_plugin.bootstrap import LEVEL, bootstrap_means


def rate_interval(speakers, errors, phones):
    """All errors by all phones, with the interval over resampled speakers.

    Of differences of errors per utterance it is the interval of the difference
    of two error rates, paired. Long utterances count by their length, as in
    the rate itself.

    Arguments
    ---------
    speakers : list of str
        Of each utterance.
    errors : list of int
        Its errors, or how many more than in another system.
    phones : list of int
        Phones of its reference.

    Returns
    -------
    dict
        ``mean``, ``low`` and ``high`` (None with a single speaker: nothing to
        resample) and ``significant`` (zero lies outside the interval).

    Example
    -------
    >>> rate_interval(["a", "a", "b"], [1, 0, 4], [4, 6, 10])["mean"]
    0.25
    """
    sums, counts = defaultdict(int), defaultdict(int)
    for speaker, error, count in zip(speakers, errors, phones):
        sums[speaker] += error
        counts[speaker] += count
    low = high = None
    if len(counts) > 1:
        draws = bootstrap_means(
            *(np.array([list(part.values())], float) for part in (sums, counts))
        )
        tail = 50 * (1 - LEVEL)
        low, high = np.percentile(draws, [tail, 100 - tail]).tolist()
    return {
        "mean": sum(errors) / sum(phones),
        "low": low,
        "high": high,
        "significant": low is not None and (low > 0 or high < 0),
    }
