"""``cmkt diffusion-cost``: time and memory for each size and step number."""

from pathlib import Path

import click

from cmkt_plugin.number_list import NumberList
from cmkt_plugin.verbs import progress


@click.command()
@click.argument("backbone", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--size",
    "sizes",
    multiple=True,
    default=[""],
    metavar="YAML",
    help="Knobs of a size: '{model_channels: 32}'. May be given repeatedly.",
)
@click.option(
    "--steps",
    default="1,2,4,8,30",
    show_default=True,
    type=NumberList(int),
    help="Numbers of sampling steps.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.1),
    default=4.0,
    show_default=True,
    help="Of audio.",
)
@click.option(
    "--threads", type=click.IntRange(min=1), default=1, show_default=True
)
@click.option(
    "-o", "--output", type=Path, help="Write OUTPUT.md and OUTPUT.json."
)
def command(backbone, sizes, steps, seconds, threads, output):
    """Time BACKBONE, a YAML file of a diffusion enhancer, in several sizes."""
    from tempfile import TemporaryDirectory

    from cmkt_plugin import provenance
    from cmkt_plugin.inference_cost.diffusion import markdown, measure
    from cmkt_plugin.results_file import write_results

    made = provenance.record()
    with TemporaryDirectory() as folder:
        measured = measure(
            Path(backbone).resolve(),
            list(sizes),
            steps,
            seconds,
            threads,
            folder,
            progress,
        )
    text = markdown(measured, made)
    if output:
        write_results(output, text, {"provenance": made, **measured})
    click.echo(text)
