"""``cmkt few-steps``: what fewer sampling steps cost in quality."""

from pathlib import Path

import click

from cmkt_plugin.number_list import NumberList
from cmkt_plugin.verbs import progress


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False))
@click.option(
    "--steps",
    default="30,8,4,2,1",
    show_default=True,
    type=NumberList(int),
    help="Numbers of steps; the others are compared with the first.",
)
@click.option(
    "--count",
    type=click.IntRange(min=2),
    metavar="N",
    help="Test utterances, spread over the lengths.  [default: all]",
)
@click.option(
    "--data-folder",
    type=click.Path(exists=True, file_okay=False),
    help="Where the corpus is now.  [default: where it was]",
)
@click.option("--device", help="Such as cpu or cuda:1.")
@click.option("--jobs", type=click.IntRange(min=1), help="Scoring processes.")
@click.option(
    "-o", "--output", type=Path, help="Write OUTPUT.md and OUTPUT.json."
)
def command(run, steps, count, data_folder, device, jobs, output):
    """Enhance the test set of RUN with samplers of several lengths.

    RUN is the output folder of the training of a diffusion enhancer. Scores,
    their paired differences and the time are written, beside those of the
    predictive stage, where there is one, and of the noisy input.
    """
    from cmkt_plugin import provenance
    from cmkt_plugin.diffusion.few_steps import measure
    from cmkt_plugin.diffusion.few_steps_table import markdown
    from cmkt_plugin.evaluation.evaluate import as_run
    from cmkt_plugin.evaluation.table import describe
    from cmkt_plugin.loading.model_source import open_model
    from cmkt_plugin.results_file import write_results
    from cmkt_plugin.run_test_set import RunTestSet

    made = provenance.record()
    enhancer = open_model(run, device=device).enhancer
    if not hasattr(enhancer, "score_model"):
        raise ValueError(
            f"{run} holds a {type(enhancer).__name__}, which takes no steps: "
            "expected a diffusion enhancer"
        )
    metrics = ["pesq", "stoi", "estoi", "si_sdr"]
    rows, seconds = measure(
        enhancer,
        RunTestSet(run, data_folder).dataset,
        steps,
        count,
        metrics,
        jobs,
        progress,
    )
    runs = {name: as_run(given, metrics) for name, given in rows.items()}
    found = describe(runs, {})
    text = markdown(found, seconds, made)
    if output:
        whole = {"provenance": made, "seconds": seconds, **found}
        write_results(output, f"# Sampling steps\n\n{text}", whole)
    click.echo(text)
