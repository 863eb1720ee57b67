"""Reads recordings in blocks and writes them, each whole or not at all."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import soundfile

from cmkt_plugin.leftovers import temporary_path
from cmkt_plugin.recordings import read_header

# Frames. More than 2 million at once overflow the stack of the Vorbis encoder.
BLOCK = 65536
# Bits of a sample. Of floats libsndfile takes the next lower step in most of
# these, or wraps around at full scale.
BITS = {
    **{"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32},
    **{"ALAC_16": 16, "ALAC_20": 20, "ALAC_24": 24, "ALAC_32": 32},
    **{"DWVW_12": 12, "DWVW_16": 16, "DWVW_24": 24},
    **{"DPCM_8": 8, "DPCM_16": 16},
    # No zero is among its steps: those of silence are to have one sign.
    "ALAW": 12,
}
# The same in SDS, which has whole bytes of 7 bits.
SDS_BITS = {"PCM_S8": 14, "PCM_16": 21, "PCM_24": 28}
# Suffixes that are not the name of their format; None: its default subtype.
SUFFIXES = {
    "AIF": ("AIFF", None),
    "OGA": ("OGG", None),
    "OPUS": ("OGG", "OPUS"),
    "SND": ("AU", None),
}
# Its second file would keep the temporary name.
TWO_FILES = {"SD2"}


class ForwardFile(soundfile.SoundFile):
    """Sound file that is read and written from start to end.

    Example
    -------
    >>> with ForwardFile(
    ...     getfixture("tmp_path") / "a.wav", "w", 8000, 1
    ... ) as file:
    ...     file.seekable()
    False
    """

    def seekable(self):
        # Else soundfile seeks to where it is after every block, and the mp3
        # decoder goes on from there without what it remembers.
        return False


def open_recording(path):
    """Opens a recording for reading.

    Arguments
    ---------
    path : str or pathlib.Path
        A file of any format, rate and number of channels that libsndfile
        reads.

    Returns
    -------
    ForwardFile
        The open file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it cannot be read, is truncated or holds no samples.

    Example
    -------
    >>> path = getfixture("tmp_path") / "a.wav"
    >>> soundfile.write(path, [0.0, 0.5], 16000)
    >>> with open_recording(path) as recording:
    ...     recording.frames
    2
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path} not found: expected an audio file")
    if not path.is_file():
        raise ValueError(f"{path} is no file: expected an audio file")
    fault = read_header(path, channels=None).fault
    if fault:
        raise ValueError(f"{path}: {fault}")
    return ForwardFile(path)


def read_blocks(recording):
    """Reads an open recording from start to end.

    Arguments
    ---------
    recording : ForwardFile
        As from ``open_recording``.

    Returns
    -------
    iterator of numpy.ndarray
        Blocks (time, channels) of float32; full scale is 1.

    Raises
    ------
    ValueError
        At samples that cannot be read, are missing or are not finite.
    """
    position = 0
    while position < recording.frames:
        try:
            block = recording.read(BLOCK, dtype="float32", always_2d=True)
        except soundfile.SoundFileError as error:
            raise ValueError(
                f"{recording.name}: not readable from sample {position} on "
                f"({error})"
            ) from error
        if not len(block):
            raise ValueError(
                f"{recording.name}: truncated: {position} samples, expected "
                f"{recording.frames}"
            )
        check_finite(block, recording.name, position)
        yield block
        position += len(block)


def check_finite(samples, name, position=0):
    """Refuses samples that are no finite numbers.

    Arguments
    ---------
    samples : numpy.ndarray
        Samples (time, channels).
    name : str
        What the error calls their source.
    position : int
        What the error counts the samples from.

    Raises
    ------
    ValueError
        With the first such sample, its channel and value.

    Example
    -------
    >>> check_finite(np.array([[0.0], [np.nan]]), "a.wav")
    Traceback (most recent call last):
        ...
    ValueError: a.wav: sample 1 of channel 0 is nan, expected finite numbers;
    cut it out or replace it
    """
    if np.isfinite(samples).all():
        return
    sample, channel = np.argwhere(~np.isfinite(samples))[0]
    raise ValueError(
        f"{name}: sample {position + sample} of channel {channel} is "
        f"{samples[sample, channel]}, expected finite numbers; cut it out or "
        "replace it"
    )


def write_like(recording, path, pieces):
    """Writes a recording with the rate, channels and format of another.

    Arguments
    ---------
    recording : ForwardFile
        The other, open for reading. Its tags (title and so on) are kept where
        the format has them.
    path : str or pathlib.Path
        The file to write, under a temporary name until it is complete. Its
        folder is made if missing. A suffix other than that of the recording
        asks for its format. A file that is there is replaced and its
        permissions kept; a link stays one, and what it points to is written.
    pieces : iterable of numpy.ndarray
        Samples (time, channels); integer formats clip them at full scale.

    Returns
    -------
    pathlib.Path
        ``path``.

    Raises
    ------
    ValueError
        If this format can be read but not written, or ``path`` is a folder or
        a device.
    OSError
        If the file could not be written whole, on a full disk for example.
    """
    path = Path(path)
    target = _target(path)
    form = _format_for(recording, path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_path(target)
    try:
        if target.exists():
            # Who may not read the old one reads nothing of the new one.
            temporary.touch(0o600)
        try:
            _write(recording, temporary, form, pieces)
        except soundfile.SoundFileError as error:
            raise _not_whole(path, form, error) from error
        written = read_header(temporary, channels=None)
        # libsndfile does not always complain where the disk is full.
        if written.fault or written.frames < recording.frames:
            raise _not_whole(path, form, written.fault)
        with suppress(OSError):  # no file there, or a disk without modes
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _target(path):
    """The file that a path stands for: a link is written through."""
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise ValueError(f"{path} is a folder: name the file to write")
    # A device, for example, would be replaced by a file.
    if target.exists() and not target.is_file():
        raise ValueError(
            f"{path} is no file that can be replaced: name another"
        )
    return target


def _format_for(recording, path):
    """Format, subtype and endianness of a file that is written."""
    form = {
        "format": recording.format,
        "subtype": recording.subtype,
        "endian": recording.endian,
    }
    suffix = path.suffix[1:].upper()
    name, subtype = SUFFIXES.get(suffix, (suffix, None))
    # A recording may be named wrongly: its own suffix asks for nothing.
    same = path.suffix.lower() == Path(recording.name).suffix.lower()
    known = name in soundfile.available_formats()
    if known and not same and (name != recording.format or subtype):
        kept = subtype or form["subtype"]
        form = {"format": name, "subtype": kept, "endian": "FILE"}
        if not soundfile.check_format(**form):
            form["subtype"] = soundfile.default_subtype(name)
    # Of these it writes layer III in an mp3 only, whatever check_format says.
    if form["subtype"].startswith("MPEG"):
        form["subtype"] = soundfile.default_subtype(form["format"])
    if form["format"] in TWO_FILES or not soundfile.check_format(**form):
        raise ValueError(
            f"{path}: {form['subtype']} in {form['format']} can be read but "
            "not written; name an output that ends in .wav or .flac"
        )
    return form


def _write(recording, temporary, form, pieces):
    with ForwardFile(
        temporary,
        "w",
        samplerate=recording.samplerate,
        channels=recording.channels,
        **form,
    ) as file:
        for name, text in recording.copy_metadata().items():
            with suppress(soundfile.SoundFileError):  # the format has no such
                setattr(file, name, text)
        bits = (SDS_BITS if file.format == "SDS" else BITS).get(file.subtype)
        for piece in pieces:
            for start in range(0, len(piece), BLOCK):
                block = piece[start : start + BLOCK]
                file.write(block if bits is None else rounded(block, bits))


def rounded(samples, bits):
    """Rounds samples to the steps of an integer format.

    libsndfile, where it clips, takes the next lower step instead: a silence
    that is not quite one would become a rattle of -1.

    Arguments
    ---------
    samples : numpy.ndarray
        Samples (time, channels), full scale is 1.
    bits : int
        Of a sample in that format.

    Returns
    -------
    numpy.ndarray
        int32 with the samples in its upper bits, as libsndfile takes them.

    Example
    -------
    >>> rounded(np.array([-1e-9, 0.5, 2.0]), bits=16) >> 16
    array([    0, 16384, 32767], dtype=int32)
    """
    full_scale = 2.0 ** (bits - 1)
    steps = np.rint(samples.astype("float64") * full_scale)
    steps = steps.clip(-full_scale, full_scale - 1).astype("int32")
    return steps << (32 - bits)


def _not_whole(path, form, reason):
    return OSError(
        f"{path} could not be written whole ({reason or 'samples missing'}): "
        f"is the disk full? If not, {form['subtype']} in {form['format']} "
        "cannot be written so; name an output that ends in .wav or .flac"
    )
