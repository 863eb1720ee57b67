"""``cmkt enhance``: clean recordings with an exported model."""

from pathlib import Path

import click

from cmkt_plugin.verbs import progress


@click.command()
@click.argument("model", type=click.Path(exists=True, file_okay=False))
@click.argument("inputs", nargs=-1, required=True, type=click.Path())
@click.option("-o", "--output", required=True, type=Path, help="A folder.")
@click.pass_context
def command(ctx, model, inputs, output):
    """Enhance audio files or folders INPUTS with an exported MODEL."""
    from cmkt_plugin.enhance import enhance_files

    failed = enhance_files(model, inputs, output, report=click.echo)
    for path, reason in failed.items():
        progress(f"Error: {path}: {reason}")
    ctx.exit(1 if failed else 0)
