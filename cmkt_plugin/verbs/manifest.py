"""``cmkt manifest``: fixes the noise of a validation or test set."""

from pathlib import Path

import click

FOLDER = click.Path(exists=True, file_okay=False)
FILE = click.Path(exists=True, dir_okay=False)


PART = {"nargs": 2, "type": float, "default": (0, 1), "show_default": True}


@click.command()
@click.argument("annotation", type=FILE)
@click.option("--noise", type=FOLDER, help="{noise_root}: recorded noise.")
@click.option("--noise-part", **PART, help="Which part of it, e.g. 0.9 1.")
@click.option("--noise-group", help="noise_group of the YAML; '' for null.")
@click.option("--rirs", type=FOLDER, help="{rir_root}: impulse responses.")
@click.option("--rir-part", **PART, help="Which part of them.")
@click.option("--rir-group", help="rir_group of the YAML; '' for null.")
@click.option("--rir-probability", default=1.0, help="With --rirs.")
@click.option("--snr", nargs=2, type=float, default=(-5, 10), show_default=True)
@click.option("--babble-probability", default=0.0, show_default=True)
@click.option(
    "--babble-talkers", nargs=2, type=int, default=(3, 6), show_default=True
)
@click.option("--sample-rate", default=16000, show_default=True, help="Hz")
@click.option("--seed", default=0, show_default=True)
@click.option("--checksums", is_flag=True, help="Note each mixture's CRC-32.")
@click.option("--data-root", type=FOLDER, help="{data_root}, for checksums.")
@click.option("--training", type=FILE, help="Share no speaker with it.")
@click.option("--training-noise", type=FOLDER, help="Share no recording.")
@click.option("--training-part", **PART, help="Which part it hears.")
@click.option("--training-rirs", type=FOLDER, help="Share no room.")
@click.option("--training-rir-part", **PART, help="Which part it hears.")
@click.option("-o", "--output", required=True, type=Path, help="JSON file.")
def command(annotation, output, **options):
    """Draw a mixture for each utterance of ANNOTATION (clean speech).

    Nobody's folders are in the result: it can be published.
    """
    from cmkt_plugin.annotation import write_annotation
    from cmkt_plugin.mixing.manifest import fix_mixtures

    folders = {
        "data_root": options["data_root"],
        "noise_root": options["noise"],
        "rir_root": options["rirs"],
    }
    roots = {name: folder for name, folder in folders.items() if folder}
    sampler = _sampler(options)
    entries = fix_mixtures(annotation, sampler, roots, options["checksums"])
    _refuse_heard(entries, roots, options)
    write_annotation(output, entries)
    click.echo(output)


def _sampler(options):
    from cmkt_plugin.mixing.sampler import MixtureSampler

    kept = ("snr", "babble_probability", "babble_talkers", "sample_rate")
    rirs = _folder("rir", options["rirs"], options["rir_part"], options)
    return MixtureSampler(
        _folder("noise", options["noise"], options["noise_part"], options),
        rirs=rirs,
        rir_probability=options["rir_probability"] if rirs else 0.0,
        seed=options["seed"],
        **{name: options[name] for name in kept},
    )


def _refuse_heard(entries, roots, options):
    from cmkt_plugin.mixing.disjoint import check_disjoint
    from cmkt_plugin.mixing.entries import read_entries

    training = options["training"]
    heard = {
        kind: _folder(kind, options[folder], options[part], options)
        for kind, folder, part in (
            ("noise", "training_noise", "training_part"),
            ("rir", "training_rirs", "training_rir_part"),
        )
    }
    check_disjoint(
        read_entries(training) if training else {},
        heard["noise"],
        entries,
        roots,
        heard["rir"],
    )


def _folder(kind, folder, part, options):
    """A part of a folder, with the pieces that its option groups."""
    from cmkt_plugin.mixing.audio_folder import NoiseFolder, RIRFolder

    if folder is None:
        return None
    group = options[f"{kind}_group"]
    grouped = {} if group is None else {"group": group or None}
    return {"noise": NoiseFolder, "rir": RIRFolder}[kind](
        folder, part, **grouped
    )
