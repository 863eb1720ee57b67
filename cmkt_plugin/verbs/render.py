"""``cmkt render``: a manifest's mixtures as files, or checked."""

from pathlib import Path

import click

from cmkt_plugin.verbs import progress

FOLDER = click.Path(exists=True, file_okay=False)


@click.command()
@click.argument("manifest", type=click.Path(exists=True, dir_okay=False))
@click.option("--data-root", type=FOLDER, help="{data_root} in it.")
@click.option("--noise", type=FOLDER, help="{noise_root} in it.")
@click.option("--rirs", type=FOLDER, help="{rir_root} in it.")
@click.option("--sample-rate", default=16000, show_default=True, help="Hz")
@click.option("--verify", is_flag=True, help="Compare with its checksums.")
@click.option("-o", "--output", type=Path, help="Folder for the wav files.")
@click.pass_context
def command(ctx, manifest, data_root, noise, rirs, sample_rate, verify, output):
    """Write OUTPUT/noisy and OUTPUT/clean of a MANIFEST, or --verify it."""
    from cmkt_plugin.mixing.rendering import differing, render_files

    if not output and not verify:
        raise ValueError("nothing to do: expected --output FOLDER or --verify")
    folders = {"data_root": data_root, "noise_root": noise, "rir_root": rirs}
    roots = {name: folder for name, folder in folders.items() if folder}
    names = differing(manifest, roots, sample_rate) if verify else []
    for name in names:
        progress(f"differs: {name}")
    if output and not names:
        render_files(manifest, roots, output, sample_rate)
        click.echo(output)
    ctx.exit(1 if names else 0)
