"""The misalignment strategy: what moves, what is masked, how often."""

import pytest
import torch

from cmkt_plugin.schedules import Linear
from cmkt_plugin.shifted_alignment import (
    Fixed,
    Frames,
    ShiftedAlignment,
    Tokens,
    Uniform,
)

COUNTS = torch.tensor([6, 4])


def numbered(batch=2, length=6):
    return torch.arange(1.0, length + 1).view(1, -1, 1).repeat(batch, 1, 1)


@pytest.mark.parametrize("shift", [-2, 0, 2])
def test_frames_move_and_never_wrap(shift):
    moved, mask = Frames().move(numbered(), COUNTS, torch.tensor([shift] * 2))
    for item, count in enumerate(COUNTS.tolist()):
        for frame in range(6):
            source = frame - shift
            arrived = 0 <= source < count and frame < count
            assert mask[item, frame] == arrived
            assert moved[item, frame] == (source + 1 if arrived else 0)


@pytest.mark.parametrize("shift", [-99, 99])
def test_a_shift_beyond_the_utterance_leaves_a_frame(shift):
    _, mask = Frames().move(numbered(), COUNTS, torch.tensor([shift] * 2))
    assert mask.sum(1).tolist() == [1, 1]


@pytest.mark.parametrize("shift", [-2, 0, 2])
def test_tokens_pair_with_the_position_they_move_to(shift):
    places = numbered()
    ids = torch.arange(1, 7).expand(2, -1)
    positions, tokens, ids, counts = Tokens().pair(
        places, places, ids, COUNTS, torch.tensor([shift] * 2)
    )
    assert counts.tolist() == [6 - abs(shift), 4 - abs(shift)]
    for item, count in enumerate(counts):
        difference = positions[item, :count] - tokens[item, :count]
        assert (difference == shift).all()
        assert (ids[item, :count] == tokens[item, :count, 0]).all()
        last = COUNTS[item]
        assert (positions[item, :count] <= last).all()
        assert (tokens[item, :count] <= last).all()


def test_a_shift_beyond_the_sentence_leaves_no_pair():
    places, ids = numbered(), torch.ones(2, 6, dtype=torch.long)
    *_, counts = Tokens().pair(
        places, places, ids, COUNTS, torch.tensor([9, -9])
    )
    assert counts.tolist() == [0, 0]


def test_amounts_and_probability():
    shift = ShiftedAlignment(Frames(), Uniform(-2, 3), probability=0.5, seed=1)
    drawn = shift.sample(4000, "cpu")
    assert (drawn.min(), drawn.max()) == (-2, 3)
    # 1 of 6 amounts is 0, so 5/12 of the items move.
    assert (drawn != 0).float().mean() == pytest.approx(5 / 12, abs=0.03)
    always = ShiftedAlignment(Frames(), Fixed(-4))
    assert (always.sample(50, "cpu") == -4).all()


def test_probability_zero_turns_it_off():
    shift = ShiftedAlignment(Frames(), Fixed(3), probability=0.0)
    assert (shift.sample(50, "cpu") == 0).all()


def test_the_schedule_scales_the_probability():
    shift = ShiftedAlignment(
        Frames(), Fixed(1), schedule=Linear(0.0, 1.0, first=1, last=3)
    )
    parts = []
    for epoch in (1, 2, 3):
        shift.set_epoch(epoch)
        parts.append(shift.sample(2000, "cpu").float().mean().item())
    assert parts == pytest.approx([0.0, 0.5, 1.0], abs=0.04)


def test_the_global_stream_is_left_alone():
    state = torch.get_rng_state()
    shift = ShiftedAlignment(Frames(), Uniform(-2, 2))
    shift.sample(8, "cpu")
    assert torch.equal(torch.get_rng_state(), state)


def test_reversed_or_impossible_settings_are_refused():
    with pytest.raises(ValueError, match="swap"):
        Uniform(3, -3)
    with pytest.raises(ValueError, match="from 0 to 1"):
        ShiftedAlignment(Frames(), Fixed(1), probability=1.5)
