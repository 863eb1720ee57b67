"""Quality and time for each number of steps, as Markdown."""

from cmkt_plugin.comparison_table import TITLES, interval, number
from cmkt_plugin.evaluation.evaluate import NOISY
from cmkt_plugin.markdown_table import how_it_was_made, table


def markdown(found, seconds, made):
    """Writes scores and seconds as tables.

    Arguments
    ---------
    found : dict
        Of one run, as ``cmkt_plugin.evaluation.table.describe`` returns it;
        the first system is the one that the others are compared with.
    seconds : dict
        System to seconds of computation per second of audio.
    made : dict
        From ``cmkt_plugin.provenance.record``.

    Returns
    -------
    str
    """
    metrics = found["metrics"]
    titles = [TITLES[metric] for metric in metrics]
    first, *_ = (name for name in found["scores"] if name != NOISY)
    rows = [
        [
            name,
            *(number(m, scores[m]["mean"]) for m in metrics),
            f"{seconds[name]:.2f}" if name != NOISY else "–",
        ]
        for name, scores in found["scores"].items()
    ]
    differences = [
        [name, *(interval(metric, given.get(metric)) for metric in metrics)]
        for name, given in found["differences"].get(first, {}).items()
    ]
    return (
        "\n\n".join(
            [
                table(["", *titles, "seconds per second of audio"], rows),
                f"Difference to {first}; * where zero lies outside the "
                "interval.",
                table(["", *titles], differences),
                found["intervals"],
                how_it_was_made(made),
            ]
        )
        + "\n"
    )
