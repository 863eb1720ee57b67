"""What went wrong: utterances made worse, and those without a score."""

import numpy as np

from cmkt_plugin.comparison_table import number

SHOWN = 20
METRICS = ("pesq", "si_sdr")


def worsened(seeds, kinds, count=SHOWN):
    """Utterances that came out worse than they went in.

    Arguments
    ---------
    seeds : dict
        Seed to RunScores of one run.
    kinds : dict
        Utterance to noise and SNR, as far as they are known.
    count : int
        How many to list at the most.

    Returns
    -------
    dict
        ``total`` (utterances with a gain), ``worse`` (metric to how many of
        them lost), ``rows`` (``id``, ``kind``: noise and SNR, and of each
        metric ``noisy`` and ``enhanced``, means over the seeds). The worst
        first: by the worse of an utterance's ranks in the two metrics.

    Example
    -------
    >>> from cmkt_plugin.run_scores import RunScores
    >>> noisy = {"pesq": {"a": 2.0, "b": 2.0}, "si_sdr": {"a": 0.0}}
    >>> ours = {"pesq": {"a": 1.5, "b": 2.5}, "si_sdr": {"a": 1.0}}
    >>> run = RunScores({"a": "x", "b": "x"}, ours, noisy, {}, {}, {})
    >>> found = worsened({1: run}, {})
    >>> found["worse"], [row["id"] for row in found["rows"]]
    ({'pesq': 1, 'si_sdr': 0}, ['a'])
    """
    before = {m: _means(seeds, m, "noisy") for m in METRICS}
    after = {m: _means(seeds, m, "scores") for m in METRICS}
    gains = {
        m: {i: after[m][i] - before[m][i] for i in after[m] if i in before[m]}
        for m in METRICS
    }
    lost = {m: [i for i in gains[m] if gains[m][i] < 0] for m in METRICS}
    ranks = {
        m: {
            i: rank for rank, i in enumerate(sorted(gains[m], key=gains[m].get))
        }
        for m in METRICS
    }
    last = max(map(len, ranks.values()), default=0)

    def rank(name):
        places = sorted(ranks[m].get(name, last) for m in METRICS)
        return (*places, name)

    worst = sorted({i for m in METRICS for i in lost[m]}, key=rank)
    return {
        "total": len(set().union(*gains.values())),
        "worse": {m: len(lost[m]) for m in METRICS},
        "rows": [
            {
                "id": i,
                "kind": kinds.get(i, "–"),
                **{
                    m: {
                        "noisy": before[m].get(i),
                        "enhanced": after[m].get(i),
                        "gain": gains[m].get(i),
                    }
                    for m in METRICS
                },
            }
            for i in worst[:count]
        ],
    }


def _means(seeds, metric, side):
    """Utterance to mean score over the seeds that have one."""
    values = {}
    for run in seeds.values():
        for name, value in getattr(run, side).get(metric, {}).items():
            values.setdefault(name, []).append(value)
    return {name: float(np.mean(given)) for name, given in values.items()}


def table(found):
    """The list of ``worsened`` as a table.

    Arguments
    ---------
    found : dict
        From ``worsened``.

    Returns
    -------
    header : list of str
    rows : list of list of str
    """
    header = ["utterance", "noise, SNR"]
    for title in ("PESQ", "SI-SDR (dB)"):
        header += [f"{title} noisy", "enhanced", "gain"]
    rows = [
        [row["id"], row["kind"]]
        + [
            number(m, row[m][side], "+" if side == "gain" else "")
            for m in METRICS
            for side in ("noisy", "enhanced", "gain")
        ]
        for row in found["rows"]
    ]
    return header, rows


def left_out(runs):
    """Utterances without some score, and why.

    Arguments
    ---------
    runs : list of Run
        Those with scores count.

    Returns
    -------
    list of tuple
        (utterance, reason, where: runs and seeds), each once.
    """
    found = {}
    for run in runs:
        if run.scores is None:
            continue
        reasons = dict(run.scores.left_out)
        for metric, scores in run.scores.scores.items():
            # A whole column that is empty was not asked for.
            for name in (
                run.scores.speakers.keys() - scores.keys() if scores else ()
            ):
                reasons.setdefault(name, f"no {metric}, without a reason given")
        for name, reason in sorted(reasons.items()):
            found.setdefault((name, reason), []).append(
                f"{run.name} {run.seed}"
            )
    return [(*key, ", ".join(where)) for key, where in found.items()]
