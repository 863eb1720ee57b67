"""Shards of the embedding cache: safetensors files, whole or absent."""

import errno
import hashlib
import json
import os
import shutil

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from cmkt_plugin.leftovers import temporary_path
from cmkt_plugin.units import TokenEmbeddings

SUFFIX = ".safetensors"


def write_shard(folder, keys, results):
    """Write embeddings as one file, named by its content.

    Arguments
    ---------
    folder : pathlib.Path
        The cache's folder.
    keys : list of str
        One per transcript.
    results : list of TokenEmbeddings
        What to keep: embeddings in fp16, ids in int64, strings in UTF-8.

    Raises
    ------
    OSError
        If it cannot be written; nothing is left behind.
    """
    strings = [json.dumps(result.tokens).encode() for result in results]
    rows = _ranges(len(result.tokens) for result in results)
    characters = _ranges(len(string) for string in strings)
    tensors = {
        "embeddings": torch.cat([r.embeddings for r in results]).half(),
        "token_ids": torch.cat([r.token_ids for r in results]),
        "tokens": torch.frombuffer(
            bytearray(b"".join(strings)), dtype=torch.uint8
        ),
    }
    index = json.dumps(list(zip(keys, rows, characters)))
    content = save(tensors, {"index": index})
    name = hashlib.sha256(content).hexdigest()[:32] + SUFFIX
    write_whole(folder, name, content)


class Shard:
    """An open shard.

    Arguments
    ---------
    path : pathlib.Path
        The file.

    Raises
    ------
    OSError
        If it is damaged.
    """

    def __init__(self, path):
        try:
            self._file = safe_open(path, framework="pt")
        except (SafetensorError, OSError) as error:
            raise OSError(
                f"The embedding cache's shard {path} cannot be read ({error}). "
                "Delete it and start again: only its transcripts are embedded "
                "anew."
            ) from error

    def index(self):
        """Key to place (dict), from the file's header."""
        entries = json.loads(self._file.metadata()["index"])
        return {key: (rows, characters) for key, rows, characters in entries}

    def read(self, place):
        """Embeddings at a place of the index.

        Arguments
        ---------
        place : tuple
            From `index`.

        Returns
        -------
        TokenEmbeddings
        """
        (start, end), (first, last) = place
        tokens = self._file.get_slice("tokens")[first:last]
        return TokenEmbeddings(
            self._file.get_slice("embeddings")[start:end].float(),
            self._file.get_slice("token_ids")[start:end],
            json.loads(tokens.numpy().tobytes()),
        )


def write_whole(folder, name, content):
    """Write a file that is there whole or not at all.

    Arguments
    ---------
    folder : pathlib.Path
        Its folder, made if it is missing.
    name : str
        Its name.
    content : bytes
        Its content.

    Raises
    ------
    OSError
        Naming the folder, the needed and the free space.
    """
    temporary = temporary_path(folder / name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, folder / name)
    except OSError as error:
        if temporary.exists():
            temporary.unlink()
        raise _cannot_write(folder, len(content), error) from error


def _cannot_write(folder, size, error):
    place = folder
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    return OSError(
        error.errno or errno.EIO,
        f"The embedding cache cannot write to {folder} ({error.strerror}): "
        f"{size / 2**20:.1f} MiB needed, {free / 2**20:.1f} MiB free. The "
        "finished shards are kept: make room, or set another folder, and "
        "start again",
    )


def _ranges(lengths):
    """(start, end) of consecutive stretches."""
    ranges, end = [], 0
    for length in lengths:
        ranges.append((end, end + length))
        end += length
    return ranges
