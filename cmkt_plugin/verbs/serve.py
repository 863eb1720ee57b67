"""``cmkt serve``: a local page to try models on."""

import click


@click.command()
@click.argument("models", metavar="MODEL...", nargs=-1, required=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=7860, show_default=True
)
@click.option("--device", help="Such as cpu or cuda:0; default: a GPU if any.")
@click.option(
    "--trust", is_flag=True, help="Let a model's YAML run what it names."
)
@click.option(
    "--max-seconds",
    type=click.FloatRange(0, min_open=True),
    default=600,
    show_default=True,
    help="The longest recording taken.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Recordings enhanced at once; others wait their turn.",
)
def command(models, host, port, device, trust, max_seconds, jobs):
    """Try each MODEL on a local web page: record or drop a file, compare.

    MODEL is a folder straight from training, an export, or a name on the
    Hugging Face hub. The page is for this machine only (--host 0.0.0.0 opens
    it to the network: it has no password, and browsers record only from
    localhost or https). Nothing is sent anywhere; recordings are removed an
    hour after their use and when the server stops (Ctrl-C).
    """
    from cmkt_plugin.loading.loaded_models import LoadedModels
    from cmkt_plugin.verbs import progress
    from cmkt_plugin.web.server import serve

    serve(
        LoadedModels(models, device, trust),
        host,
        port,
        max_seconds,
        jobs,
        lambda address: progress(f"Open {address} (Ctrl-C ends it)."),
    )
