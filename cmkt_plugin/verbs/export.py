"""``cmkt export``: make a folder that SpeechBrain loads."""

import click


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False))
@click.argument("out", type=click.Path())
@click.option("--onnx", is_flag=True, help="Also the network as ONNX.")
def command(run, out, onnx):
    """Make a folder OUT that SpeechBrain loads from a finished RUN.

    RUN is trusted: classes of your own that its YAML names are imported, and
    their source goes into OUT. An export that is in OUT is replaced.
    """
    from cmkt_plugin.exporting.export import export

    export(run, out, onnx)
    click.echo(out)
