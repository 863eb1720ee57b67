"""Unpacks AISHELL-1's speaker archives, each whole or not at all."""

import gzip
import os
import shutil
import tarfile
import zlib
from functools import partial

from speechbrain.utils.logger import get_logger

from cmkt_plugin.leftovers import remove_leftovers, temporary_path
from cmkt_plugin.preparation import report_faults
from cmkt_plugin.threads import map_in_threads

logger = get_logger(__name__)
FOLDERS = ("train", "dev", "test")
SUFFIX = ".tar.gz"
# What a damaged or unsafe archive raises; a full disk must not count as one.
DAMAGE = (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error)
BLOCK = 1 << 20


def unpack_speakers(wavs, unpack=False, skip_bad=False, jobs=None):
    """Unpacks the archives of speakers who have no folder yet.

    Arguments
    ---------
    wavs : Path
        The corpus's ``wav`` folder: ``S0002.tar.gz`` in it holds
        ``train/S0002``.
    unpack : bool
        If False, archives are left as they are, and named.
    skip_bad : bool
        If True, bad archives are left out and counted in the log.
    jobs : int or None
        Threads; None takes as many as there are cores.

    Raises
    ------
    FileNotFoundError
        If a part of the corpus is in archives only and they are not to be
        unpacked.
    ValueError
        If archives are bad: all of them are named.
    """
    pending = [
        archive
        for archive in sorted(wavs.glob(f"[!.]*{SUFFIX}"))
        if not any((wavs / f / _speaker(archive)).is_dir() for f in FOLDERS)
    ]
    if pending and not unpack:
        _name_packed(wavs, pending)
    elif pending:
        remove_leftovers(wavs)
        faults = map_in_threads(
            partial(unpack_speaker, wavs), pending, "Unpacking", jobs
        )
        faults = [fault for fault in faults if fault]
        logger.info(f"Unpacked {len(pending) - len(faults)} speaker archives")
        report_faults(faults, skip_bad, "Download them again", "bad archives")


def unpack_speaker(wavs, archive):
    """Unpacks an archive under a temporary name and renames the folder.

    Arguments
    ---------
    wavs : Path
        Where the speaker's folder goes, in train, dev or test.
    archive : Path
        The archive.

    Returns
    -------
    str
        What is wrong with the archive; "" for nothing.
    """
    temporary = temporary_path(wavs / _speaker(archive))
    try:
        _extract(archive, temporary)
        inner = [f"{folder}/{_speaker(archive)}" for folder in FOLDERS]
        there = [name for name in inner if (temporary / name).is_dir()]
        if len(there) != 1:
            return f"{archive}: expected one folder of {', '.join(inner)} in it"
        (wavs / there[0]).parent.mkdir(exist_ok=True)
        _move(temporary / there[0], wavs / there[0])
    except DAMAGE as error:
        return f"{archive}: not a readable archive ({error})"
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return ""


def _speaker(archive):
    return archive.name.removesuffix(SUFFIX)


def _extract(archive, folder):
    folder.mkdir()
    with gzip.open(archive) as stream, tarfile.open(fileobj=stream) as tar:
        # Nothing outside the folder, no devices, no owners.
        tar.extractall(folder, filter="data")
        # gzip's checksum comes at the end, after all that tar reads.
        while stream.read(BLOCK):
            pass


def _move(folder, target):
    try:
        os.rename(folder, target)
    except OSError:
        # Another run was faster.
        if not target.is_dir():
            raise


def _name_packed(wavs, pending):
    """Says what is packed; refuses if a part of the corpus is all packed."""
    packed = f"{len(pending)} speakers are packed, first {pending[0].name}"
    empty = [f for f in FOLDERS if not any((wavs / f).glob("S*"))]
    if empty:
        raise FileNotFoundError(
            f"{wavs} has no speaker's folder in {', '.join(empty)}: {packed}. "
            "Write --unpack True to unpack them there"
        )
    logger.warning(f"{wavs}: {packed}, left out. --unpack True takes them in")
