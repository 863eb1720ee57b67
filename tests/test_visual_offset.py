"""Offsets: their sign, how finely they are found, when nothing is moved."""

import numpy as np
import pytest

from cmkt_plugin.visual.alignment import cut_to_both
from cmkt_plugin.visual.offset import DetectedOffset, offset_of

SECONDS = 6


def talker(late, seed=0):
    """Crops of a mouth, and its sound, which comes late (s)."""
    rng = np.random.default_rng(seed)
    syllables = np.cumsum(rng.uniform(0.15, 0.4, 40))
    knots = np.concatenate([[0.0], syllables])
    heights = rng.uniform(0, 1, len(knots)) * (np.arange(len(knots)) % 2)

    def opening(times):
        return np.interp(times, knots, heights)

    pixels = np.full((25 * SECONDS, 96, 96), 150, np.uint8)
    rows = np.arange(96)
    for frame, size in enumerate(opening(np.arange(len(pixels)) / 25)):
        pixels[frame, np.abs(rows - 48) < 3 + 20 * size, 24:72] = 40
    noise = rng.standard_normal(16000 * SECONDS)
    times = np.arange(len(noise)) / 16000 - late
    return pixels, np.ones(len(pixels)), noise * opening(times) ** 2


@pytest.mark.parametrize("late", [-0.3, -0.12, 0.08, 0.25])
def test_an_offset_is_found_with_its_sign(late):
    pixels, present, samples = talker(late)
    found = DetectedOffset()(pixels, present, samples, 0.0)
    assert found.ms == pytest.approx(1000 * late, abs=40)
    assert found.correlation > 0.4


def test_a_second_is_too_short_to_tell():
    pixels, present, samples = talker(0.2)
    found = DetectedOffset()(pixels[:28], present[:28], samples[:18000], 0.0)
    assert found.ms == 0 and found.correlation > 0.4


def test_what_the_file_says_of_the_sound_is_counted():
    pixels, present, samples = talker(0.2)
    # The file plays it 0.2 s early: then picture and sound are in step.
    assert DetectedOffset()(pixels, present, samples, -0.2).ms == 0


def test_frames_without_a_face_tell_nothing():
    pixels, present, samples = talker(0.2)
    present[::7] = 0
    pixels[::7] = 0
    found = DetectedOffset()(pixels, present, samples, 0.0)
    assert found.ms == pytest.approx(200, abs=40)


def test_sound_of_something_else_moves_nothing():
    pixels, present, _ = talker(0.0)
    noise = np.random.default_rng(1).standard_normal(16000 * SECONDS)
    found = DetectedOffset()(pixels, present, noise, 0.0)
    assert found.ms == 0


@pytest.mark.parametrize("wanted", ["soon", None, float("nan")])
def test_an_offset_is_a_number_or_auto(wanted):
    with pytest.raises(ValueError, match="expected by how many ms"):
        offset_of(wanted)


@pytest.mark.parametrize("lead", [0.0, 0.013, 0.04, 0.1, -0.013, -0.1])
def test_what_is_kept_begins_and_ends_together(lead):
    frames, samples = cut_to_both(75, 48000, lead, tolerance=0.2)
    assert frames.start / 25 == pytest.approx(
        lead + samples.start / 16000, abs=1 / 16000
    )
    shown, heard = frames.stop - frames.start, samples.stop - samples.start
    assert shown == np.ceil(heard / 640)
    assert frames.stop <= 75 and samples.stop <= 48000


def test_too_different_lengths_are_refused():
    cut_to_both(75, 48000 + 7000, 0.0, tolerance=0.5)
    for arguments in [(75, 57000, 0.0), (75, 48000, 0.6), (100, 48000, 0.0)]:
        with pytest.raises(ValueError, match="in common; expected to lose at"):
            cut_to_both(*arguments, tolerance=0.5)
    with pytest.raises(ValueError, match="have 0.00 s in common"):
        cut_to_both(10, 16000, 3.0, tolerance=9.0)
