"""Writes a manifest: an annotation with a mixture fixed for each utterance."""

import zlib
from pathlib import Path

from speechbrain.utils.logger import get_logger
from tqdm import tqdm

from cmkt_plugin.annotation import portable, write_annotation
from cmkt_plugin.mixing.entries import fill, read_entries
from cmkt_plugin.mixing.mixture import Mixture
from cmkt_plugin.mixing.rates import length_at_speed
from cmkt_plugin.shown import first_few
from cmkt_plugin.threads import map_in_threads

logger = get_logger(__name__)


def write_manifest(annotation, sampler, path, roots, checksums=False):
    """Fixes a mixture for every utterance of a set and writes them down.

    Arguments
    ---------
    path : str or Path
        The manifest to write (JSON).
    annotation, sampler, roots, checksums
        As in ``fix_mixtures``.
    """
    entries = fix_mixtures(annotation, sampler, roots, checksums)
    write_annotation(Path(path), entries)


def fix_mixtures(annotation, sampler, roots, checksums=False):
    """Draws a mixture for every utterance of a set.

    Durations come from the annotation and from the headers of the noise:
    no audio is read, unless checksums are wanted. With them, a mixture whose
    span of noise is digital silence is drawn again.

    Arguments
    ---------
    annotation : str, Path or dict
        The clean speech: utterance to ``clean_wav``, ``speaker`` and
        ``length`` (s), or the JSON file of it. Paths begin with
        ``{data_root}``; those of a babble's talkers come from here.
    sampler : MixtureSampler
        Draws the mixtures, those of its epoch 0; it is bound to the set.
    roots : dict
        ``noise_root`` and ``rir_root``: the folders that the names stand for
        in the manifest; for checksums ``data_root`` too.
    checksums : bool
        Whether to render every mixture and note its CRC-32.

    Returns
    -------
    dict
        The entries with ``mixture``, with the ``length`` that its speed
        leaves and, if checksums are wanted, with ``crc32``.

    Raises
    ------
    ValueError
        If the annotation has its noisy side already, or lacks something.
    """
    entries = annotation
    if not isinstance(annotation, dict):
        entries = read_entries(annotation)
    _refuse_noisy(entries)
    sampler.bind(entries)
    names = list(entries)
    if checksums:
        fixed = map_in_threads(
            lambda name: _fix_with_checksum(
                name, entries[name], sampler, roots
            ),
            names,
            "Mixtures",
        )
    else:
        # No file is read: threads would only wait for Python's lock.
        fixed = [
            _entry(entry, sampler.draw(name, entry, 0), sampler, roots)
            for name, entry in tqdm(entries.items(), "Mixtures", delay=2)
        ]
    _warn_of_machine_paths(names, fixed)
    return dict(zip(names, fixed))


def checksum(noisy, clean):
    """CRC-32 of both sides of a mixture.

    Arguments
    ---------
    noisy, clean : numpy.ndarray
        int16 (time,), as from ``Mixer.render_pcm``.

    Returns
    -------
    str
        Of the noisy samples and then the clean ones, little endian.

    Example
    -------
    >>> import numpy as np
    >>> checksum(np.zeros(2, np.int16), np.ones(2, np.int16))
    '...'
    """
    crc = zlib.crc32(noisy.astype("<i2").tobytes())
    return f"{zlib.crc32(clean.astype('<i2').tobytes(), crc):08x}"


def _fix_with_checksum(name, entry, sampler, roots):
    def render(mixture):
        # Through the manifest's own words: what is read back is what counts.
        filled = fill(_entry(entry, mixture, sampler, roots), roots)
        return sampler.mixer.render_pcm(
            filled["clean_wav"], Mixture.from_json(filled["mixture"])
        )

    mixture, pcm = sampler.draw_audible(name, entry, 0, render)
    fixed = _entry(entry, mixture, sampler, roots)
    return {**fixed, "crc32": checksum(*pcm)}


def _entry(entry, mixture, sampler, roots):
    """An entry with its mixture, whose paths name no machine's folder."""
    rate = sampler.sample_rate
    length = length_at_speed(round(entry["length"] * rate), mixture.speed)
    paths = {
        key: portable(path, roots.get(root), root)
        for key, path, root in (
            ("noise", mixture.noise, "noise_root"),
            ("rir", mixture.rir, "rir_root"),
        )
        if path is not None
    }
    fixed = mixture._replace(**paths)
    seconds = round(length / rate, 6)
    return {**entry, "length": seconds, "mixture": fixed.to_json()}


def _refuse_noisy(entries):
    for name, entry in entries.items():
        there = {"noisy_wav", "mixture"} & entry.keys()
        if there:
            raise ValueError(
                f"{name} has {', '.join(sorted(there))}: expected clean speech "
                "without a noisy side; give the annotation that the "
                "preparation wrote"
            )


def _warn_of_machine_paths(names, entries):
    """Other people have none of the folders that are written out."""
    found = [
        name
        for name, entry in zip(names, entries)
        if any(
            path is not None and not path.startswith("{")
            for path in (
                entry["clean_wav"],
                entry["mixture"]["noise"],
                entry["mixture"]["rir"],
            )
        )
    ]
    if found:
        logger.warning(
            f"{len(found)} entries name files outside of {{data_root}}, "
            "{noise_root} and {rir_root}, by their path on this machine: "
            f"{first_few(found)}"
        )
