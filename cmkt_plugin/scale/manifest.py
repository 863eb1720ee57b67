"""What it costs to prepare a manifest."""

from pathlib import Path

from cmkt_plugin.mixing.audio_folder import NoiseFolder, RIRFolder
from cmkt_plugin.mixing.manifest import write_manifest
from cmkt_plugin.mixing.sampler import MixtureSampler
from cmkt_plugin.scale.stopwatch import Stopwatch


def measure(annotation, noise, rirs, output):
    """Writes a manifest with recorded noise, babble and rooms.

    Arguments
    ---------
    annotation : str
        JSON file of the clean speech.
    noise, rirs : str
        Folders of noise and of room impulse responses.
    output : str
        The manifest.

    Returns
    -------
    dict
        ``steps``: one, from the annotation to the manifest on disk, and
        ``bytes``, the manifest's size.
    """
    watch = Stopwatch()
    sampler = MixtureSampler(
        NoiseFolder(noise),
        rirs=RIRFolder(rirs),
        rir_probability=0.5,
        babble_probability=0.3,
        speed=(0.9, 1.0, 1.1),
        level=(-35, -15),
    )
    roots = {"noise_root": noise, "rir_root": rirs}
    write_manifest(annotation, sampler, output, roots)
    watch.lap("annotation read, mixtures drawn, manifest written")
    return {"steps": watch.steps, "bytes": Path(output).stat().st_size}
