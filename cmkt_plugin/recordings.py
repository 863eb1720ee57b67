"""Checks recordings by their headers: readable, whole, channels, rate."""

import re
from pathlib import Path
from typing import NamedTuple

import soundfile

from cmkt_plugin.threads import map_in_threads

# What libsndfile notes where a wav, aiff, au or w64 file is shorter than its
# header says.
SHORT_DATA = re.compile(
    r"^ *(?:data|SSND|Data Size|riff) +: (\d+) \(should be (\d+)\)",
    re.MULTILINE,
)
# The same of an rf64 file.
SHORT_RF64 = re.compile(r"count (\d+) does not match .*'ds64' chunk of (\d+)")
SHORT_OGG = "Last page lacks an end-of-stream bit"
# A program that writes to a pipe cannot know the size and puts the largest.
UNKNOWN_SIZE = 0x7FFFFF00
# Formats with their length in the header, whatever is left of the file.
WITH_LENGTH = ("FLAC", "MP3")


class Header(NamedTuple):
    """What a recording's header tells; ``fault`` is empty for a sound file."""

    frames: int
    rate: int
    fault: str


def read_header(path, channels=1):
    """Reads the header of a recording and says what is wrong with it.

    Arguments
    ---------
    path : str or Path
        A file of any format that libsndfile reads.
    channels : int or None
        Channels expected; None allows any number.

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
        with soundfile.SoundFile(str(path)) as file:
            return Header(file.frames, file.samplerate, _fault(file, channels))
    # TypeError: headerless audio, whose rate libsndfile wants to be told.
    except (soundfile.SoundFileError, OSError, TypeError) as error:
        kind = Path(path).suffix[1:].lower()
        return Header(0, 0, f"not a readable {kind} file ({error})")


def rate_fault(header, sample_rate, higher_rates=False):
    """Says what is wrong with a recording for a model; "" for nothing.

    Arguments
    ---------
    header : Header
        As from ``read_header``.
    sample_rate : int
        The rate expected (Hz).
    higher_rates : bool
        If True, it may have a higher rate (it is going to be resampled).

    Returns
    -------
    str
        The header's fault, or found and expected rate.

    Example
    -------
    >>> rate_fault(Header(160, 8000, ""), 16000)
    '8000 Hz, expected 16000 Hz'
    """
    if header.fault:
        return header.fault
    if header.rate < sample_rate or (
        header.rate > sample_rate and not higher_rates
    ):
        return f"{header.rate} Hz, expected {sample_rate} Hz"
    return ""


def check_recordings(recordings, sample_rate, jobs=None):
    """Checks that recordings are sound and have the expected rate.

    Arguments
    ---------
    recordings : dict
        Utterance to path.
    sample_rate : int
        The rate expected (Hz).
    jobs : int or None
        Threads that read headers; None takes as many as there are cores.

    Returns
    -------
    seconds : dict
        Utterance to duration, for the recordings without a fault.
    faults : list of str
        One line for each other: file, found, expected.

    Example
    -------
    >>> path = getfixture("tmp_path") / "a.wav"
    >>> soundfile.write(path, [0.0] * 160, 16000)
    >>> check_recordings({"a": path}, 16000)
    ({'a': 0.01}, [])
    >>> check_recordings({"a": path}, 8000)
    ({}, ['...a.wav: 16000 Hz, expected 8000 Hz'])
    """
    headers = map_in_threads(
        read_header, list(recordings.values()), "Reading headers", jobs
    )
    seconds, faults = {}, []
    for (name, path), header in zip(recordings.items(), headers):
        fault = rate_fault(header, sample_rate)
        if fault:
            faults.append(f"{path}: {fault}")
        else:
            seconds[name] = header.frames / header.rate
    return seconds, faults


def _fault(file, channels):
    """Says what is wrong with an open file; "" for nothing."""
    # libsndfile reads what there is of a truncated file and does not complain.
    notes = file.extra_info
    short = SHORT_DATA.search(notes)
    if short and int(short[2]) < int(short[1]) < UNKNOWN_SIZE:
        return f"truncated: {short[2]} bytes of samples, expected {short[1]}"
    short = SHORT_RF64.search(notes)
    if short and int(short[1]) < int(short[2]):
        return f"truncated: {short[1]} samples, expected {short[2]}"
    if SHORT_OGG in notes:
        return "truncated: the mark of its end is not there"
    if file.frames == 0:
        return "0 samples, expected at least one"
    if channels is not None and file.channels != channels:
        return f"{file.channels} channels, expected {channels}"
    return _end_fault(file) if file.format in WITH_LENGTH else ""


def _end_fault(file):
    # A flac or mp3 header has the length recorded, whatever is left of it.
    try:
        file.seek(file.frames - 1)
        there = len(file.read(1))
    except soundfile.SoundFileError:
        there = 0
    if there:
        return ""
    return f"truncated: the last of {file.frames} samples is not there"
