"""Tests of the times at which samplers ask for scores."""

import pytest
import torch

from cmkt_plugin.diffusion.sde import OUVESDE
from cmkt_plugin.diffusion.step_schedules import PowerSteps, UniformSteps

SDE = OUVESDE()


@pytest.mark.parametrize("steps", [UniformSteps(7), PowerSteps(7, 3, 0.5)])
def test_times_fall_from_the_first_to_t_eps(steps):
    times = steps(SDE)
    assert times.shape == (7,)
    assert (times.diff() < 0).all()
    assert times[0].item() == pytest.approx(steps.first)
    assert times[-1].item() == pytest.approx(SDE.t_eps)


def test_steps_are_equal_in_the_root_of_time():
    torch.testing.assert_close(
        UniformSteps(9)(SDE).diff(), torch.full((8,), -0.97 / 8)
    )
    roots = PowerSteps(9, 3)(SDE) ** (1 / 3)
    torch.testing.assert_close(roots.diff(), roots.diff()[:1].expand(8))


@pytest.mark.parametrize("number", [1, 2, 30])
def test_the_number_may_be_set(number):
    steps = PowerSteps(4, first=0.5)
    steps.number = number
    assert len(steps(SDE)) == number and steps(SDE)[0] == 0.5


@pytest.mark.parametrize(
    "options",
    [
        {"number": 0},
        {"number": 4, "exponent": 0},
        {"number": 4, "first": 0.03},
        {"number": 4, "first": 1.1},
    ],
)
def test_what_is_no_schedule_is_refused(options):
    with pytest.raises(ValueError, match=list(options)[-1]):
        PowerSteps(**options)(SDE)
