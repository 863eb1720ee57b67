"""``cmkt export``: make a folder that SpeechBrain loads."""

import click


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False))
@click.argument("out", type=click.Path())
def command(run, out):
    """Make a folder OUT that SpeechBrain loads from a finished RUN."""
    from cmkt_plugin.export import export

    export(run, out)
    click.echo(out)
