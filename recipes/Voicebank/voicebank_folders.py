"""Finds the folders of VoiceBank-DEMAND, as unpacked or as resampled."""

import os
from pathlib import Path
from typing import NamedTuple

from speechbrain.utils.logger import get_logger

from cmkt_plugin.corpus_files import fingerprint, list_files
from cmkt_plugin.paired_audio import list_wavs
from cmkt_plugin.preparation import wrong_folder
from cmkt_plugin.recordings import read_header

logger = get_logger(__name__)
SOURCE = "https://datashare.ed.ac.uk/handle/10283/2791"
KINDS = ("clean", "noisy")
TRAINSETS = {28: "trainset_28spk", 56: "trainset_56spk"}


class Subset(NamedTuple):
    """The folders of a training or test set.

    ``originals`` (clean, noisy) are to be resampled into ``ready`` (clean,
    noisy); there are none where ``ready`` is all there is.
    """

    originals: tuple
    ready: tuple
    transcripts: Path

    def pending(self):
        """Lists (clean, noisy) originals that are not resampled yet."""
        if not self.originals:
            return {}, {}
        clean, noisy = self.resampled()
        return tuple(
            {
                name: path
                for name, path in list_wavs(folder).items()
                if name not in clean or name not in noisy
            }
            for folder in self.originals
        )

    def resampled(self):
        """Lists (clean, noisy) recordings that are ready."""
        return tuple(
            list_wavs(folder) if folder.is_dir() else {}
            for folder in self.ready
        )

    def names(self):
        """Names all utterances of which there is any recording."""
        lists = (*self.pending(), *self.resampled())
        return {name for wavs in lists for name in wavs}

    def fingerprint(self):
        """Sums up names, sizes and times of all files in the folders."""
        folders = [*self.originals, *self.ready, self.transcripts]
        return fingerprint(list_files(folders))


def choose_trainset(data_folder, speakers, sample_rate):
    """Names the training set of 28 or 56 speakers.

    Arguments
    ---------
    data_folder : Path
        Where the folders are.
    speakers : int or None
        28, 56, or None for the one there is (28 where there are both).
    sample_rate : int
        The rate of the prepared recordings (Hz).

    Returns
    -------
    str
        ``trainset_28spk`` or ``trainset_56spk``.
    """
    if speakers is not None and speakers not in TRAINSETS:
        raise ValueError(
            f"speakers is {speakers!r}, expected 28 or 56 (--speakers 28), or "
            "nothing for the training set that is there"
        )
    wanted = TRAINSETS.values() if speakers is None else [TRAINSETS[speakers]]
    there = [
        name
        for name in wanted
        if _pair(data_folder, name, "")
        or _pair(data_folder, name, _suffix(sample_rate))
    ]
    if not there:
        raise _wrong_folder(data_folder, next(iter(wanted)), sample_rate)
    if len(there) > 1:
        logger.info("Both training sets are there; --speakers 56 takes the 56")
    return there[0]


def find_subset(data_folder, save_folder, name, sample_rate):
    """Finds the folders of a training or test set.

    Arguments
    ---------
    data_folder : Path
        Where the folders are.
    save_folder : Path
        Where resampled folders go if ``data_folder`` is read-only.
    name : str
        ``trainset_28spk``, ``trainset_56spk`` or ``testset``.
    sample_rate : int
        The rate of the prepared recordings (Hz).

    Returns
    -------
    Subset
        The folders.

    Raises
    ------
    FileNotFoundError
        If they are not there.
    """
    suffix = _suffix(sample_rate)
    transcripts = _unnest(data_folder / f"{name}_txt")
    originals = _pair(data_folder, name, "")
    ready = _pair(data_folder, name, suffix)
    if not originals and not ready:
        raise _wrong_folder(data_folder, name, sample_rate)
    if not originals:
        return Subset((), ready, transcripts)
    if not _is_higher(originals[0], sample_rate):
        return Subset((), originals, transcripts)
    subset = Subset(
        originals, _wav_folders(data_folder, name, suffix), transcripts
    )
    if any(subset.pending()) and not os.access(data_folder, os.W_OK):
        logger.info(f"{data_folder} is read-only: resampling in {save_folder}")
        subset = subset._replace(ready=_wav_folders(save_folder, name, suffix))
    return subset


def _suffix(sample_rate):
    """What SpeechBrain's recipe appends to resampled folders: _16k."""
    return f"_{sample_rate / 1000:g}k"


def _unnest(folder):
    """Steps into a folder of the same name, which some unpackers make."""
    inner = folder / folder.name
    return inner if inner.is_dir() else folder


def _wav_folders(folder, name, suffix):
    return tuple(
        _unnest(folder / f"{kind}_{name}_wav{suffix}") for kind in KINDS
    )


def _pair(folder, name, suffix):
    """Returns the clean and noisy folder, or () if one has no wav file."""
    pair = _wav_folders(folder, name, suffix)
    there = all(wavs.is_dir() and list_wavs(wavs) for wavs in pair)
    return pair if there else ()


def _is_higher(folder, sample_rate):
    """Tells whether the first readable recording has a higher rate."""
    headers = map(read_header, list_wavs(folder).values())
    first = next((header for header in headers if not header.fault), None)
    return first is not None and first.rate > sample_rate


def _wrong_folder(data_folder, name, sample_rate):
    """The error that tells which folders are expected and which are found."""
    expected = ", ".join(
        path.name for path in _wav_folders(data_folder, name, "")
    )
    return wrong_folder(
        data_folder,
        f"VoiceBank-DEMAND's {name}",
        SOURCE,
        f"folders with wav files: {expected} (or both with "
        f"{_suffix(sample_rate)} at the end)",
    )
