"""Checks pairs of clean and noisy recordings."""

import re
from pathlib import Path
from typing import NamedTuple

import soundfile

from cmkt_plugin.threads import map_in_threads

# What libsndfile notes on a data chunk that is longer than the file.
SHORT_DATA = re.compile(r"^data : (\d+) \(should be (\d+)\)", re.MULTILINE)
# A program that writes to a pipe cannot know the size and puts the largest.
UNKNOWN_SIZE = 0x7FFFFF00


class Header(NamedTuple):
    """What a wav file's header tells; ``fault`` is empty for a sound file."""

    frames: int
    rate: int
    fault: str


def list_wavs(folder):
    """Lists the wav files of a folder by name without extension.

    Hidden files are passed over: archives made on a Mac hold a ``._`` file
    beside each recording.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> for name in ("p226_001.wav", "._p226_001.wav", "p226_001.txt"):
    ...     (folder / name).touch()
    >>> list(list_wavs(folder))
    ['p226_001']
    """
    return {
        path.stem: path
        for path in sorted(Path(folder).iterdir())
        if path.suffix.lower() == ".wav" and not path.name.startswith(".")
    }


def read_header(path):
    """Reads the header of a mono recording and says what is wrong with it.

    Arguments
    ---------
    path : str or Path
        A wav file.

    Returns
    -------
    Header
        Frames, sampling rate (Hz) and fault.

    Example
    -------
    >>> path = getfixture("tmp_path") / "silence.wav"
    >>> soundfile.write(path, [0.0] * 160, 16000)
    >>> read_header(path)
    Header(frames=160, rate=16000, fault='')
    """
    try:
        info = soundfile.info(str(path))
    except (soundfile.SoundFileError, OSError) as error:
        return Header(0, 0, f"not a readable wav file ({error})")
    fault = ""
    # libsndfile reads what there is of a truncated file and does not complain.
    short = SHORT_DATA.search(info.extra_info)
    if short and int(short[2]) < int(short[1]) < UNKNOWN_SIZE:
        fault = f"truncated: {short[2]} bytes of samples, expected {short[1]}"
    elif info.frames == 0:
        fault = "0 samples, expected at least one"
    elif info.channels != 1:
        fault = f"{info.channels} channels, expected 1"
    return Header(info.frames, info.samplerate, fault)


def check_pairs(clean, noisy, sample_rate, higher_rates=False, jobs=None):
    """Checks that clean and noisy recordings go together.

    Arguments
    ---------
    clean, noisy : dict
        Utterance to path, as from ``list_wavs``.
    sample_rate : int
        The rate expected (Hz).
    higher_rates : bool
        If True, a pair may have a higher rate (it is going to be resampled).
    jobs : int or None
        Threads that read headers; None takes as many as there are cores.

    Returns
    -------
    seconds : dict
        Utterance to duration, for the pairs that go together.
    faults : list of str
        One line for each pair that does not: file, found, expected.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> soundfile.write(folder / "clean.wav", [0.0] * 160, 16000)
    >>> soundfile.write(folder / "noisy.wav", [0.0] * 150, 16000)
    >>> clean, noisy = folder / "clean.wav", folder / "noisy.wav"
    >>> check_pairs({"p226_001": clean}, {"p226_001": clean}, 16000)
    ({'p226_001': 0.01}, [])
    >>> seconds, faults = check_pairs({"a": clean}, {"a": noisy}, 16000)
    >>> seconds, faults
    ({}, ['...noisy.wav: 150 samples, expected 160 as in ...clean.wav'])
    """
    faults = [
        f"{there[name]}: no {missing} file of that name, expected one"
        for there, other, missing in (
            (clean, noisy, "noisy"),
            (noisy, clean, "clean"),
        )
        for name in sorted(set(there) - set(other))
    ]
    names = sorted(set(clean) & set(noisy))
    paths = [folder[name] for name in names for folder in (clean, noisy)]
    headers = iter(map_in_threads(read_header, paths, "Reading headers", jobs))
    seconds = {}
    for name, clean_header, noisy_header in zip(names, headers, headers):
        fault = _pair_fault(
            (clean[name], clean_header),
            (noisy[name], noisy_header),
            sample_rate,
            higher_rates,
        )
        if fault:
            faults.append(fault)
        else:
            seconds[name] = clean_header.frames / clean_header.rate
    return seconds, faults


def _pair_fault(clean, noisy, sample_rate, higher_rates):
    """Says what is wrong with a pair of (path, header); "" for nothing."""
    for path, header in (clean, noisy):
        if header.fault:
            return f"{path}: {header.fault}"
        if header.rate < sample_rate or (
            header.rate > sample_rate and not higher_rates
        ):
            return f"{path}: {header.rate} Hz, expected {sample_rate} Hz"
    for unit, found, expected in (
        ("Hz", noisy[1].rate, clean[1].rate),
        ("samples", noisy[1].frames, clean[1].frames),
    ):
        if found != expected:
            return (
                f"{noisy[0]}: {found} {unit}, expected {expected} as in "
                f"{clean[0]}"
            )
    return ""
