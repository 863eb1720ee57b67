"""What the preparation keeps of a clip's picture: a compressed .npz."""

import io
import zipfile
import zlib

import numpy as np

from cmkt_plugin.atomic import write_bytes
from cmkt_plugin.visual.lips import SIZE

# What numpy raises for a file that is cut, damaged, or something else.
BROKEN = (
    *(AttributeError, EOFError, KeyError, OSError, TypeError, ValueError),
    *(zipfile.BadZipFile, zlib.error),
)


def write_lips(path, pixels, present):
    """Writes the crops of one clip; the file is whole or absent.

    Arguments
    ---------
    path : str or Path
        The file to write, ``<id>.lips.npz``; its folder is made if needed.
    pixels : numpy.ndarray
        Grey crops (frames, 96, 96), uint8.
    present : numpy.ndarray
        Whether a face was found in each frame (frames,).

    Raises
    ------
    ValueError
        If shapes or types are others.

    Example
    -------
    >>> path = getfixture("tmp_path") / "s1_bbaf2n.lips.npz"
    >>> write_lips(path, np.zeros((75, 96, 96), np.uint8), np.ones(75))
    >>> pixels, present = read_lips(path)
    >>> pixels.shape, pixels.dtype.name, int(present.sum())
    ((75, 96, 96), 'uint8', 75)
    """
    pixels, present = np.asarray(pixels), np.asarray(present) != 0
    _check(path, pixels, present)
    file = io.BytesIO()
    np.savez_compressed(file, pixels=pixels, present=present.astype(np.uint8))
    write_bytes(path, file.getvalue())


def read_lips(path):
    """Reads the crops of one clip.

    Arguments
    ---------
    path : str or Path
        A file of ``write_lips``.

    Returns
    -------
    pixels : numpy.ndarray
        Grey crops (frames, 96, 96), uint8, at 25 frames/s.
    present : numpy.ndarray
        1 where a face was found (frames,), uint8.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is broken, or was not written by ``write_lips``.
    """
    try:
        # A pickle would run code: there is none in these files.
        with np.load(path, allow_pickle=False) as file:
            pixels, present = file["pixels"], file["present"]
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"{path} does not exist: prepare the videos first (cmkt lips)"
        ) from error
    except BROKEN as error:
        raise ValueError(
            f"{path} is no file of prepared lips ({error}): remove it and "
            "prepare the video again (cmkt lips)"
        ) from error
    _check(path, pixels, present)
    return pixels, present


def _check(path, pixels, present):
    if pixels.dtype != np.uint8 or pixels.shape[1:] != (SIZE, SIZE):
        raise ValueError(
            f"{path}: expected crops (frames, {SIZE}, {SIZE}) uint8, found "
            f"{pixels.shape} {pixels.dtype}: prepare the video by cmkt lips"
        )
    if present.shape != pixels.shape[:1]:
        raise ValueError(
            f"{path}: expected one mark of presence for each of "
            f"{len(pixels)} frames, found {present.shape}"
        )
