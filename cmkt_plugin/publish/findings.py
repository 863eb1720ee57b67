"""What the figures of a model card allow to say."""

from cmkt_plugin.bootstrap import statement
from cmkt_plugin.comparison_table import TITLES
from cmkt_plugin.publish.published_scores import METRICS, score_differences


def findings(scores):
    """What the figures say, sentence by sentence.

    A gain comes from language only where right text does better than wrong
    text does; elsewhere it is what any further task would have given.

    Arguments
    ---------
    scores : PublishedScores

    Returns
    -------
    list of str
    """
    found = score_differences(scores)
    said = [_compared(name, given) for name, given in found.items()]
    if found:
        said.append(statement([1]))
    if not scores.given.controls:
        if scores.given.first_stage:
            return said  # what taught that one is not known here
        return [*said, "This model was trained without language model."]
    if not scores.given.right:
        return [*said, "In training the language model read "
                f"{scores.given.words}: **a gain is not shown to come from "
                "language.**"]  # fmt: skip
    if scores.baseline is None:
        return [*said, "No baseline is given: a gain by the transfer, or by "
                "language, is not shown."]  # fmt: skip
    gained = _beyond(found["baseline"], 1)
    if not gained:
        return [*said, "**A gain over the baseline is not shown, and so none "
                "that comes from language.**"]  # fmt: skip
    if not scores.controls:
        return [*said, "No control with wrong text is given: **the gain is "
                "not shown to come from language.**"]  # fmt: skip
    return [*said, _verdict(gained, found, scores.controls)]


def _verdict(gained, found, controls):
    ahead = [
        metric
        for metric in gained
        if all(metric in _beyond(found[name], 1) for name in controls)
    ]
    rest = [metric for metric in gained if metric not in ahead]
    said = []
    if ahead:
        said.append(
            f"In {_titles(ahead)} the model is ahead of the baseline and of "
            "wrong text: there the gain depends on the text, as far as one "
            "seed tells."
        )
    if rest:
        said.append(
            f"In {_titles(rest)} wrong text ({', '.join(controls)}) does as "
            "well within the interval or better: **that gain is not shown to "
            "come from language.**"
        )
    return " ".join(said)


def _compared(name, given):
    above, below = _beyond(given, 1), _beyond(given, -1)
    said = [f"above it in {_titles(above)}"] if above else []
    said += [f"below it in {_titles(below)}"] if below else []
    if not said:
        return f"Against {name}: no difference beyond the interval."
    return f"Against {name}: {' and '.join(said)}, beyond the interval."


def _beyond(given, sign):
    """Metrics whose whole interval lies on one side of zero."""
    return [
        metric
        for metric in METRICS
        if metric in given
        and given[metric]["significant"]
        and given[metric]["mean"] * sign > 0
    ]


def _titles(metrics):
    return ", ".join(TITLES[metric].removesuffix(" (dB)") for metric in metrics)
