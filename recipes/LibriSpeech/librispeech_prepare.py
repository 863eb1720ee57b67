"""Prepares LibriSpeech (https://www.openslr.org/12): clean English speech.

V. Panayotov, G. Chen, D. Povey, S. Khudanpur, "LibriSpeech: an ASR corpus
based on public domain audio books", Proc. ICASSP, 2015.
"""

import os
from pathlib import Path

from cmkt_plugin.clean_speech import SPLITS, CleanCorpus, prepare_clean_speech
from cmkt_plugin.corpus_files import list_files
from cmkt_plugin.preparation import (
    Preparation,
    as_names,
    refuse_non_bool,
    wrong_folder,
)

SOURCE = "https://www.openslr.org/12"


def prepare_librispeech(
    data_folder,
    save_folder,
    train_splits=("train-clean-100",),
    valid_splits=("dev-clean",),
    test_splits=("test-clean",),
    skip_prep=False,
    skip_bad=False,
    sample_rate=16000,
    jobs=None,
):
    """Writes ``train.json``, ``valid_clean.json`` and ``test_clean.json``.

    Reads ``split/speaker/chapter/*.flac`` and the ``*.trans.txt`` beside
    them. Utterances without a transcript line are left out and named in the
    log. Words are kept as they are written, in capitals. A preparation with
    the same settings of the same files is not repeated.

    Arguments
    ---------
    data_folder : str
        The folder that holds the splits, or ``LibriSpeech`` with them in it.
    save_folder : str
        Where the annotations go.
    train_splits, valid_splits, test_splits : list of str, or str with commas
        The corpus's parts that go into each annotation.
    skip_prep : bool
        If True, the annotations in ``save_folder`` are taken as they are.
    skip_bad : bool
        If True, bad recordings are left out and counted in the log.
    sample_rate : int
        The rate that the recordings must have (Hz).
    jobs : int or None
        Threads; None takes as many as there are cores.

    Raises
    ------
    FileNotFoundError
        If the folder is missing or has not all of the splits.
    ValueError
        If recordings are bad (all are listed), a transcript is not UTF-8, two
        recordings are of one utterance, or splits share a speaker.

    Example
    -------
    >>> import json, soundfile
    >>> folder = getfixture("tmp_path")
    >>> for split, speaker in (
    ...     ("train-clean-100", 103),
    ...     ("dev-clean", 84),
    ...     ("test-clean", 61),
    ... ):
    ...     chapter = folder / split / str(speaker) / "1240"
    ...     chapter.mkdir(parents=True)
    ...     name = f"{speaker}-1240"
    ...     soundfile.write(chapter / f"{name}-0000.flac", [0.0] * 1600, 16000)
    ...     text = chapter / f"{name}.trans.txt"
    ...     _ = text.write_text(f"{name}-0000 GO DO YOU HEAR\\n")
    >>> prepare_librispeech(folder, folder / "save")
    >>> path = folder / "save" / "valid_clean.json"
    >>> entry = json.loads(path.read_text())["84-1240-0000"]
    >>> entry["clean_wav"]
    '{data_root}/dev-clean/84/1240/84-1240-0000.flac'
    >>> entry["length"], entry["speaker"], entry["words"]
    (0.1, '84', 'GO DO YOU HEAR')
    """
    refuse_non_bool(skip_prep=skip_prep, skip_bad=skip_bad)
    preparation = Preparation(save_folder, SPLITS)
    if skip_prep:
        preparation.require_annotations()
        return
    data_folder = Path(os.path.abspath(data_folder))
    inner = data_folder / "LibriSpeech"
    root = inner if inner.is_dir() else data_folder
    files = {
        split: list_split(root, option, as_names(parts), jobs)
        for split, option, parts in (
            ("train", "train_splits", train_splits),
            ("valid_clean", "valid_splits", valid_splits),
            ("test_clean", "test_splits", test_splits),
        )
    }
    corpus = CleanCorpus(
        data_folder,
        {split: _ending(".flac", names) for split, names in files.items()},
        _ending(".trans.txt", sum(files.values(), [])),
        speaker=lambda path: path.parts[-3],
    )
    prepare_clean_speech(corpus, preparation, sample_rate, skip_bad, jobs)


def list_split(root, option, parts, jobs=None):
    """Lists the files of an annotation's parts.

    Arguments
    ---------
    root : Path
        Where the parts are.
    option : str
        The option that names them.
    parts : list of str
        Their names.
    jobs : int or None
        Threads; None takes as many as there are cores.

    Returns
    -------
    list of cmkt_plugin.corpus_files.CorpusFile
    """
    if not parts:
        raise ValueError(
            f"{option} is empty, expected at least one part of LibriSpeech: "
            f'write --{option} "[dev-clean]"'
        )
    files = []
    for part in dict.fromkeys(parts):
        chapters = sorted((root / part).glob("*/*"))
        found = list_files(chapters, jobs)
        if not _ending(".flac", found):
            raise wrong_folder(
                root,
                f"LibriSpeech's {part} ({option})",
                SOURCE,
                f"{part}/speaker/chapter/*.flac",
            )
        files += found
    return files


def _ending(suffix, files):
    return [file for file in files if file.name.endswith(suffix)]
