"""Annotates corpora of clean speech, of which mixtures are made later."""

from collections import defaultdict
from pathlib import Path
from typing import Callable, NamedTuple

from speechbrain.utils.logger import get_logger

from cmkt_plugin.annotation import escape, portable, write_annotation
from cmkt_plugin.atomic import write_text
from cmkt_plugin.corpus_files import fingerprint
from cmkt_plugin.preparation import report_faults
from cmkt_plugin.recordings import check_recordings
from cmkt_plugin.shown import first_few
from cmkt_plugin.transcript_lines import read_transcript_lines

logger = get_logger(__name__)
SPLITS = ("train", "valid_clean", "test_clean")
WITHOUT = "without_transcript.txt"
WAY_OUT = "Unpack or download them again, resample recordings of another rate"


class CleanCorpus(NamedTuple):
    """Where a corpus has its recordings and transcripts."""

    data_folder: Path  # what {data_root} stands for
    recordings: dict  # split to list of CorpusFile
    transcripts: list  # of CorpusFile; lines of utterance and words
    speaker: Callable  # Path of a recording to str


def prepare_clean_speech(
    corpus, preparation, sample_rate, skip_bad=False, jobs=None
):
    """Writes an annotation of each split, unless it is there already.

    Utterances without a transcript line are left out and listed in
    ``without_transcript.txt`` beside the annotations; transcripts are kept as
    they are written, braces doubled.

    Arguments
    ---------
    corpus : CleanCorpus
        The corpus.
    preparation : cmkt_plugin.preparation.Preparation
        Where the annotations go.
    sample_rate : int
        The rate that the recordings must have (Hz).
    skip_bad : bool
        If True, bad recordings are left out and counted in the log.
    jobs : int or None
        Threads; None takes as many as there are cores.

    Raises
    ------
    ValueError
        If splits share a speaker, if two recordings or transcripts are of one
        utterance, if recordings are bad, or if nothing is left of a split.
    """
    record = {
        "data_folder": str(corpus.data_folder),
        "sample_rate": sample_rate,
        "skip_bad": skip_bad,
        "recordings": {
            split: fingerprint(files)
            for split, files in corpus.recordings.items()
        },
        "transcripts": fingerprint(corpus.transcripts),
    }
    if preparation.is_done(record):
        return
    with preparation.recorded(lambda: record):
        require_disjoint_speakers(corpus)
        recordings = name_recordings(corpus)
        words = read_transcript_lines(corpus.transcripts, jobs)
        recordings = _with_words(
            recordings, words, preparation.save_folder / WITHOUT
        )
        seconds, faults = check_recordings(recordings, sample_rate, jobs)
        report_faults(faults, skip_bad, WAY_OUT)
        for split, files in corpus.recordings.items():
            names = sorted({Path(file.path).stem for file in files})
            write_annotation(
                preparation.save_folder / f"{split}.json",
                {
                    name: _entry(
                        corpus, recordings[name], seconds[name], words[name]
                    )
                    for name in names
                    if name in seconds
                },
            )


def require_disjoint_speakers(corpus):
    """Refuses splits that share a speaker.

    Arguments
    ---------
    corpus : CleanCorpus
        The corpus.
    """
    shared = in_several_splits(
        (corpus.speaker(Path(file.path)), split)
        for split, files in corpus.recordings.items()
        for file in files
    )
    if shared:
        raise ValueError(
            f"{corpus.data_folder}: expected other speakers in training, "
            f"validation and test, found {len(shared)} in several of them: "
            f"{first_few(shared)}. Take them out of all folders but one, or "
            "choose other splits"
        )


def in_several_splits(pairs):
    """Speakers that more than one split has.

    Arguments
    ---------
    pairs : iterable of tuple of str
        Speaker and split.

    Returns
    -------
    list of str
        Each with its splits.

    Example
    -------
    >>> in_several_splits([("a", "train"), ("b", "train"), ("a", "test")])
    ['a (test and train)']
    """
    splits = defaultdict(set)
    for speaker, split in pairs:
        splits[speaker].add(split)
    return [
        f"{speaker} ({' and '.join(sorted(names))})"
        for speaker, names in sorted(splits.items())
        if len(names) > 1
    ]


def name_recordings(corpus):
    """Names recordings by utterance, and refuses two of one utterance.

    Arguments
    ---------
    corpus : CleanCorpus
        The corpus.

    Returns
    -------
    dict
        Utterance to path.
    """
    paths, twice = {}, []
    for files in corpus.recordings.values():
        for file in files:
            name = Path(file.path).stem
            if name in paths:
                twice.append(f"{name}: {paths[name]} and {file.path}")
            paths[name] = file.path
    if twice:
        raise ValueError(
            f"{len(twice)} utterances have two recordings, expected one of "
            f"each name:\n  {first_few(twice, separator=chr(10) + '  ')}\n"
            "Remove or rename one of them"
        )
    return paths


def _with_words(recordings, words, listing):
    """Leaves out recordings without a transcript, and lists them in a file."""
    without = sorted(name for name in recordings if not words.get(name))
    listing.unlink(missing_ok=True)
    if without:
        write_text(listing, "\n".join(without) + "\n")
        logger.warning(
            f"{len(without)} of {len(recordings)} utterances have no "
            f"transcript line and are left out: {first_few(without)}; all of "
            f"them are in {listing}"
        )
    unheard = sum(name not in recordings for name in words)
    if unheard:
        logger.info(f"{unheard} transcript lines have no recording")
    return {name: path for name, path in recordings.items() if words.get(name)}


def _entry(corpus, path, seconds, words):
    return {
        "clean_wav": portable(path, corpus.data_folder),
        "length": round(seconds, 6),
        "speaker": corpus.speaker(Path(path)),
        "words": escape(words),
    }
