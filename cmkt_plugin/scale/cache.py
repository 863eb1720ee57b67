"""What it costs to fill the embedding cache."""

from pathlib import Path

from safetensors import safe_open

from cmkt_plugin import minilm
from cmkt_plugin.embedding_cache import EmbeddingCache
from cmkt_plugin.embedding_shards import SUFFIX
from cmkt_plugin.scale.stopwatch import Stopwatch
from cmkt_plugin.teacher import LanguageModelTeacher
from cmkt_plugin.units import WholeWords

FILLED = "embedded and written"


def measure(texts, folder, layer=None):
    """Fills a new cache, with the embedded teacher and the recipes' words.

    Arguments
    ---------
    texts : str
        File with a sentence per line.
    folder : str
        For the cache.
    layer : int or None
        The teacher's layer; None for its input word embeddings.

    Returns
    -------
    dict
        ``steps``; ``sentences`` and ``tokens``; ``rate`` and
        ``processor_rate``, sentences per second that passed and per second of
        processor time; ``bytes`` on disk and ``bytes_per_token``.
    """
    sentences = Path(texts).read_text(encoding="utf-8").splitlines()
    watch = Stopwatch()
    teacher = make_teacher(layer)
    teacher.embed(sentences[:1])
    watch.lap("language model loaded")
    cache = EmbeddingCache(folder, teacher.settings)
    cache.fill(sentences, teacher, progressbar=False)
    watch.lap(FILLED)
    shards = list(cache.folder.glob(f"*{SUFFIX}"))
    size = sum(shard.stat().st_size for shard in shards)
    tokens = sum(map(_tokens, shards))
    return {
        "steps": watch.steps,
        "sentences": len(sentences),
        "tokens": tokens,
        "rate": len(sentences) / watch.steps[FILLED]["seconds"],
        "processor_rate": len(sentences) / watch.steps[FILLED]["processor"],
        "bytes": size,
        "bytes_per_token": size / tokens,
    }


def make_teacher(layer):
    """The embedded teacher as ``hparams/teachers/minilm.yaml`` makes it.

    Arguments
    ---------
    layer : int or None
        Its layer.

    Returns
    -------
    cmkt_plugin.teacher.LanguageModelTeacher
    """
    return LanguageModelTeacher(
        minilm.folder(), layer=layer, units=WholeWords()
    )


def _tokens(shard):
    with safe_open(shard, framework="pt") as file:
        return file.get_slice("token_ids").get_shape()[0]
