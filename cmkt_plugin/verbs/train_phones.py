"""``cmkt train-phones``: train a small phone recogniser on clean speech."""

from functools import partial
from pathlib import Path

import click

from cmkt_plugin.option_groups import GroupedCommand, GroupedOption
from cmkt_plugin.verbs import root_folders

COUNT = click.IntRange(min=1)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
EPILOG = """\
\b
Example:
  cmkt train-phones RUN/save/train.json --valid RUN/save/valid.json \\
      --test RUN/save/test.json --data-root CORPUS -o phones

Hours of speech take minutes on one core. The folder serves as --recognizer of
`cmkt phone-errors`.
"""
option = partial(click.option, cls=GroupedOption, show_default=True)
data = partial(option, group="Speech")
network = partial(option, group="Network")
training = partial(option, group="Training")


@click.command(cls=GroupedCommand, epilog=EPILOG)
@click.argument("annotation", nargs=-1, required=True, type=FILE)
@data("--valid", required=True, type=FILE, help="Chooses the epoch.")
@data("--test", required=True, type=FILE, help="Tells how often it errs.")
@data("--data-root", required=True, help="{data_root} in them.")
@data(
    "--language",
    default="en-us",
    help="Of transcripts: cmn (Mandarin), en-us, de, ... Entries with `phones` "
    "are taken as they are.",
)
@data("-o", "--output", required=True, type=Path, help="A new folder.")
@network("--bands", type=COUNT, default=80, help="Mel bands.")
@network("--width", type=COUNT, default=256)
@network("--blocks", type=COUNT, default=5, help="Residual convolutions.")
@network("--subsampling", type=COUNT, default=3, help="Of frames of 10 ms.")
@network("--dropout", type=click.FloatRange(0, 0.9), default=0.1)
@training("--epochs", type=COUNT, default=15)
@training("--batch-seconds", type=click.FloatRange(min=1), default=30.0)
@training("--lr", default=2e-3, help="At its peak.")
@training("--seed", default=0)
@training("--device", help="Default: an accelerator if there is one.")
def command(annotation, valid, test, data_root, language, output, **options):
    """Train a CTC phone recogniser on the clean speech of ANNOTATION.

    Annotations are those of a run: its save/train.json. Validation and test
    speech is held out; the error rates on it go into the folder's phones.json.
    """
    from cmkt_plugin.g2p import g2p_of
    from cmkt_plugin.phone_recognition.labelled_speech import read_labelled
    from cmkt_plugin.phone_recognition.make_recognizer import make_recognizer
    from cmkt_plugin.phone_recognition.symbols import SpokenPhones

    spell = SpokenPhones(g2p_of(language)).spell
    roots = root_folders(data_root)
    files = {"train": annotation, "valid": [valid], "test": [test]}
    sets = {
        name: read_labelled(paths, roots, spell)
        for name, paths in files.items()
    }
    names = {name: [p.name for p in paths] for name, paths in files.items()}
    settings = {"files": names, "language": language}
    parts = ("bands", "width", "blocks", "subsampling", "dropout")
    sizes = {part: options.pop(part) for part in parts}
    record = make_recognizer(output, sets, settings, sizes, **options)
    for name, found in record["held_out"].items():
        click.echo(
            f"{name}: phone error rate {found['phone_error_rate']:.3f} "
            f"({found['utterances']} utterances, {found['phones']} phones)"
        )
