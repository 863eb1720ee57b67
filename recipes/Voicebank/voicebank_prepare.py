"""Prepares VoiceBank-DEMAND (https://datashare.ed.ac.uk/handle/10283/2791).

C. Valentini-Botinhao, X. Wang, S. Takaki, J. Yamagishi, "Investigating
RNN-based speech enhancement methods for noise-robust text-to-speech", Proc.
9th ISCA Speech Synthesis Workshop, 2016.
"""

from pathlib import Path

from voicebank_annotation import annotate, require_speakers
from voicebank_folders import choose_trainset, find_subset

from cmkt_plugin.annotation import write_annotation
from cmkt_plugin.paired_audio import check_pairs
from cmkt_plugin.preparation import (
    Preparation,
    as_names,
    refuse_non_bool,
    report_faults,
)
from cmkt_plugin.resampling import resample_files

SPLITS = ("train", "valid", "test")
WAY_OUT = "Unpack them again (a bad file in a resampled folder: delete it)"


def prepare_voicebank(
    data_folder,
    save_folder,
    valid_speakers=("p226", "p287"),
    speakers=None,
    skip_prep=False,
    skip_bad=False,
    sample_rate=16000,
    jobs=None,
):
    """Writes ``train.json``, ``valid.json`` and ``test.json``.

    Reads the folders of the unpacked archives, which hold 48 kHz
    (``clean_trainset_28spk_wav``, ``noisy_trainset_28spk_wav``,
    ``clean_testset_wav``, ``noisy_testset_wav``), or those that SpeechBrain's
    recipe makes (same names with ``_16k``). Folders of a higher rate are
    resampled once, into ``_16k`` beside them, or in ``save_folder`` where
    ``data_folder`` is read-only. Transcripts come from ``trainset_28spk_txt``
    and ``testset_txt``; one that is missing is the empty string.

    A preparation with the same settings of the same files is not repeated.
    Braces in transcripts are doubled, because SpeechBrain formats every text
    of an annotation to fill in ``{data_root}``.

    Arguments
    ---------
    data_folder : str
        Where the folders named above are.
    save_folder : str
        Where the annotations go.
    valid_speakers : list of str, or str separated by commas
        Training speakers set apart for validation; the speaker is the file
        name up to ``_``. The defaults are of the 28-speaker set: the
        56-speaker set has other speakers, so name two of them.
    speakers : int or None
        Which training set, 28 or 56. None takes the one there is, and 28
        where there are both.
    skip_prep : bool
        If True, the annotations in ``save_folder`` are taken as they are.
    skip_bad : bool
        If True, bad recordings are left out and counted in the log.
    sample_rate : int
        The rate of the prepared recordings (Hz).
    jobs : int or None
        Threads; None takes as many as there are cores.

    Raises
    ------
    FileNotFoundError
        If the folder is missing or is not VoiceBank-DEMAND.
    ValueError
        If recordings are bad (all are listed), if a validation speaker has
        no file, or if an option has a value that it cannot have.

    Example
    -------
    >>> import json, soundfile
    >>> folder = getfixture("tmp_path")
    >>> for subset, names in (
    ...     ("trainset_28spk", ("p226_001", "p227_001")),
    ...     ("testset", ("p232_001",)),
    ... ):
    ...     for kind in ("clean", "noisy"):
    ...         wavs = folder / f"{kind}_{subset}_wav_16k"
    ...         wavs.mkdir()
    ...         for name in names:
    ...             path = wavs / f"{name}.wav"
    ...             soundfile.write(path, [0.0] * 1600, 16000)
    >>> prepare_voicebank(folder, folder / "save", valid_speakers="p226")
    >>> annotation = json.loads((folder / "save" / "valid.json").read_text())
    >>> annotation["p226_001"]["noisy_wav"]
    '{data_root}/noisy_trainset_28spk_wav_16k/p226_001.wav'
    >>> annotation["p226_001"]["length"], annotation["p226_001"]["words"]
    (0.1, '')
    """
    refuse_non_bool(skip_prep=skip_prep, skip_bad=skip_bad)
    data_folder, save_folder = Path(data_folder), Path(save_folder)
    preparation = Preparation(save_folder, SPLITS)
    if skip_prep:
        preparation.require_annotations()
        return
    trainset = choose_trainset(data_folder, speakers, sample_rate)
    subsets = [
        find_subset(data_folder, save_folder, name, sample_rate)
        for name in (trainset, "testset")
    ]
    settings = {
        "data_folder": str(data_folder.resolve()),
        "trainset": trainset,
        "valid_speakers": sorted(set(as_names(valid_speakers))),
        "skip_bad": skip_bad,
        "sample_rate": sample_rate,
    }
    if preparation.is_done(_record(settings, subsets)):
        return
    with preparation.recorded(lambda: _record(settings, subsets)):
        require_speakers(subsets[0].names(), settings["valid_speakers"])
        seconds = _check_and_resample(subsets, sample_rate, skip_bad, jobs)
        training, test = (
            annotate(subset, lengths, data_folder, jobs)
            for subset, lengths in zip(subsets, seconds)
        )
        train, valid = _part(training, settings["valid_speakers"])
        for split, annotation in zip(SPLITS, (train, valid, test)):
            write_annotation(save_folder / f"{split}.json", annotation)


def _part(training, valid_speakers):
    """Parts the training set's entries into train and valid."""
    train, valid = {}, {}
    for name, entry in training.items():
        is_valid = entry["speaker"] in valid_speakers
        (valid if is_valid else train)[name] = entry
    return train, valid


def _record(settings, subsets):
    prints = [subset.fingerprint() for subset in subsets]
    return {**settings, "fingerprints": prints}


def _check_and_resample(subsets, sample_rate, skip_bad, jobs):
    """Checks all recordings, then resamples those that are not ready.

    Returns
    -------
    list of dict
        For each subset, utterance to duration (s).
    """
    checked, faults = [], []
    for subset in subsets:
        pending = subset.pending()
        ready = [
            {
                name: wavs[name]
                for name in set(wavs) - {*pending[0], *pending[1]}
            }
            for wavs in subset.resampled()
        ]
        done, ready_faults = check_pairs(*ready, sample_rate, jobs=jobs)
        todo, todo_faults = check_pairs(
            *pending, sample_rate, higher_rates=True, jobs=jobs
        )
        checked.append((done, todo))
        faults += ready_faults + todo_faults
    report_faults(faults, skip_bad, WAY_OUT)
    return [
        {**done, **_resample(subset, todo, sample_rate, skip_bad, jobs)}
        for subset, (done, todo) in zip(subsets, checked)
    ]


def _resample(subset, names, sample_rate, skip_bad, jobs):
    """Resamples utterances and returns their new durations (s)."""
    if not names:
        return {}
    pending, there = subset.pending(), subset.resampled()
    for originals, ready, folder in zip(pending, there, subset.ready):
        sources = [originals[name] for name in names if name not in ready]
        resample_files(sources, folder, sample_rate, jobs)
    wavs = [{name: w[name] for name in names} for w in subset.resampled()]
    seconds, faults = check_pairs(*wavs, sample_rate, jobs=jobs)
    report_faults(faults, skip_bad, WAY_OUT)
    return seconds
