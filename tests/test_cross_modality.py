"""The transformer: masks, leaks, randomness, and that it has to listen."""

import pytest
import torch

from cmkt_plugin.cross_modality import CrossModalityTransformer
from cmkt_plugin.leak_check import check_leaks
from cmkt_plugin.losses import contrastive_alignment_loss
from cmkt_plugin.minilm import folder
from cmkt_plugin.queries import AbsolutePosition, RelativePosition, Shifted
from cmkt_plugin.shifted_alignment import (
    Fixed,
    Frames,
    ShiftedAlignment,
    Tokens as TextTokens,
)
from cmkt_plugin.teacher import LanguageModelTeacher
from cmkt_plugin.units import WholeWords

QUERIES = [AbsolutePosition, RelativePosition, Shifted]
FRAMES, COUNTS = torch.tensor([30, 18]), torch.tensor([5, 3])


def make(query, dropout=0.0, **options):
    sizes = {"latent_width": 8, "token_width": 12, "width": 16, "d_ffn": 16}
    return CrossModalityTransformer(
        query, dropout=dropout, **{**sizes, **options}
    )


def inputs(seed=0):
    generator = torch.Generator().manual_seed(seed)
    latent = torch.randn(2, 30, 8, generator=generator)
    tokens = torch.randn(2, 5, 12, generator=generator)
    return latent, FRAMES, tokens, COUNTS


@pytest.mark.parametrize("stride", [1, 4])
@pytest.mark.parametrize("query", QUERIES)
def test_an_item_is_the_same_alone_and_padded(query, stride):
    aligner = make(query, stride=stride).eval()
    latent, frames, tokens, counts = inputs()
    together = aligner(latent, frames, tokens, counts)
    alone = aligner(latent[1:, :18], frames[1:], tokens[1:, :3], counts[1:])
    assert torch.allclose(
        together.predicted[1, :3], alone.predicted[0], atol=1e-5
    )
    assert torch.allclose(
        together.coupling[1, :3, :18], alone.coupling[0], atol=1e-6
    )


@pytest.mark.parametrize("stride", [1, 4])
@pytest.mark.parametrize("query", QUERIES)
def test_coupling_is_a_distribution_over_real_frames(query, stride):
    _, coupling = make(query, stride=stride).eval()(*inputs())
    assert coupling.shape == (2, 5, 30)
    assert torch.allclose(coupling.sum(-1), torch.ones(2, 5), atol=1e-5)
    assert (coupling[1, :, 18:] == 0).all()


@pytest.mark.parametrize("query", QUERIES)
def test_no_tokens_and_one_frame_give_finite_values_and_gradients(query):
    aligner = make(query)
    latent, _, tokens, _ = inputs()
    latent.requires_grad_()
    frames, counts = torch.tensor([1, 30]), torch.tensor([0, 5])
    predicted, coupling = aligner(latent, frames, tokens, counts)
    predicted.sum().backward()
    assert torch.isfinite(predicted).all() and torch.isfinite(coupling).all()
    assert torch.isfinite(latent.grad).all()


def test_a_key_shares_its_part_among_its_real_frames():
    aligner = make(RelativePosition, stride=3)
    mask = torch.tensor([[True] * 4 + [False] * 2])
    coupling = aligner._over_frames(torch.tensor([[[0.5, 0.5]]]), mask)
    wanted = torch.tensor([1 / 6, 1 / 6, 1 / 6, 1 / 2, 0, 0])
    assert torch.allclose(coupling[0, 0], wanted)


def test_relative_position_starts_on_the_diagonal():
    _, coupling = make(RelativePosition).eval()(*inputs())
    frame = torch.arange(30.0)
    for item, (frames, count) in enumerate(zip(FRAMES, COUNTS)):
        centre = (coupling[item, :count] * frame).sum(-1)
        wanted = (torch.arange(count) + 0.5) / count * frames
        assert (centre - wanted).abs().max() < 0.15 * frames


def test_wrong_widths_are_refused():
    latent, frames, tokens, counts = inputs()
    with pytest.raises(ValueError, match=r"latent: .*8\), found \(2, 30, 7\)"):
        make(AbsolutePosition)(latent[..., :7], frames, tokens, counts)
    with pytest.raises(ValueError, match="tokens: expected"):
        make(AbsolutePosition)(latent, frames, tokens[..., :7], counts)


def test_weights_and_dropout_leave_the_global_stream_alone():
    state = torch.get_rng_state()
    aligner = make(RelativePosition, dropout=0.5)
    one, other = aligner(*inputs()), aligner(*inputs())
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(one.predicted, other.predicted)
    again = make(RelativePosition, dropout=0.5)
    assert torch.equal(one.predicted, again(*inputs()).predicted)


SENTENCE = "the old man {} his boat into the bay"


def replaced_word(layer, query):
    """How far Zhat of the replaced word and of the next one move."""
    teacher = LanguageModelTeacher(folder(), layer=layer, units=WholeWords())
    rowed, sold = (
        item.embeddings.unsqueeze(0)
        for item in teacher.embed(
            [SENTENCE.format("rowed"), SENTENCE.format("sold")]
        )
    )
    aligner = make(query, token_width=teacher.width).eval()
    latent = torch.randn(1, 40, 8, generator=torch.Generator().manual_seed(0))
    frames, counts = torch.tensor([40]), torch.tensor([rowed.shape[1]])
    predicted = [
        aligner(latent, frames, tokens, counts).predicted[0]
        for tokens in (rowed, sold)
    ]
    moved = (predicted[0] - predicted[1]).abs().max(-1).values
    return moved[3].item(), moved[4].item()


@pytest.mark.parametrize("query", QUERIES)
def test_replacing_a_word_before_the_lm_does_not_move_its_prediction(query):
    own, following = replaced_word(None, query)
    assert own < 1e-6
    # The query of the next token sees it, or the test would prove nothing.
    assert (following > 1e-3) == (query is Shifted)


def test_a_contextual_neighbour_gives_the_word_away():
    """Why ``check_leaks`` refuses this pair: with it, the target moves."""
    own, _ = replaced_word(-1, Shifted)
    assert own > 1e-3


class Teacher:
    def __init__(self, contextual, causal):
        self.contextual, self.causal = contextual, causal


NO_SHIFT = ShiftedAlignment(Frames(), Fixed(0), probability=0.0)


def test_leaking_combinations_are_refused():
    shifted = make(Shifted).query
    with pytest.raises(ValueError, match="layer: null"):
        check_leaks(shifted, Teacher(True, False), NO_SHIFT)
    seen = ShiftedAlignment(TextTokens(), Fixed(1))
    with pytest.raises(ValueError, match="below 1"):
        check_leaks(shifted, Teacher(False, False), seen)


@pytest.mark.parametrize(
    "query, teacher, shift",
    [
        (Shifted, Teacher(False, False), NO_SHIFT),
        (Shifted, Teacher(True, True), NO_SHIFT),
        (
            Shifted,
            Teacher(False, False),
            ShiftedAlignment(TextTokens(), Fixed(-1)),
        ),
        (
            RelativePosition,
            Teacher(True, False),
            ShiftedAlignment(TextTokens(), Fixed(2)),
        ),
    ],
)
def test_honest_combinations_pass(query, teacher, shift):
    check_leaks(make(query).query, teacher, shift)


def spoken_batch(generator, words, sounds):
    """Sentences of six random words; every word sounds for five frames."""
    ids = torch.randint(len(words), (16, 6), generator=generator)
    latent = sounds[ids].repeat_interleave(5, dim=1)
    latent = latent + 0.1 * torch.randn(latent.shape, generator=generator)
    return latent, words[ids], ids


def learn(query, listen, steps=300):
    """Contrastive loss at the end of a short training on spoken words."""
    generator = torch.Generator().manual_seed(0)
    words = torch.randn(20, 12, generator=generator)
    sounds = torch.randn(20, 8, generator=generator)
    aligner = make(query, width=32, num_layers=1)
    optimizer = torch.optim.Adam(aligner.parameters(), lr=3e-3)
    frames, counts = torch.full((16,), 30), torch.full((16,), 6)
    losses = []
    for _ in range(steps):
        latent, tokens, ids = spoken_batch(generator, words, sounds)
        if not listen:
            latent = torch.randn(latent.shape, generator=generator)
        predicted, _ = aligner(latent, frames, tokens, counts)
        loss = contrastive_alignment_loss(predicted, tokens, token_ids=ids)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses[-20:]) / 20


@pytest.mark.parametrize("query", [RelativePosition, Shifted])
def test_noise_instead_of_acoustics_does_not_come_near_the_real_loss(query):
    real, noise = (learn(query, listen) for listen in (True, False))
    assert real < 0.6 * noise
