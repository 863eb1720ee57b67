"""Embeddings on disk: each transcript is embedded once, before training."""

import hashlib
import json
import os
from pathlib import Path

import torch
from speechbrain.utils.logger import get_logger
from tqdm import tqdm

from cmkt_plugin.embedding_shards import SUFFIX, Shard, write_shard, write_whole
from cmkt_plugin.leftovers import remove_leftovers

logger = get_logger(__name__)

# What was read of a shard stays in memory while it is open: gigabytes if all
# are. Opening one again takes a tenth of a millisecond.
OPEN_SHARDS = 4


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
        self._identity = hashlib.sha256(self._settings.encode()).hexdigest()
        self.folder = Path(folder) / self._identity[:16]
        self._index = {}  # key to (shard's name, place in it)
        self._known = set()  # names of the shards in the index
        self._shards = {}  # (process, shard's name) to open shard

    def __getstate__(self):
        # Open files cannot be sent to a worker that is started afresh.
        return {**self.__dict__, "_shards": {}}

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
        remove_leftovers(self.folder)
        if not (self.folder / "settings.json").is_file():
            write_whole(self.folder, "settings.json", self._settings.encode())
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
                    self._write(own, teacher.embed(own))
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
        name, place = self._index[key]
        return self._open(name).read(place)

    def _key(self, text):
        content = f"{self._identity} {text}".encode()
        return hashlib.sha256(content).hexdigest()

    def _scan(self):
        """Add the shards that appeared since to the index."""
        names = {path.name for path in self.folder.glob(f"*{SUFFIX}")}
        for name in sorted(names - self._known):
            for key, place in self._open(name).index().items():
                self._index[key] = (name, place)
            self._known.add(name)

    def _open(self, name):
        # Each process opens its own: a worker may be forked at any time.
        owner = (os.getpid(), name)
        shard = self._shards.pop(owner, None) or Shard(self.folder / name)
        self._shards[owner] = shard  # the latest one is last
        if len(self._shards) > OPEN_SHARDS:
            del self._shards[next(iter(self._shards))]
        return shard

    def _write(self, texts, results):
        for text, result in zip(texts, results):
            _check_fp16(text, result.embeddings)
        write_shard(self.folder, [self._key(text) for text in texts], results)


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
