"""``cmkt transcribe``: transcripts of an annotation by a recognizer."""

from pathlib import Path

import click

from cmkt_plugin.verbs import progress, root_folders

# The keys of `cmkt_plugin.recognizers.RECOGNIZERS`, which loads torch.
INTERFACES = ["EncoderASR", "EncoderDecoderASR", "WhisperASR", "pipeline"]


@click.command()
@click.argument("annotation", type=click.Path(exists=True, dir_okay=False))
@click.option("--data-root", required=True, help="{data_root} in it.")
@click.option("--noise-root", help="{noise_root} in it.")
@click.option("--rir-root", help="{rir_root} in it.")
@click.option("--model", required=True, help="Folder, or name on the hub.")
@click.option(
    "--interface",
    type=click.Choice(INTERFACES),
    default="EncoderASR",
    show_default=True,
    help="Of SpeechBrain, or the pipeline of transformers.",
)
@click.option("--revision", help="Branch, tag or commit on the hub.")
@click.option(
    "--side",
    type=click.Choice(["clean", "noisy"]),
    default="clean",
    show_default=True,
)
@click.option(
    "--batch-seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="Audio in a batch, padding included.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=32,
    show_default=True,
    help="Utterances in a batch, at the most.",
)
@click.option("--device", help="Default: an accelerator if there is one.")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="A text file: header, then id<TAB>text.",
)
@click.pass_context
def command(
    ctx,
    annotation,
    data_root,
    noise_root,
    rir_root,
    model,
    interface,
    revision,
    side,
    batch_seconds,
    batch_size,
    device,
    output,
):
    """Write transcripts of ANNOTATION's utterances by a speech recognizer.

    Run it again to go on after a kill, or to try again what failed.

    SpeechBrain runs whatever a model's YAML names: use only models that you
    trust.
    """
    from cmkt_plugin.recognizers import RECOGNIZERS
    from cmkt_plugin.transcription import refuse_finished, transcribe

    refuse_finished(output)  # before a model is downloaded
    roots = root_folders(data_root, noise_root, rir_root)
    recognizer = RECOGNIZERS[interface](model, revision, device)
    done = transcribe(
        annotation, roots, side, recognizer, output, batch_seconds, batch_size
    )
    _report(done)
    click.echo(output)
    ctx.exit(1 if done.failed else 0)


def _report(done):
    from cmkt_plugin.shown import first_few

    if done.empty:
        progress(
            f"{len(done.empty)} of {len(done.texts)} texts are empty: "
            f"{first_few(done.empty)}"
        )
    for name, reason in done.failed.items():
        progress(f"Error: {name}: {reason}")
    if done.failed:
        progress(f"{len(done.failed)} failed: run again to try them again")
