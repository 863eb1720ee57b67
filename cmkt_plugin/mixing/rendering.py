"""Renders a manifest: to check it on this machine, or as files to hand on."""

from pathlib import Path

from cmkt_plugin.mixing.entries import fill, read_entries
from cmkt_plugin.mixing.manifest import checksum
from cmkt_plugin.mixing.mixer import Mixer
from cmkt_plugin.mixing.mixture import Mixture
from cmkt_plugin.threads import map_in_threads
from cmkt_plugin.wav_file import write_wav


def differing(manifest, roots, sample_rate):
    """Finds mixtures that do not come out as when the manifest was written.

    Arguments
    ---------
    manifest : str or Path
        Written with checksums.
    roots : dict
        ``data_root``, ``noise_root``, ``rir_root``: this machine's folders.
    sample_rate : int
        The model's rate (Hz).

    Returns
    -------
    list of str
        Utterances whose samples have another checksum.

    Raises
    ------
    ValueError
        If an entry has no mixture or no checksum.
    """

    def differs(item):
        name, entry = item
        if "crc32" not in entry:
            raise ValueError(
                f"{manifest}: {name} has no crc32, expected a checksum; write "
                "the manifest with --checksums"
            )
        return checksum(*_render(name, entry, roots, mixer)) != entry["crc32"]

    mixer = Mixer(sample_rate)
    entries = read_entries(manifest)
    found = map_in_threads(differs, list(entries.items()), "Checksums")
    return [name for name, differ in zip(entries, found) if differ]


def render_files(manifest, roots, folder, sample_rate):
    """Writes the noisy and the clean side of every mixture as 16-bit wav.

    Arguments
    ---------
    manifest : str or Path
        The manifest.
    roots : dict
        ``data_root``, ``noise_root``, ``rir_root``: this machine's folders.
    folder : str or Path
        Gets ``noisy/ID.wav`` and ``clean/ID.wav``, each whole or not at all.
    sample_rate : int
        The model's rate (Hz).

    Raises
    ------
    ValueError
        If an entry has no mixture, or an id cannot be a file's name.
    """

    def write(item):
        name, entry = item
        if name != Path(name).name:
            raise ValueError(
                f"{manifest}: the id {name!r} cannot be a file's name, "
                "expected one without folders; rename it"
            )
        pcm = _render(name, entry, roots, mixer)
        for side, samples in zip(("noisy", "clean"), pcm):
            path = Path(folder, side, f"{name}.wav")
            write_wav(path, samples, sample_rate)

    mixer = Mixer(sample_rate)
    for side in ("noisy", "clean"):
        Path(folder, side).mkdir(parents=True, exist_ok=True)
    map_in_threads(write, list(read_entries(manifest).items()), "Rendering")


def _render(name, entry, roots, mixer):
    if "mixture" not in entry:
        raise ValueError(
            f"{name} has no mixture: expected a manifest; write one with "
            "--output"
        )
    entry = fill(entry, roots)
    mixture = Mixture.from_json(entry["mixture"])
    return mixer.render_pcm(entry["clean_wav"], mixture)
