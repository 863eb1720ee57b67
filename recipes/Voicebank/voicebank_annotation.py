"""Annotates VoiceBank-DEMAND's utterances and parts them by speaker."""

from speechbrain.utils.logger import get_logger

from cmkt_plugin.annotation import escape, portable
from cmkt_plugin.text_file import read_text
from cmkt_plugin.threads import map_in_threads

logger = get_logger(__name__)


def speaker_of(name):
    """Returns an utterance's speaker: its name up to ``_``.

    Example
    -------
    >>> speaker_of("p226_001")
    'p226'
    """
    return name.split("_")[0]


def require_speakers(names, valid_speakers):
    """Refuses validation speakers that have no recording, none, and all.

    Arguments
    ---------
    names : iterable of str
        The training set's utterances.
    valid_speakers : list of str
        The speakers set apart for validation.
    """
    speakers = sorted({speaker_of(name) for name in names})
    unknown = sorted(set(valid_speakers) - set(speakers))
    if unknown:
        problem = f"no recording is of {', '.join(unknown)}"
    elif not valid_speakers or set(speakers) == set(valid_speakers):
        problem = "expected at least one, and one left for training"
    else:
        return
    raise ValueError(
        f"valid_speakers is [{', '.join(valid_speakers)}]: {problem}. Choose "
        f'by --valid_speakers "[{", ".join(speakers[:2])}]" among: '
        f"{', '.join(speakers)}"
    )


def annotate(subset, seconds, data_folder, jobs=None):
    """Makes the entries of a subset, in order of name.

    Arguments
    ---------
    subset : voicebank_folders.Subset
        Where recordings and transcripts are.
    seconds : dict
        Utterance to duration; the utterances to annotate.
    data_folder : Path
        What ``{data_root}`` stands for.
    jobs : int or None
        Threads that read transcripts; None takes as many as there are cores.

    Returns
    -------
    dict
        Utterance to ``noisy_wav``, ``clean_wav``, ``length`` (s),
        ``speaker`` and ``words``.
    """
    names = sorted(seconds)
    files = [subset.transcripts / f"{name}.txt" for name in names]
    read = map_in_threads(read_transcript, files, "Transcripts", jobs)
    texts = [text for text, _ in read]
    _tell_missing(subset.transcripts, names, read)
    clean, noisy = subset.resampled()
    return {
        name: {
            "noisy_wav": portable(noisy[name], data_folder),
            "clean_wav": portable(clean[name], data_folder),
            "length": round(seconds[name], 6),
            "speaker": speaker_of(name),
            "words": escape(text),
        }
        for name, text in zip(names, texts)
    }


def _tell_missing(folder, names, read):
    """Logs how many transcripts are not there, and not to be decoded."""
    without = [
        name for name, (text, fault) in zip(names, read) if not text + fault
    ]
    if without:
        logger.warning(
            f"{len(without)} of {len(names)} utterances have no transcript in "
            f"{folder} (missing or empty), first {without[0]}: they are used "
            "without one"
        )
    faults = [fault for _, fault in read if fault]
    if faults:
        logger.warning(
            f"{len(faults)} of {len(names)} transcripts cannot be decoded, "
            f"their utterances are used without one. The first: {faults[0]}"
        )


def read_transcript(path):
    """Reads a transcript as one line.

    Arguments
    ---------
    path : Path
        The file; it may be missing.

    Returns
    -------
    text : str
        "" where there is none.
    fault : str
        Why it cannot be decoded; "" otherwise.

    Example
    -------
    >>> path = getfixture("tmp_path") / "p226_001.txt"
    >>> _ = path.write_text("  Please call Stella. \\n")
    >>> read_transcript(path)
    ('Please call Stella.', '')
    """
    try:
        return " ".join(read_text(path).split()), ""
    except FileNotFoundError:
        return "", ""
    except ValueError as error:
        return "", str(error)
