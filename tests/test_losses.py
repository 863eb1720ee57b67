"""Losses: exact values, padding, wrong shapes, half precision."""

import pytest
import torch

from cmkt_plugin.losses import (
    contrastive_alignment_loss,
    cosine_alignment_loss,
    magnitude_loss,
    si_sdr_loss,
)

TOKEN_LOSSES = [cosine_alignment_loss, contrastive_alignment_loss]
LOSSES = [*TOKEN_LOSSES, magnitude_loss, si_sdr_loss]
LENGTHS = torch.tensor([1.0, 0.4])


def tokens(seed=0, shape=(2, 5, 8)):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("loss", LOSSES)
def test_refuses_wrong_shapes(loss):
    with pytest.raises(ValueError, match="one shape"):
        loss(tokens(), tokens(shape=(2, 4, 8)))
    with pytest.raises(ValueError, match="one shape"):
        loss(torch.rand(3), torch.rand(3))


@pytest.mark.parametrize("loss", [*TOKEN_LOSSES, magnitude_loss])
def test_refuses_unknown_reduction(loss):
    with pytest.raises(ValueError, match="batchmean"):
        loss(tokens(), tokens(), reduction="average")


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("reduction", ["mean", "sum", "batch"])
def test_padding_takes_no_part(loss, reduction):
    shape = (2, 50) if loss is si_sdr_loss else (2, 5, 8)
    prediction, target = tokens(1, shape), tokens(2, shape)
    padded = loss(prediction, target, LENGTHS, reduction)
    cut = int(0.4 * shape[1])
    for tensor in (prediction, target):
        tensor[1, cut:] = 1e3
    assert torch.allclose(loss(prediction, target, LENGTHS, reduction), padded)


def test_cosine_is_the_papers_sum_per_sentence():
    z, zhat = tokens(1), tokens(2)
    cosine = torch.nn.functional.cosine_similarity(z, zhat, dim=-1)
    sums = [(1 - cosine)[0].sum(), (1 - cosine)[1, :2].sum()]
    loss = cosine_alignment_loss(zhat, z, LENGTHS, "batchmean")
    assert torch.allclose(loss, sum(sums) / 2)
    mean = cosine_alignment_loss(zhat, z, LENGTHS, "mean")
    assert torch.allclose(mean, sum(sums) / 7)


def test_cosine_of_near_zero_rows_is_finite_in_half_precision():
    z = torch.full((1, 3, 8), 1e-6)
    zhat = z.clone().requires_grad_()
    with torch.autocast("cpu", torch.float16):
        loss = cosine_alignment_loss(zhat.half() * 0, z.half())
    loss.backward()
    assert loss.dtype == torch.float32
    assert torch.isfinite(loss) and torch.isfinite(zhat.grad).all()


@pytest.mark.parametrize("loss", TOKEN_LOSSES)
def test_no_tokens_at_all_is_zero_with_a_gradient(loss):
    zhat = tokens().requires_grad_()
    value = loss(zhat, tokens(1), torch.zeros(2))
    value.backward()
    assert value == 0 and (zhat.grad == 0).all()


def test_identical_tokens_are_no_negatives():
    z = torch.eye(3)[[0, 1, 0]].unsqueeze(0)
    ids = torch.tensor([[5, 6, 5]])
    told = contrastive_alignment_loss(z, z, token_ids=ids)
    untold = contrastive_alignment_loss(z, z)
    assert told < 1e-3
    # Without identities the twin competes: two of three tokens lose ln 2.
    assert untold > 0.4


def test_contrastive_is_not_met_by_the_mean():
    """A prediction that never listens meets the cosine, not InfoNCE."""
    z = tokens(3, (1, 40, 16)) + 1.0
    mean = z.mean(1, keepdim=True).expand_as(z)
    chance = torch.log(torch.tensor(40.0))
    assert cosine_alignment_loss(mean, z) < 0.4
    assert contrastive_alignment_loss(mean, z) > 0.8 * chance


def test_si_sdr_ignores_scale_and_counts_decibels():
    time = torch.arange(1600.0)
    speech = torch.sin(0.3 * time).unsqueeze(0)
    noise = torch.sin(0.7 * time).unsqueeze(0)
    for level, decibels in ((1.0, 0.0), (0.1, 20.0)):
        noisy = speech + level * noise
        assert si_sdr_loss(noisy, speech).item() == pytest.approx(
            -decibels, abs=0.1
        )
        assert torch.allclose(
            si_sdr_loss(7 * noisy, speech),
            si_sdr_loss(noisy, speech),
            atol=1e-4,  # dB
        )


def test_si_sdr_of_silence_is_finite():
    silence = torch.zeros(1, 100)
    prediction = torch.zeros(1, 100, requires_grad=True)
    loss = si_sdr_loss(prediction, silence)
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(prediction.grad).all()


def test_magnitude_is_that_of_both_halves_and_no_phase():
    complex_one, complex_two = torch.randn(2, 3, 5, 4, dtype=torch.complex64)
    one, two = (
        torch.cat([spectrum.real, spectrum.imag], dim=2)
        for spectrum in (complex_one, complex_two)
    )
    expected = (complex_one.abs() - complex_two.abs()).square().mean()
    assert magnitude_loss(one, two).item() == pytest.approx(expected.item())
    turned = complex_one * torch.exp(torch.tensor(1j))
    turned = torch.cat([turned.real, turned.imag], dim=2)
    assert magnitude_loss(one, turned) < 1e-10


def test_magnitude_of_silence_has_a_finite_gradient():
    silence = torch.zeros(1, 2, 6, requires_grad=True)
    magnitude_loss(silence, torch.ones(1, 2, 6)).backward()
    assert silence.grad.isfinite().all()
