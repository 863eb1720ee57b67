"""Prepares corpora of talkers on video: sound, lip regions, annotations."""

import fcntl
import hashlib
import os
from contextlib import contextmanager
from pathlib import Path

from avse_split import require_disjoint
from speechbrain.utils.logger import get_logger

from cmkt_plugin.annotation import escape, portable, write_annotation
from cmkt_plugin.corpus_files import fingerprint, list_files
from cmkt_plugin.preparation import Preparation, refuse_non_bool, report_faults
from cmkt_plugin.recordings import check_recordings
from cmkt_plugin.shown import first_few
from cmkt_plugin.visual.prepare import prepare_clips

logger = get_logger(__name__)
ANNOTATIONS = {
    "train": "train",
    "valid": "valid_clean",
    "test": "test_clean",
}
LOCK = ".lock"
WAY_OUT = "Remove them, so that they are prepared again"


def prepare_avse(
    video_folder,
    data_folder,
    save_folder,
    reader,
    split,
    lip_regions=None,
    skip_prep=False,
    sample_rate=16000,
    jobs=None,
):
    """Writes ``train.json``, ``valid_clean.json`` and ``test_clean.json``.

    Finds the lips in every clip and takes its sound, once for all runs that
    share ``data_folder``. Clips without a transcript, a face or sound are left
    out, counted and named in the log with the reason. A preparation with the
    same settings of the same files is not repeated.

    Arguments
    ---------
    video_folder : str
        The corpus.
    data_folder : str
        Where sound and lips of the clips go.
    save_folder : str
        Where the annotations go.
    reader : callable
        Lists the clips of the corpus, as ``avse_table.ClipTable``.
    split : callable
        Splits them, as ``avse_split.ByColumn``.
    lip_regions : dict or None
        Options of ``cmkt_plugin.visual.prepare.prepare_clips``.
    skip_prep : bool
        If True, the annotations in ``save_folder`` are taken as they are.
    sample_rate : int
        The rate of the sound (Hz).
    jobs : int or None
        Processes; None takes as many as there are cores.

    Raises
    ------
    FileNotFoundError
        If the corpus is not there.
    ValueError
        If two clips have one id, splits share a speaker, or all clips of a
        split are unusable.

    Example
    -------
    >>> from avse_split import SpeakerFractions
    >>> from avse_table import ClipTable
    >>> folder = getfixture("tmp_path")
    >>> _ = (folder / "clips.csv").write_text(
    ...     "id,video,speaker,transcript\\na,a.mkv,s1,bin blue\\n"
    ... )
    >>> prepare_avse(
    ...     folder,
    ...     folder / "prepared",
    ...     folder / "save",
    ...     ClipTable(),
    ...     SpeakerFractions(),
    ... )
    Traceback (most recent call last):
    ValueError: 1 speakers: 1 for validation and 1 for the test leave none ...
    """
    refuse_non_bool(skip_prep=skip_prep)
    preparation = Preparation(save_folder, ANNOTATIONS.values())
    if skip_prep:
        preparation.require_annotations()
        return
    clips = list_clips(video_folder, reader)
    parts = split(clips)
    require_disjoint(parts)
    told = {clip.id: clip for clip in with_transcript(clips)}
    with one_at_a_time(data_folder):
        facts = prepare_clips(
            {name: sources(clip) for name, clip in told.items()},
            data_folder,
            jobs=jobs,
            **(lip_regions or {}),
        )
    record = {
        "sample_rate": sample_rate,
        "clips": sum_up(parts),
        "prepared": fingerprint(list_files([Path(data_folder)])),
    }
    if preparation.is_done(record):
        return
    with preparation.recorded(lambda: record):
        usable = [clip for clip in told.values() if not facts[clip.id]["fault"]]
        entries = annotate(usable, data_folder, sample_rate, jobs)
        for name, annotation in ANNOTATIONS.items():
            write_annotation(
                preparation.save_folder / f"{annotation}.json",
                {c.id: entries[c.id] for c in parts[name] if c.id in entries},
            )


def list_clips(video_folder, reader):
    """Lists the clips of a corpus.

    Arguments
    ---------
    video_folder : str
        The corpus.
    reader : callable
        As ``avse_table.ClipTable``.

    Returns
    -------
    list of Clip
    """
    folder = Path(os.path.abspath(video_folder))
    if not folder.is_dir():
        raise FileNotFoundError(
            f"The video folder {folder} does not exist: name the folder of "
            "the corpus by --video_folder"
        )
    clips = reader(folder)
    require_ids(clips)
    return clips


@contextmanager
def one_at_a_time(folder):
    """Lets runs that share a folder prepare it one after the other.

    The first prepares everything, the others find it done. The kernel's lock
    ends with its process.

    Arguments
    ---------
    folder : str or Path
        The folder; made if it is missing.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    with open(Path(folder, LOCK), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def require_ids(clips):
    """Refuses ids that are there twice or cannot be the name of a file.

    Arguments
    ---------
    clips : list of Clip
        All clips of the corpus.
    """
    seen = {}
    for clip in clips:
        if clip.id != Path(clip.id).name or clip.id.startswith("."):
            raise ValueError(
                f"{clip.video}: the id {clip.id!r} cannot be a file's name, "
                "expected one without folders; rename it"
            )
        if clip.id in seen:
            raise ValueError(
                f"two clips have the id {clip.id}: {seen[clip.id]} and "
                f"{clip.video}; expected one of each name, rename one of them"
            )
        seen[clip.id] = clip.video


def sum_up(parts):
    """Sums up what the reader and the split say.

    Arguments
    ---------
    parts : dict
        Split to list of Clip.

    Returns
    -------
    dict
        Clips in each, and a hash of all.
    """
    digest = hashlib.sha256()
    for name, clips in parts.items():
        for clip in clips:
            digest.update(repr((name, *clip)).encode())
    counts = {name: len(clips) for name, clips in parts.items()}
    return {**counts, "sha256": digest.hexdigest()}


def with_transcript(clips):
    """Leaves out clips of which nothing says what is said.

    Arguments
    ---------
    clips : list of Clip
        All clips.

    Returns
    -------
    list of Clip
    """
    without = [clip.id for clip in clips if not clip.transcript]
    if without:
        logger.warning(
            f"{len(without)} of {len(clips)} clips have no transcript and are "
            f"left out: {first_few(without)}"
        )
    return [clip for clip in clips if clip.transcript]


def sources(clip):
    """The files of a clip: video and, where there is one, separate sound."""
    return [path for path in (clip.video, clip.audio) if path is not None]


def annotate(clips, folder, sample_rate, jobs=None):
    """Entries of clips that are prepared.

    Arguments
    ---------
    clips : list of Clip
        The clips.
    folder : str
        Where their sound and lips are: ``{data_root}``.
    sample_rate : int
        The rate that the sound must have (Hz).
    jobs : int or None
        Threads; None takes as many as there are cores.

    Returns
    -------
    dict
        Id to ``clean_wav``, ``lips_file``, ``length`` (s), ``speaker``,
        ``words`` and, where they are given, ``phones``.
    """
    wavs = {clip.id: Path(folder, f"{clip.id}.wav") for clip in clips}
    seconds, faults = check_recordings(wavs, sample_rate, jobs)
    report_faults(faults, False, WAY_OUT)
    return {
        clip.id: {
            "clean_wav": portable(wavs[clip.id], folder),
            "lips_file": portable(Path(folder, f"{clip.id}.lips.npz"), folder),
            "length": round(seconds[clip.id], 6),
            "speaker": clip.speaker,
            "words": escape(clip.transcript),
            **({"phones": escape(clip.phones)} if clip.phones else {}),
        }
        for clip in clips
    }
