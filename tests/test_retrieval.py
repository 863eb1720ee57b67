"""Token retrieval: right, rolled, by frequency."""

from collections import Counter

import pytest
import torch

from cmkt_plugin.retrieval import TokenRetrieval


def utterance(ids):
    """Tokens are one-hot; the latent holds its tokens, three frames each."""
    ids = torch.tensor(ids, dtype=torch.long)
    tokens = torch.eye(8)[ids]
    return tokens.repeat_interleave(3, 0), tokens, ids


def listen(latent, frame_counts, tokens, token_counts):
    """An aligner that reads token t off frame 3 t."""
    predicted = torch.zeros(tokens.shape)
    for item, count in enumerate(token_counts):
        heard = latent[item, : frame_counts[item] : 3][:count]
        predicted[item, : len(heard)] = heard
    return predicted, None


def retrieval(batch_size=2):
    found = TokenRetrieval(Counter({0: 9, 1: 5, 7: 100}), batch_size)
    for ids in [[0, 1, 2], [3, 4], [], [5, 0, 6]]:
        found.append(*utterance(ids))
    return found.summarize(listen)


def test_a_listening_aligner_finds_every_token():
    stats = retrieval()
    assert stats["retrieval_top1"] == stats["retrieval_top5"] == 1.0
    assert stats["retrieval_pool"] == 7


def test_rolled_latents_tell_nothing():
    assert retrieval()["rolled_top1"] == 0.0


def test_frequency_counts_the_training_text_within_the_pool():
    stats = retrieval()
    # Of eight tokens two are id 0, the most frequent of the pool; 7 is not
    # in the pool, however frequent.
    assert stats["frequency_top1"] == pytest.approx(2 / 8)
    assert stats["frequency_top5"] >= 3 / 8


def test_batches_do_not_matter():
    assert retrieval(1) == retrieval(16)


def test_no_utterance_gives_no_figure():
    assert TokenRetrieval(Counter()).summarize(listen) == {}
