"""Prepares AISHELL-1 (https://www.openslr.org/33): clean Mandarin speech.

H. Bu, J. Du, X. Na, B. Wu, H. Zheng, "AISHELL-1: An open-source Mandarin
speech corpus and a speech recognition baseline", Proc. O-COCOSDA, 2017.
"""

import os
from pathlib import Path

from aishell_archives import unpack_speakers

from cmkt_plugin.clean_speech import SPLITS, CleanCorpus, prepare_clean_speech
from cmkt_plugin.corpus_files import list_files
from cmkt_plugin.preparation import Preparation, refuse_non_bool, wrong_folder

SOURCE = "https://www.openslr.org/33"
# The corpus's folder of each annotation.
FOLDERS = dict(zip(SPLITS, ("train", "dev", "test")))
TRANSCRIPT = "aishell_transcript_v0.8.txt"


def prepare_aishell(
    data_folder,
    save_folder,
    skip_prep=False,
    skip_bad=False,
    sample_rate=16000,
    unpack=False,
    jobs=None,
):
    """Writes ``train.json``, ``valid_clean.json`` and ``test_clean.json``.

    Reads ``data_aishell/wav/{train,dev,test}/S*/*.wav`` and
    ``data_aishell/transcript/aishell_transcript_v0.8.txt``. Utterances
    without a transcript line (the published corpus has some) are left out
    and named in the log. Words are kept as they are written, with the blanks
    between them. A preparation with the same settings of the same files is
    not repeated.

    Arguments
    ---------
    data_folder : str
        The folder that holds ``data_aishell``, or that folder itself.
    save_folder : str
        Where the annotations go.
    skip_prep : bool
        If True, the annotations in ``save_folder`` are taken as they are.
    skip_bad : bool
        If True, bad recordings and archives are left out and counted in the
        log.
    sample_rate : int
        The rate that the recordings must have (Hz).
    unpack : bool
        If True, speakers who are still packed (``wav/S0002.tar.gz``) are
        unpacked there.
    jobs : int or None
        Threads; None takes as many as there are cores.

    Raises
    ------
    FileNotFoundError
        If the folder is missing, is not AISHELL-1, or is still packed.
    ValueError
        If recordings or archives are bad (all are listed), the transcript is
        not UTF-8, two recordings are of one utterance, or splits share a
        speaker.

    Example
    -------
    >>> import json, soundfile
    >>> folder = getfixture("tmp_path")
    >>> text = folder / "data_aishell" / "transcript" / TRANSCRIPT
    >>> text.parent.mkdir(parents=True)
    >>> lines = []
    >>> for split, speaker in (
    ...     ("train", "S0002"),
    ...     ("dev", "S0724"),
    ...     ("test", "S0764"),
    ... ):
    ...     name = f"BAC009{speaker}W0122"
    ...     wavs = folder / "data_aishell" / "wav" / split / speaker
    ...     wavs.mkdir(parents=True)
    ...     soundfile.write(wavs / f"{name}.wav", [0.0] * 1600, 16000)
    ...     lines.append(f"{name} 而 对 楼市\\n")
    >>> _ = text.write_text("".join(lines), encoding="utf-8")
    >>> prepare_aishell(folder, folder / "save")
    >>> path = folder / "save" / "train.json"
    >>> entry = json.loads(path.read_text("utf-8"))["BAC009S0002W0122"]
    >>> entry["clean_wav"]
    '{data_root}/data_aishell/wav/train/S0002/BAC009S0002W0122.wav'
    >>> entry["length"], entry["speaker"], entry["words"]
    (0.1, 'S0002', '而 对 楼市')
    """
    refuse_non_bool(skip_prep=skip_prep, skip_bad=skip_bad, unpack=unpack)
    preparation = Preparation(save_folder, SPLITS)
    if skip_prep:
        preparation.require_annotations()
        return
    data_folder = Path(os.path.abspath(data_folder))
    root = find_root(data_folder)
    unpack_speakers(root / "wav", unpack, skip_bad, jobs)
    corpus = CleanCorpus(
        data_folder,
        {
            split: list_recordings(root, folder, jobs)
            for split, folder in FOLDERS.items()
        },
        [f for f in list_files([root / "transcript"]) if f.name == TRANSCRIPT],
        speaker=lambda path: path.parent.name,
    )
    prepare_clean_speech(corpus, preparation, sample_rate, skip_bad, jobs)


def find_root(data_folder):
    """Finds ``data_aishell``, by its transcript and recordings.

    Arguments
    ---------
    data_folder : Path
        The folder that holds it, or the folder itself.

    Returns
    -------
    Path
    """
    for root in (data_folder / "data_aishell", data_folder):
        if (root / "transcript" / TRANSCRIPT).is_file() and (
            root / "wav"
        ).is_dir():
            return root
    raise wrong_folder(
        data_folder,
        "AISHELL-1",
        SOURCE,
        f"data_aishell/wav and data_aishell/transcript/{TRANSCRIPT}",
    )


def list_recordings(root, folder, jobs=None):
    """Lists the recordings of train, dev or test.

    Arguments
    ---------
    root : Path
        ``data_aishell``.
    folder : str
        ``train``, ``dev`` or ``test``.
    jobs : int or None
        Threads; None takes as many as there are cores.

    Returns
    -------
    list of cmkt_plugin.corpus_files.CorpusFile
    """
    speakers = sorted((root / "wav" / folder).glob("S*"))
    files = [
        file
        for file in list_files(speakers, jobs)
        if file.name.lower().endswith(".wav")
    ]
    if not files:
        raise wrong_folder(
            root / "wav",
            f"AISHELL-1's {folder}",
            SOURCE,
            f"{folder}/S*/*.wav",
        )
    return files
