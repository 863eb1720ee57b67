"""Lips as items of a dataset, beside the noisy and the clean waveform."""

import math

import numpy as np
import torch
from speechbrain.utils.data_pipeline import provides, takes

from cmkt_plugin.shown import first_few
from cmkt_plugin.visual.lips import FRAME_RATE, SIZE
from cmkt_plugin.visual.prepared_clip import read_lips

LIP_KEYS = ["lips", "lips_present"]


def has_lips(dataset):
    """Whether a set has prepared video of any clip.

    Arguments
    ---------
    dataset : speechbrain.dataio.dataset.DynamicItemDataset
        Any set.

    Returns
    -------
    bool
    """
    return any("lips_file" in entry for entry in dataset.data.values())


def add_lips(dataset, control, mixing=None):
    """Adds ``lips`` and ``lips_present`` to what a dataset gives.

    Arguments
    ---------
    dataset : speechbrain.dataio.dataset.DynamicItemDataset
        As from ``make_dataset``; its entries have ``length`` (s) and, where
        there is video, ``lips_file``, a file of ``write_lips``.
    control : object
        As ``OwnLips`` in ``cmkt_plugin.visual.lip_control``.
    mixing : cmkt_plugin.mixing.sampler.MixtureSampler or None
        What draws the noisy side, where it is drawn.

    Raises
    ------
    ValueError
        If the speech is made faster or slower: the picture would not follow.
    """
    entries = dataset.data
    _refuse_other_speeds(entries, mixing)
    sources = control.sources(entries)

    @takes("id", "length")
    @provides(*LIP_KEYS)
    def pipeline(utterance, length):
        # Rounded first: 0.56 * 25 is a little more than 14.
        frames = math.ceil(round(length * FRAME_RATE, 3))
        lips = lips_of_clip(sources[utterance], frames)
        for part in control.shown(*lips, utterance):
            yield torch.from_numpy(part)

    dataset.add_dynamic_item(pipeline)
    keys = list(dataset.pipeline.output_mapping)
    dataset.set_output_keys([*keys, *LIP_KEYS])


def lips_of_clip(path, frames):
    """Lips that last as long as a clip's sound.

    Arguments
    ---------
    path : str or None
        A file of ``write_lips``; None for no video.
    frames : int
        Frames of the clip. What the video has more is cut off, what it has
        fewer is marked as not present.

    Returns
    -------
    pixels : numpy.ndarray
        Grey crops (frames, 96, 96), uint8.
    present : numpy.ndarray
        1 where a face was found (frames,), uint8.

    Example
    -------
    >>> pixels, present = lips_of_clip(None, frames=2)
    >>> pixels.shape, present
    ((2, 96, 96), array([0, 0], dtype=uint8))
    """
    pixels = np.zeros((frames, SIZE, SIZE), np.uint8)
    present = np.zeros(frames, np.uint8)
    if path is not None:
        found, marks = read_lips(path)
        count = min(frames, len(found))
        pixels[:count], present[:count] = found[:count], marks[:count]
    return pixels, present


def _refuse_other_speeds(entries, mixing):
    drawn = [1.0] if mixing is None else mixing.speed
    changed = [
        name
        for name, entry in entries.items()
        if any(speed != 1 for speed in _speeds(entry, drawn))
    ]
    if changed:
        raise ValueError(
            f"{len(changed)} clips with lips are made faster or slower: "
            f"{first_few(changed)}; expected speed 1, the picture would not "
            "follow. Set the mixing's speed to [1.0], write another manifest, "
            "or train without video"
        )


def _speeds(entry, drawn):
    """Speeds that an entry may be heard at, if it is seen."""
    if "lips_file" not in entry or "noisy_wav" in entry:
        return [1.0]
    if "mixture" in entry:
        return [entry["mixture"].get("speed", 1.0)]
    return drawn
