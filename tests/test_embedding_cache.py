"""The cache survives kills, full disks, several readers and writers."""

import errno
import os
import pickle
import signal
import time
from pathlib import Path

import pytest
import torch

from cmkt_plugin.embedding_cache import OPEN_SHARDS, EmbeddingCache
from cmkt_plugin.teacher import LanguageModelTeacher
from cmkt_plugin.units import TokenEmbeddings, word_id

WIDTH = 6
SETTINGS = {"source": "counting", "layer": 1}
TEXTS = [f"word {i} " + "more " * (i % 4) for i in range(40)] + [""]


class CountingTeacher:
    """Embeddings that follow from the text; remembers what it was asked."""

    def __init__(self, pause=0.0, scale=1.0):
        self.counts = {"empty": 0, "truncated": 0, "unknown": 0}
        self.asked = []
        self.pause = pause
        self.scale = scale

    def embed(self, texts):
        self.asked += texts
        time.sleep(self.pause)
        return [expected(text, self.scale) for text in texts]


def expected(text, scale=1.0):
    tokens = text.split()
    ids = torch.tensor([word_id(t) for t in tokens], dtype=torch.int64)
    rows = [
        [(word_id(t) >> k) % 32 * scale for k in range(WIDTH)] for t in tokens
    ]
    embeddings = torch.tensor(rows).reshape(-1, WIDTH)
    return TokenEmbeddings(embeddings, ids, tokens)


def check(cache, texts=TEXTS, scale=1.0):
    for text in texts:
        found, right = cache.read(text), expected(text, scale)
        assert torch.equal(found.embeddings, right.embeddings)
        assert torch.equal(found.token_ids, right.token_ids)
        assert found.tokens == right.tokens
        assert found.embeddings.dtype == torch.float32
        assert found.token_ids.dtype == torch.int64


def shards(cache):
    return sorted(cache.folder.glob("*.safetensors"))


def fill(cache, texts=TEXTS, teacher=None):
    teacher = teacher or CountingTeacher()
    cache.fill(texts, teacher, progressbar=False)
    return teacher


def test_reads_what_was_embedded(tmp_path):
    cache = EmbeddingCache(tmp_path, SETTINGS, shard_sentences=16)
    teacher = fill(cache, TEXTS + TEXTS)
    assert teacher.asked == TEXTS
    assert len(shards(cache)) == 3
    check(cache)
    check(EmbeddingCache(tmp_path, SETTINGS))
    assert not list(cache.folder.glob(".*.part"))


@pytest.mark.skipif(
    not Path("/proc/self/maps").is_file(), reason="asks Linux what is open"
)
def test_few_shards_are_in_memory_at_a_time(tmp_path):
    texts = [f"word {i}" for i in range(3 * OPEN_SHARDS)]
    cache = EmbeddingCache(tmp_path, SETTINGS, shard_sentences=1)
    fill(cache, texts)
    check(cache, texts + texts[::-1])
    assert len(shards(cache)) == len(texts)
    maps = Path("/proc/self/maps").read_text().splitlines()
    mapped = {line.split()[-1] for line in maps if str(cache.folder) in line}
    assert 1 <= len(mapped) <= OPEN_SHARDS


def test_real_teacher_reads_back_in_half_precision(tmp_path, tiny_bert):
    teacher = LanguageModelTeacher(tiny_bert, layer=-1, device="cpu")
    cache = EmbeddingCache(tmp_path, teacher.settings)
    texts = ["We call it bear.", "", "café 你"]
    cache.fill(texts, teacher, progressbar=True)
    for text, right in zip(texts, teacher.embed(texts)):
        found = cache.read(text)
        torch.testing.assert_close(
            found.embeddings, right.embeddings, rtol=1e-3, atol=1e-3
        )
        assert torch.equal(found.token_ids, right.token_ids)
        assert found.tokens == right.tokens


def test_second_fill_embeds_only_what_is_missing(tmp_path):
    fill(EmbeddingCache(tmp_path, SETTINGS), TEXTS[:30])
    again = EmbeddingCache(tmp_path, SETTINGS)
    assert again.missing(TEXTS) == TEXTS[30:]
    assert fill(again).asked == TEXTS[30:]
    assert fill(EmbeddingCache(tmp_path, SETTINGS)).asked == []
    check(again)


def test_changed_transcript_reads_the_new_value(tmp_path):
    cache = EmbeddingCache(tmp_path, SETTINGS)
    fill(cache, ["a bear here"])
    with pytest.raises(KeyError, match="call fill"):
        cache.read("a bear there")
    teacher = fill(cache, ["a bear there"])
    assert teacher.asked == ["a bear there"]
    check(cache, ["a bear there", "a bear here"])


def test_changed_setting_never_reads_stale_values(tmp_path, tiny_bert):
    text = "We call it bear."
    read = {}
    for layer in (None, 0, -1):
        teacher = LanguageModelTeacher(tiny_bert, layer=layer, device="cpu")
        cache = EmbeddingCache(tmp_path, teacher.settings)
        assert cache.missing([text]) == [text]
        cache.fill([text], teacher, progressbar=False)
        read[layer] = cache.read(text).embeddings
    assert not torch.allclose(read[None], read[0])
    assert not torch.allclose(read[0], read[-1])
    assert len(list(tmp_path.glob("*/settings.json"))) == 3


def test_shards_of_other_settings_in_the_same_folder_are_not_read(tmp_path):
    cache = EmbeddingCache(tmp_path, SETTINGS)
    other = EmbeddingCache(tmp_path, {**SETTINGS, "layer": 2})
    fill(other, teacher=CountingTeacher(scale=2.0))
    cache.folder.mkdir()
    for shard in shards(other):
        os.link(shard, cache.folder / shard.name)
    assert cache.missing(TEXTS) == TEXTS


def test_settings_are_readable(tmp_path):
    cache = EmbeddingCache(tmp_path, SETTINGS)
    fill(cache)
    assert (
        '"source": "counting"' in (cache.folder / "settings.json").read_text()
    )


def test_counts_are_logged_once(tmp_path, tiny_bert, caplog):
    teacher = LanguageModelTeacher(tiny_bert, device="cpu")
    cache = EmbeddingCache(tmp_path, teacher.settings, shard_sentences=1)
    texts = ["", "", "a 你", "a " * 40, "bear"]
    with caplog.at_level("INFO"):
        cache.fill(texts, teacher, progressbar=False)
    lines = [
        r.message for r in caplog.records if "Embedding cache:" in r.message
    ]
    assert lines == [
        "Embedding cache: 5 transcripts, 2 of them empty; 4 different ones "
        "embedded now, 1 truncated to the language model's limit, 1 unknown "
        "pieces in them."
    ]


@pytest.mark.parametrize(
    "value, message",
    [(float("nan"), "inf or NaN"), (7e4, "at most 65504")],
)
def test_values_that_half_precision_cannot_hold_are_refused(
    tmp_path, value, message
):
    class Teacher(CountingTeacher):
        def embed(self, texts):
            results = super().embed(texts)
            if "word 3 more more more " in texts:
                results[texts.index("word 3 more more more ")].embeddings[
                    0, 0
                ] = value
            return results

    cache = EmbeddingCache(tmp_path, SETTINGS, shard_sentences=2)
    with pytest.raises(ValueError, match=message) as raised:
        fill(cache, teacher=Teacher())
    assert "'word 3 more more more '" in str(raised.value)
    check(EmbeddingCache(tmp_path, SETTINGS), TEXTS[:2])


def test_full_disk_keeps_the_finished_shards(tmp_path, monkeypatch):
    cache = EmbeddingCache(tmp_path, SETTINGS, shard_sentences=16)
    sync, calls = os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) == 4:  # settings.json and two shards fit
            raise OSError(errno.ENOSPC, "No space left on device")
        return sync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="MiB needed, .* MiB free") as raised:
        fill(cache)
    assert raised.value.errno == errno.ENOSPC
    assert str(cache.folder) in str(raised.value)
    assert not list(cache.folder.glob(".*.part"))
    assert len(shards(cache)) == 2
    again = EmbeddingCache(tmp_path, SETTINGS, shard_sentences=16)
    assert fill(again).asked == TEXTS[32:]
    check(again)


def test_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cannot write to .*file"):
        fill(EmbeddingCache(tmp_path / "file", SETTINGS))


def test_damaged_shard_is_named(tmp_path):
    cache = EmbeddingCache(tmp_path, SETTINGS)
    fill(cache)
    shard = shards(cache)[0]
    shard.write_bytes(shard.read_bytes()[:100])
    with pytest.raises(OSError, match=f"{shard.name}.*Delete it"):
        EmbeddingCache(tmp_path, SETTINGS).read(TEXTS[0])


FORK = torch.multiprocessing.get_context("fork")


def start_fill(folder, pause, size=4):
    """Another process that fills the cache, slowly."""

    def run():
        torch.set_num_threads(1)
        cache = EmbeddingCache(folder, SETTINGS, shard_sentences=size)
        fill(cache, teacher=CountingTeacher(pause=pause))

    process = FORK.Process(target=run)
    process.start()
    return process


def wait_for_shards(cache, count, process):
    deadline = time.monotonic() + 60
    while len(shards(cache)) < count:
        assert process.is_alive(), "the filling process ended early"
        assert time.monotonic() < deadline, "no shard within a minute"
        time.sleep(0.01)


def test_killed_fill_is_completed_by_the_next(tmp_path):
    cache = EmbeddingCache(tmp_path, SETTINGS, shard_sentences=4)
    process = start_fill(tmp_path, pause=0.1)
    wait_for_shards(cache, 3, process)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    finished = {p: p.stat().st_mtime_ns for p in shards(cache)}
    assert 3 <= len(finished) < 11
    # what a kill in the middle of a write leaves behind
    name = f".x.safetensors.{os.uname().nodename.replace('.', '_')}"
    left = cache.folder / f"{name}.{process.pid}.part"
    alive = cache.folder / f"{name}.{os.getppid()}.part"
    for path in (left, alive):
        path.write_bytes(b"half")
    assert EmbeddingCache(tmp_path, SETTINGS).missing(TEXTS)
    teacher = fill(cache)
    assert len(teacher.asked) == len(TEXTS) - 4 * len(finished)
    assert all(p.stat().st_mtime_ns == t for p, t in finished.items())
    assert not left.exists() and alive.exists()
    check(cache)


def test_two_fills_at_once_corrupt_nothing(tmp_path):
    # different block sizes: their shards overlap, but are not the same
    processes = [start_fill(tmp_path, 0.02, size) for size in (3, 3, 5)]
    for process in processes:
        process.join(timeout=60)
    assert [process.exitcode for process in processes] == [0] * 3
    cache = EmbeddingCache(tmp_path, SETTINGS)
    assert cache.missing(TEXTS) == []
    assert not list(cache.folder.glob(".*.part"))
    check(cache)


class Reading(torch.utils.data.Dataset):
    def __init__(self, cache):
        self.cache = cache

    def __len__(self):
        return len(TEXTS)

    def __getitem__(self, index):
        return index, os.getpid(), self.cache.read(TEXTS[index])


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_three_workers_read_what_was_embedded(tmp_path):
    cache = EmbeddingCache(tmp_path, SETTINGS, shard_sentences=7)
    fill(cache)
    check(cache)  # files are open in this process when the workers start
    loader = torch.utils.data.DataLoader(
        Reading(cache), num_workers=3, batch_size=None, timeout=60
    )
    workers = set()
    for index, worker, found in loader:
        right = expected(TEXTS[index])
        assert torch.equal(found.embeddings, right.embeddings)
        assert torch.equal(found.token_ids, right.token_ids)
        assert found.tokens == right.tokens
        workers.add(worker)
    assert len(workers) == 3


def test_three_workers_read_while_another_process_fills(tmp_path):
    cache = EmbeddingCache(tmp_path, SETTINGS)
    fill(cache, TEXTS[:5])
    process = start_fill(tmp_path, pause=0.1)
    wait_for_shards(cache, 3, process)
    missing = EmbeddingCache(tmp_path, SETTINGS).missing(TEXTS)
    present = [text for text in TEXTS if text not in missing]
    while process.is_alive():
        with FORK.Pool(3) as pool:
            found = pool.map(cache.read, present)
        for text, item in zip(present, found):
            assert torch.equal(item.embeddings, expected(text).embeddings)
    assert process.exitcode == 0
    check(cache)  # the index follows the new shards


def test_a_cache_can_be_sent_to_another_process(tmp_path):
    cache = EmbeddingCache(tmp_path, SETTINGS)
    fill(cache)
    check(cache)
    check(pickle.loads(pickle.dumps(cache)))


def test_values_outlive_their_shard(tmp_path):
    cache = EmbeddingCache(tmp_path, SETTINGS)
    fill(cache)
    item = cache.read(TEXTS[7])
    for shard in shards(cache):
        shard.unlink()
    del cache
    item.token_ids.add_(0)
    assert torch.equal(item.embeddings, expected(TEXTS[7]).embeddings)
