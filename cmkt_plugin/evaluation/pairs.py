"""Which noisy recording belongs to which clean one, and who speaks."""

import re
from collections import Counter
from pathlib import Path

from cmkt_plugin.file_tree import Unreadable, is_recording, walk_files
from cmkt_plugin.paired_audio import check_pairs

# VoiceBank's p226_001, LibriSpeech's 84-121123-0000.
SPEAKER = r"^[^-_]+"


def find_pairs(noisy, clean, sample_rate):
    """Pairs the recordings of two folders by name.

    Where every name occurs once in each folder, folders inside them do not
    matter and the utterance is called by its name; else by its path, which
    must be the same in both. Suffixes may differ.

    Arguments
    ---------
    noisy, clean : str or pathlib.Path
        The folders.
    sample_rate : int
        That of the model (Hz): recordings of a higher rate are resampled.

    Returns
    -------
    pairs : dict
        Utterance to the paths of its noisy and its clean recording.
    faults : list of str
        One line for each folder that cannot be read, each recording without
        a partner, and each pair that does not fit: file, found, expected.

    Raises
    ------
    ValueError
        If there is no pair at all.

    Example
    -------
    >>> import soundfile
    >>> folder = getfixture("tmp_path")
    >>> for name in ("noisy/p226_001.flac", "clean/p226/p226_001.wav"):
    ...     (folder / name).parent.mkdir(parents=True)
    ...     soundfile.write(folder / name, [0.0] * 160, 16000)
    >>> pairs, faults = find_pairs(folder / "noisy", folder / "clean", 16000)
    >>> list(pairs), faults
    (['p226_001'], [])
    """
    unreadable = Unreadable()
    folders = [_by_path(folder, unreadable) for folder in (noisy, clean)]
    if all(_names_are_unique(folder) for folder in folders):
        folders = [
            {Path(name).name: path for name, path in folder.items()}
            for folder in folders
        ]
    noisy_files, clean_files = folders
    sound, faults = check_pairs(
        clean_files, noisy_files, sample_rate, higher_rates=True
    )
    faults[:0] = [f"{folder} {why}" for folder, why in unreadable.items()]
    if not sound:
        raise ValueError(
            f"no pair of recordings: {len(noisy_files)} in {noisy}, "
            f"{len(clean_files)} in {clean}; expected the same names in both. "
            f"{'; '.join(faults[:3])}"
        )
    return {name: (noisy_files[name], clean_files[name]) for name in sound}, (
        faults
    )


def speakers_of(names, pattern=SPEAKER):
    """Who speaks, by what a pattern finds in the utterances' names.

    Arguments
    ---------
    names : iterable of str
        The utterances.
    pattern : str
        Regular expression; its first group, if it has one, else the whole.

    Returns
    -------
    dict
        Utterance to speaker.

    Raises
    ------
    ValueError
        If a name has no such part, or the pattern is none.

    Example
    -------
    >>> speakers_of(["p226_001", "84-121123-0000"])
    {'p226_001': 'p226', '84-121123-0000': '84'}
    >>> speakers_of(["BAC009S0764W0121"], r"S\\d+")
    {'BAC009S0764W0121': 'S0764'}
    """
    try:
        search = re.compile(pattern).search
    except re.error as error:
        raise ValueError(f"--speaker {pattern} is no pattern: {error}")
    found = {name: search(Path(name).name) or search(name) for name in names}
    for name, match in found.items():
        if not match:
            raise ValueError(
                f"--speaker {pattern} finds nothing in {name}: expected what "
                "is the speaker in every name"
            )
    return {n: m[1] if m.re.groups else m[0] for n, m in found.items()}


def _by_path(folder, unreadable):
    """Recordings by path in the folder, without suffix."""
    if not Path(folder).is_dir():
        raise FileNotFoundError(f"{folder}: expected a folder of recordings")
    names = sorted(walk_files(folder, unreadable.note))
    names = [name for name in names if is_recording(name)]
    found = {Path(n).with_suffix("").as_posix(): Path(folder, n) for n in names}
    if len(found) < len(names):
        twice = Counter(Path(n).with_suffix("").as_posix() for n in names)
        name = twice.most_common(1)[0][0]
        raise ValueError(
            f"{folder} holds {name} in several formats: expected one file"
        )
    return found


def _names_are_unique(folder):
    return len({Path(name).name for name in folder}) == len(folder)
