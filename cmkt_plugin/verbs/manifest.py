"""``cmkt manifest``: fixes the noise of a validation or test set."""

from pathlib import Path

import click

FOLDER = click.Path(exists=True, file_okay=False)
FILE = click.Path(exists=True, dir_okay=False)


@click.command()
@click.argument("annotation", type=FILE)
@click.option("--noise", type=FOLDER, help="{noise_root}: recorded noise.")
@click.option(
    "--noise-part",
    nargs=2,
    type=float,
    default=(0, 1),
    show_default=True,
    help="Which part of its files, e.g. 0.9 1.",
)
@click.option("--rirs", type=FOLDER, help="{rir_root}: impulse responses.")
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
@click.option("--training-noise", type=FOLDER, help="Share no file with it.")
@click.option(
    "--training-part", nargs=2, type=float, default=(0, 1), show_default=True
)
@click.option("-o", "--output", required=True, type=Path, help="JSON file.")
def command(
    annotation,
    noise,
    noise_part,
    rirs,
    rir_probability,
    snr,
    babble_probability,
    babble_talkers,
    sample_rate,
    seed,
    checksums,
    data_root,
    training,
    training_noise,
    training_part,
    output,
):
    """Draw a mixture for each utterance of ANNOTATION (clean speech).

    Nobody's folders are in the result: it can be published.
    """
    from cmkt_plugin.annotation import write_annotation
    from cmkt_plugin.mixing.audio_folder import NoiseFolder, RIRFolder
    from cmkt_plugin.mixing.disjoint import check_disjoint
    from cmkt_plugin.mixing.entries import read_entries
    from cmkt_plugin.mixing.manifest import fix_mixtures
    from cmkt_plugin.mixing.sampler import MixtureSampler

    folders = {"data_root": data_root, "noise_root": noise, "rir_root": rirs}
    roots = {name: folder for name, folder in folders.items() if folder}
    sampler = MixtureSampler(
        NoiseFolder(noise, noise_part) if noise else None,
        snr=snr,
        sample_rate=sample_rate,
        rirs=RIRFolder(rirs) if rirs else None,
        rir_probability=rir_probability if rirs else 0.0,
        babble_probability=babble_probability,
        babble_talkers=babble_talkers,
        seed=seed,
    )
    entries = fix_mixtures(annotation, sampler, roots, checksums)
    check_disjoint(
        read_entries(training) if training else {},
        NoiseFolder(training_noise, training_part) if training_noise else None,
        entries,
        roots,
    )
    write_annotation(output, entries)
    click.echo(output)
