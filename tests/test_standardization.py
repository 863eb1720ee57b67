"""Standardisation gives mean 0 and deviation 1, and no NaN."""

import numpy as np
import pytest
import torch

from cmkt_plugin import minilm
from cmkt_plugin.standardization import Standardization
from cmkt_plugin.teacher import LanguageModelTeacher


@pytest.fixture
def sequences():
    generator = torch.Generator().manual_seed(0)
    lengths = [4, 0, 7, 1, 5, 7, 6, 2]
    return [
        torch.randn(n, 5, generator=generator) * torch.arange(1.0, 6) + 100
        for n in lengths
    ]


def test_training_set_has_mean_0_and_deviation_1(sequences):
    standardise = Standardization().fit(sequences)
    result = torch.cat([standardise(s) for s in sequences])
    torch.testing.assert_close(
        result.mean(dim=0), torch.zeros(5), atol=1e-4, rtol=0
    )
    torch.testing.assert_close(result.std(dim=0, correction=0), torch.ones(5))
    assert result.dtype == torch.float32


def test_statistics_are_those_of_all_tokens_together(sequences):
    fitted = Standardization().fit(sequences)
    tokens = torch.cat(sequences).double()
    torch.testing.assert_close(fitted.mean[0], tokens.mean(dim=0).float())
    torch.testing.assert_close(
        fitted.deviation, tokens.std(dim=0, correction=0).float()
    )


def test_input_may_be_an_iterator_of_half_precision_or_arrays(sequences):
    whole = Standardization().fit(sequences)
    arrays = Standardization().fit(s.numpy() for s in sequences)
    halves = Standardization().fit(s.half() for s in sequences)
    assert torch.equal(whole.mean, arrays.mean)
    torch.testing.assert_close(
        whole.deviation, halves.deviation, rtol=1e-2, atol=0
    )
    assert isinstance(arrays(np.zeros((2, 5))), torch.Tensor)


def test_large_mean_loses_no_precision():
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(500, 3, generator=generator, dtype=torch.float64)
    fitted = Standardization().fit([noise[:1] + 1e6, noise[1:] + 1e6])
    torch.testing.assert_close(
        fitted.deviation, noise.std(dim=0, correction=0).float()
    )


def test_constant_dimension_gets_the_floor():
    tokens = torch.randn(50, 9)
    tokens[:, 4] = 0.3
    fitted = Standardization(floor=0.1).fit([tokens])
    expected = 0.1 * fitted.deviation.median()
    torch.testing.assert_close(fitted.deviation[4], expected, rtol=1e-3, atol=0)
    result = fitted(tokens)
    assert torch.isfinite(result).all() and result[:, 4].abs().max() < 1e-5


def test_minilms_last_layer_stays_finite_thanks_to_the_floor():
    teacher = LanguageModelTeacher(minilm.folder(), layer=-1, device="cpu")
    texts = ["We call it bear.", "Please call Stella.", "Six spoons of peas."]
    # half precision, as the cache keeps them: two dimensions are then zero
    train = [item.embeddings.half() for item in teacher.embed(texts)]
    assert torch.isnan(Standardization(floor=0.0).fit(train)(train[0])).any()
    result = Standardization().fit(train)(train[0])
    assert torch.isfinite(result).all() and result.abs().max() < 10


def test_mean_per_position_is_taken_out(sequences):
    standardise = Standardization(per_position=True, minimum_count=3)
    result = [standardise.fit(sequences)(s) for s in sequences]
    # seven sequences with a token, five with a third, two with a seventh
    for position in range(5):
        tokens = torch.stack([r[position] for r in result if len(r) > position])
        torch.testing.assert_close(
            tokens.mean(dim=0), torch.zeros(5), atol=1e-4, rtol=0
        )
    everything = torch.cat(result)
    torch.testing.assert_close(
        everything.square().mean(dim=0), torch.ones(5), atol=1e-3, rtol=0
    )


def test_rare_positions_share_one_mean(sequences):
    fitted = Standardization(per_position=True, minimum_count=4)
    fitted.fit(sequences)
    # counts per position: 7 6 5 5 4 3 2, so the last two are pooled
    assert fitted.mean.shape == (6, 5)
    tail = torch.cat([s[5:] for s in sequences])
    torch.testing.assert_close(fitted.mean[5], tail.mean(dim=0))
    far = fitted(torch.zeros(40, 5))
    assert torch.equal(far[5], far[39]) and not torch.equal(far[4], far[5])


def test_too_small_a_tail_takes_a_frequent_position_along(sequences):
    fitted = Standardization(per_position=True, minimum_count=6)
    few = [s[:3] for s in sequences]  # counts 7 6 5: the last has too few
    fitted.fit(few)
    assert fitted.mean.shape == (2, 5)
    pooled = torch.cat([s[1:] for s in few])
    torch.testing.assert_close(fitted.mean[1], pooled.mean(dim=0))


def test_tokens_that_only_tell_their_position_become_zero():
    position = torch.arange(6.0)[:, None] * torch.ones(6, 4) * 10
    train = [position + torch.randn(6, 4) * 0.01 for _ in range(30)]
    kept = Standardization().fit(train)(position)
    removed = Standardization(per_position=True).fit(train)(position)
    assert kept.abs().max() > 1 and removed.abs().max() < 1


def test_unfitted_is_refused():
    with pytest.raises(RuntimeError, match="call fit"):
        Standardization()(torch.zeros(2, 3))


@pytest.mark.parametrize("empty", [[], [torch.zeros(0, 4)]])
def test_empty_training_set_is_refused(empty):
    with pytest.raises(ValueError, match="no token"):
        Standardization().fit(empty)


@pytest.mark.parametrize(
    "train, message",
    [
        ([torch.randn(3, 4), torch.randn(3, 5)], "sequence 1: expected shape"),
        ([torch.randn(4)], "sequence 0: expected shape"),
        ([torch.full((3, 4), float("nan"))], "sequence 0: expected finite"),
        ([torch.ones(3, 4)], "constant"),
    ],
)
def test_bad_training_set_is_refused(train, message):
    with pytest.raises(ValueError, match=message):
        Standardization().fit(train)


def test_other_width_and_options_are_refused(sequences):
    fitted = Standardization().fit(sequences)
    with pytest.raises(ValueError, match=r"expected shape \(tokens, 5\)"):
        fitted(torch.zeros(2, 4))
    with pytest.raises(ValueError, match="minimum_count"):
        Standardization(minimum_count=0)
    with pytest.raises(ValueError, match="floor"):
        Standardization(floor=-1)


def test_no_tokens_give_no_tokens(sequences):
    assert Standardization().fit(sequences)(torch.zeros(0, 5)).shape == (0, 5)
