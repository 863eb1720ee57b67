"""Controls are fixed by their seed and change what they say."""

import random
from collections import Counter

import numpy as np
import pytest
import torch

from cmkt_plugin.controls import (
    CorpusTranscripts,
    RandomEmbeddings,
    ShuffledTranscripts,
)


def corpus(texts):
    words = {f"p{i:03d}": text for i, text in enumerate(texts)}
    return words, {name: len(text.split()) for name, text in words.items()}


@pytest.fixture
def sentences():
    draw = random.Random(0)
    vocabulary = "bear store cheese peas snake toy frog kids bob".split()
    return corpus(
        " ".join(draw.choices(vocabulary, k=draw.randint(0, 5)))
        for _ in range(200)
    )


def test_corpus_transcripts_change_nothing(sentences):
    words, count = sentences
    control = CorpusTranscripts()
    embeddings = torch.randn(3, 4)
    assert control.texts(words, count) == words
    ids = torch.tensor([1, 2, 3])
    assert control.embeddings(embeddings, ids, "p000") is embeddings


def test_shuffling_permutes_within_equal_token_counts(sentences):
    words, count = sentences
    shuffled = ShuffledTranscripts(seed=3).texts(words, count)
    assert list(shuffled) == list(words)
    for size in range(6):
        names = [name for name in words if count[name] == size]
        before = Counter(words[name] for name in names)
        assert before == Counter(shuffled[name] for name in names)


def test_nobody_keeps_his_text_where_another_can_be_had():
    # distinct texts, duplicates, and a text that is half of its class
    words, count = corpus(
        [f"bear {i}" for i in range(7)]
        + ["a b c"] * 2
        + ["d e f"] * 2
        + ["g h i"]
        + ["k"] * 3
        + ["l", "m", "n"]
    )
    for seed in range(20):
        shuffled = ShuffledTranscripts(seed).texts(words, count)
        assert all(shuffled[name] != words[name] for name in words)


def test_majority_and_lonely_texts_stay_and_are_logged(caplog):
    words, count = corpus(["k", "k", "k", "l", "alone here", "", "  "])
    with caplog.at_level("INFO"):
        shuffled = ShuffledTranscripts(seed=1).texts(words, count)
    # of four one-word texts, three equal: two of the three must keep theirs
    kept = [name for name in words if words[name] == shuffled[name]]
    assert len(kept) == 2 + 1 + 2
    assert "of 5 utterances with a transcript 3 keep it" in caplog.text
    assert [shuffled[f"p00{i}"] for i in (4, 5, 6)] == ["alone here", "", "  "]


def test_shuffling_is_fixed_by_the_seed_alone(sentences):
    words, count = sentences
    first = ShuffledTranscripts(seed=3).texts(words, count)
    random.seed(9)
    other_order = dict(reversed(words.items()))
    assert ShuffledTranscripts(seed=3).texts(other_order, count) == first
    assert ShuffledTranscripts(seed=4).texts(words, count) != first


def test_shuffling_leaves_random_state_and_embeddings_alone(sentences):
    state = random.getstate()
    control = ShuffledTranscripts(seed=3)
    control.texts(*sentences)
    assert random.getstate() == state
    embeddings = torch.randn(3, 4)
    assert control.embeddings(embeddings, None, "p000") is embeddings


IDS = torch.tensor([5, 9, 5, 2**62])


def test_one_embedding_per_token_type():
    control = RandomEmbeddings(seed=1)
    first = control.embeddings(torch.zeros(4, 16), IDS, "p000")
    second = control.embeddings(torch.zeros(2, 16), IDS[[3, 1]], "p001")
    assert torch.equal(first[0], first[2])
    assert torch.equal(first[[3, 1]], second)
    assert len({tuple(row.tolist()) for row in first}) == 3


def test_fresh_embedding_at_every_occurrence():
    control = RandomEmbeddings(seed=1, fresh=True)
    first = control.embeddings(torch.zeros(4, 16), IDS, "p000")
    second = control.embeddings(torch.zeros(4, 16), IDS, "p001")
    rows = {tuple(row.tolist()) for row in torch.cat([first, second])}
    assert len(rows) == 8
    again = control.embeddings(torch.zeros(4, 16), IDS, "p000")
    assert torch.equal(first, again)


@pytest.mark.parametrize("fresh", [False, True])
def test_random_embeddings_are_fixed_by_the_seed_alone(fresh):
    zeros = torch.zeros(4, 16)
    first = RandomEmbeddings(1, fresh).embeddings(zeros, IDS, "p000")
    torch.manual_seed(7)
    np.random.seed(7)
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()
    again = RandomEmbeddings(1, fresh).embeddings(zeros, IDS, "p000")
    assert torch.equal(first, again)
    assert torch.equal(torch_state, torch.get_rng_state())
    assert np.array_equal(numpy_state[1], np.random.get_state()[1])
    other = RandomEmbeddings(2, fresh).embeddings(zeros, IDS, "p000")
    assert not torch.equal(first, other)


@pytest.mark.parametrize("fresh", [False, True])
def test_random_embeddings_have_standardised_statistics(fresh):
    ids = torch.arange(3000)
    control = RandomEmbeddings(seed=1, fresh=fresh)
    drawn = control.embeddings(torch.zeros(3000, 8), ids, "p000")
    assert drawn.shape == (3000, 8) and drawn.dtype == torch.float32
    assert drawn.mean(dim=0).abs().max() < 0.08
    assert (drawn.std(dim=0) - 1).abs().max() < 0.05
    unit = torch.nn.functional.normalize(drawn, dim=1)
    assert (unit[:-1] * unit[1:]).sum(dim=1).mean().abs() < 0.02


def test_random_embeddings_of_no_tokens():
    control = RandomEmbeddings(seed=1)
    nothing = control.embeddings(torch.zeros(0, 8), IDS[:0], "p000")
    assert nothing.shape == (0, 8) and nothing.dtype == torch.float32


def test_random_embeddings_leave_the_transcripts(sentences):
    words, count = sentences
    assert RandomEmbeddings(seed=1).texts(words, count) == words
