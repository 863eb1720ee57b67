"""How far enhancing in windows is from one pass over the whole recording."""

import numpy as np

from cmkt_plugin.inference_cost.long_recording import open_at
from cmkt_plugin.metrics import si_sdr
from cmkt_plugin.overlap_add import OverlapAdd

JOIN = 0.05  # s on either side of the middle of a cross-fade


def measure(source, noisy, clean, rate, contexts, window=10.0):
    """Enhances a recording in one pass, and in windows with more context.

    Arguments
    ---------
    source : str or pathlib.Path
        What ``open_model`` opens.
    noisy, clean : numpy.ndarray
        A recording (time,), and its reference.
    rate : int
        Their rate (Hz), which must be the model's.
    contexts : list of float
        Seconds of context on either side of what a window keeps.
    window : float
        Length of a window (s).

    Returns
    -------
    dict
        ``one_pass``: SI-SDR (dB) of the enhanced recording; ``windows``: for
        each context the ``context`` (s), ``difference`` to one pass and
        ``difference_at_joins``, both in dB of the enhanced level, and the
        ``si_sdr``. ``streamed``: the same for a model that streams, which
        takes this way without being asked; else None.
    """
    model = open_at(source, rate)
    model.windows = OverlapAdd(window=len(noisy) / rate + 1)
    one_pass = model.enhance_array(noisy, rate)

    def row(context):
        model.windows = OverlapAdd(window=window, context=context)
        enhanced = model.enhance_array(noisy, rate)
        difference = enhanced - one_pass
        spans = model.windows.spans(len(noisy), rate, model.enhancer.hop_length)
        at_joins = difference[joins(spans, rate)]
        return {
            "context": context,
            "difference": level(difference, one_pass),
            "difference_at_joins": level(at_joins, one_pass),
            "si_sdr": float(si_sdr(enhanced, clean)),
        }

    streamed = row(contexts[0]) if model.streams else None
    model.streams = False
    return {
        "one_pass": float(si_sdr(one_pass, clean)),
        "windows": [row(context) for context in contexts],
        "streamed": streamed,
    }


def joins(spans, rate):
    """The samples around the joins of windows.

    Arguments
    ---------
    spans : list of tuple of int
        First sample of each window and the one after its last.
    rate : int
        Samples in a second.

    Returns
    -------
    numpy.ndarray
        Their indices.

    Example
    -------
    >>> len(joins([(0, 200), (100, 300)], rate=100))
    10
    """
    middles = [
        (before + after) // 2
        for (_, before), (after, _) in zip(spans, spans[1:])
    ]
    around = np.arange(-round(JOIN * rate), round(JOIN * rate))
    return np.concatenate([around[:0], *(around + m for m in middles)])


def level(difference, reference):
    """Power of a difference against that of a reference, in dB.

    Example
    -------
    >>> level(np.full(4, 0.01), np.ones(8))
    -40.0
    """
    smallest = np.finfo(float).tiny  # no difference at all has no logarithm
    power, of_reference = (
        np.mean(np.square(part, dtype=float))
        for part in (difference, reference)
    )
    return float(10 * np.log10(max(power, smallest) / of_reference))
