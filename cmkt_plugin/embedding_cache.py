"""Embeddings on disk: each transcript is embedded once, before training."""

import errno
import hashlib
import json
import os
import shutil
import socket
import time
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from speechbrain.utils.logger import get_logger
from tqdm import tqdm

from cmkt_plugin.units import TokenEmbeddings

logger = get_logger(__name__)

ABANDONED = 86400  # seconds after which another machine's file is left over


class EmbeddingCache:
    """Token embeddings in safetensors shards, keyed by text and settings.

    One process fills it, any number read it, also meanwhile. A shard appears
    whole or not at all, so that a killed `fill` loses only the shard that it
    was writing; two at once do some work twice, and nothing else.

    Arguments
    ---------
    folder : str
        Holds one folder per teacher setting.
    settings : dict
        All that changes the embeddings (`LanguageModelTeacher.settings`).
    shard_sentences : int
        Transcripts per shard.

    Example
    -------
    >>> from tempfile import TemporaryDirectory
    >>> from cmkt_plugin import minilm
    >>> from cmkt_plugin.teacher import LanguageModelTeacher
    >>> teacher = LanguageModelTeacher(minilm.folder())
    >>> with TemporaryDirectory() as folder:
    ...     cache = EmbeddingCache(folder, teacher.settings)
    ...     cache.fill(["We call it bear."], teacher, progressbar=False)
    ...     cache.read("We call it bear.").embeddings.shape
    torch.Size([5, 384])
    """

    def __init__(self, folder, settings, shard_sentences=512):
        self.shard_sentences = shard_sentences
        self._settings = json.dumps(settings, indent=2, sort_keys=True)
        identity = hashlib.sha256(self._settings.encode()).hexdigest()
        self.folder = Path(folder) / identity[:16]
        self._identity = identity
        self._reset()

    def _reset(self):
        self._index = {}  # key to (shard's name, rows, bytes)
        self._known = set()  # names of the shards in the index
        self._handles = {}  # (process, shard's name) to open file

    def __getstate__(self):
        # Open files cannot be sent to a worker that is started afresh.
        return {**self.__dict__, "_handles": {}}

    def fill(self, texts, teacher, progressbar=True):
        """Embed what is missing. For the main process (`run_on_main`).

        Arguments
        ---------
        texts : iterable of str
            Transcripts; equal ones are embedded once.
        teacher : LanguageModelTeacher
            Embeds lists of texts and counts what was out of the ordinary.
        progressbar : bool
            Whether to show one.

        Raises
        ------
        OSError
            If a shard cannot be written; the finished ones are kept.
        ValueError
            If an embedding is not finite or does not fit into fp16.
        """
        texts = list(texts)
        self._prepare_folder()
        missing = self.missing(texts)
        before = dict(teacher.counts)
        with tqdm(
            total=len(missing),
            desc="Embedding transcripts",
            disable=not progressbar,
        ) as bar:
            for start in range(0, len(missing), self.shard_sentences):
                block = missing[start : start + self.shard_sentences]
                # another process may have filled them in the meantime
                own = self.missing(block)
                if own:
                    self._write_shard(own, teacher.embed(own))
                bar.update(len(block))
        new = {name: teacher.counts[name] - before[name] for name in before}
        logger.info(
            f"Embedding cache: {len(texts)} transcripts, "
            f"{sum(not text.strip() for text in texts)} of them empty; "
            f"{len(missing)} different ones embedded now, "
            f"{new['truncated']} truncated to the language model's limit, "
            f"{new['unknown']} unknown pieces in them."
        )

    def missing(self, texts):
        """Texts that are not in the cache.

        Arguments
        ---------
        texts : iterable of str
            Transcripts.

        Returns
        -------
        list of str
            Each one once, in their order.
        """
        self._scan()
        unique = dict.fromkeys(texts)
        return [text for text in unique if self._key(text) not in self._index]

    def read(self, text):
        """Embeddings of one transcript.

        Arguments
        ---------
        text : str
            A transcript that was filled in.

        Returns
        -------
        TokenEmbeddings
            float32 embeddings (tokens, width), int64 ids (tokens,), strings.

        Raises
        ------
        KeyError
            If the text is not in the cache.
        """
        key = self._key(text)
        if key not in self._index:
            self._scan()
        if key not in self._index:
            raise KeyError(
                f"The transcript {text!r} is not in the embedding cache "
                f"{self.folder}: call fill with it first."
            )
        name, (start, end), (first, last) = self._index[key]
        shard = self._open(name)
        tokens = shard.get_slice("tokens")[first:last].numpy().tobytes()
        return TokenEmbeddings(
            shard.get_slice("embeddings")[start:end].float(),
            shard.get_slice("token_ids")[start:end],
            json.loads(tokens),
        )

    def _key(self, text):
        content = f"{self._identity} {text}".encode()
        return hashlib.sha256(content).hexdigest()

    def _scan(self):
        """Add the shards that appeared since to the index."""
        names = {path.name for path in self.folder.glob("*.safetensors")}
        for name in sorted(names - self._known):
            index = json.loads(self._open(name).metadata()["index"])
            self._index.update(
                {key: (name, rows, bytes_) for key, rows, bytes_ in index}
            )
            self._known.add(name)

    def _open(self, name):
        # A forked worker must not share the position of its parent's file.
        owner = (os.getpid(), name)
        if owner not in self._handles:
            path = self.folder / name
            try:
                self._handles[owner] = safe_open(path, framework="pt")
            except (SafetensorError, OSError) as error:
                raise OSError(
                    f"The embedding cache's shard {path} cannot be read "
                    f"({error}). Delete it and start again: only its "
                    "transcripts are embedded anew."
                ) from error
        return self._handles[owner]

    def _write_shard(self, texts, results):
        for text, result in zip(texts, results):
            _check_fp16(text, result.embeddings)
        content = self._serialise(texts, results)
        name = hashlib.sha256(content).hexdigest()[:32] + ".safetensors"
        self._write(name, content)

    def _serialise(self, texts, results):
        strings = [json.dumps(r.tokens).encode() for r in results]
        rows = _ranges(len(result.tokens) for result in results)
        bytes_ = _ranges(len(string) for string in strings)
        index = list(zip(map(self._key, texts), rows, bytes_))
        tensors = {
            "embeddings": torch.cat([r.embeddings for r in results]).half(),
            "token_ids": torch.cat([r.token_ids for r in results]),
            "tokens": torch.frombuffer(
                bytearray(b"".join(strings)), dtype=torch.uint8
            ),
        }
        return save(tensors, {"index": json.dumps(index)})

    def _prepare_folder(self):
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _cannot_write(self.folder, 0, error) from error
        for path in self.folder.glob("*.*.*.*.tmp"):
            if not _is_being_written(path):
                path.unlink(missing_ok=True)
        if not (self.folder / "settings.json").is_file():
            self._write("settings.json", self._settings.encode())

    def _write(self, name, content):
        temporary = self.folder / f"{name}.{_host()}.{os.getpid()}.tmp"
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.folder / name)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise _cannot_write(self.folder, len(content), error) from error


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


def _host():
    return socket.gethostname().replace(".", "_")


def _is_being_written(path):
    """Whether the process that made a temporary file may still be alive."""
    host, pid = path.name.split(".")[-3:-1]
    if host != _host():
        return time.time() - path.stat().st_mtime < ABANDONED
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return int(pid) != os.getpid()


def _check_fp16(text, embeddings):
    if not torch.isfinite(embeddings).all():
        raise ValueError(
            f"The teacher's embedding of {text!r} has inf or NaN. Expected "
            "finite numbers: try dtype fp32 or bf16, or another layer."
        )
    largest = embeddings.abs().max() if len(embeddings) else 0
    if largest > torch.finfo(torch.float16).max:
        raise ValueError(
            f"The teacher's embedding of {text!r} reaches {largest:.3g}; the "
            "cache keeps fp16, at most 65504. Choose another layer."
        )


def _ranges(lengths):
    """(start, end) of consecutive stretches."""
    ranges, end = [], 0
    for length in lengths:
        ranges.append((end, end + length))
        end += length
    return ranges
