"""Tests of the windows: where they lie, what they read and how they join."""

from fractions import Fraction

import numpy as np
import pytest

from cmkt_plugin.overlap_add import OverlapAdd

WINDOWS = OverlapAdd(window=2.0, context=0.5, fade=0.1, batch=3)


def blocks_of(signal, size):
    return (signal[at : at + size] for at in range(0, len(signal), size))


def overlapping(spans):
    return [(b[0], a[1]) for a, b in zip(spans, spans[1:])]


@pytest.mark.parametrize(
    "rate, model_rate, hop_length",
    [
        (16000, 16000, 256),
        (16000, 16000, 8),
        (8000, 16000, 256),
        (44100, 16000, 256),
        (48000, 16000, 160),
        (11025, 8000, 128),
    ],
)
@pytest.mark.parametrize("seconds", [2.01, 2.9, 3.0, 9.37, 31.0])
def test_windows_begin_whole_hops_apart(rate, model_rate, hop_length, seconds):
    samples = round(seconds * rate)
    hop = Fraction(hop_length * rate, model_rate)
    spans = WINDOWS.spans(samples, rate, hop)
    assert spans[0][0] == 0 and spans[-1][1] == samples and len(spans) > 1
    for start, _ in spans:
        assert (start / hop).denominator == 1
    lengths = [stop - start for start, stop in spans]
    assert set(lengths[:-1]) == {2 * rate}
    # The smallest step that is a whole number of hops, in samples.
    assert 2 * rate - lengths[-1] < hop.numerator
    for start, stop in overlapping(spans):
        assert stop - start >= rate


@pytest.mark.parametrize(
    "rate, model_rate", [(44101, 22050), (44101, 16000), (16001, 44100)]
)
def test_rates_with_little_in_common(rate, model_rate):
    # Whole hops are seconds or minutes apart: as near as half a sample.
    hop = Fraction(256 * rate, model_rate)
    for windows in (OverlapAdd(), WINDOWS):
        spans = windows.spans(100 * rate + 1, rate, hop)
        steps = [b[0] - a[0] for a, b in zip(spans, spans[1:])]
        off = [abs(step - round(step / hop) * hop) for step in steps]
        assert max(off[:-1]) < 0.05 and off[-1] <= 0.5
        for start, stop in overlapping(spans):
            assert stop - start >= 2 * windows.context * rate
        assert spans[-1][1] == 100 * rate + 1


def test_joins_keep_the_context_and_their_distance():
    # The last window may nearly be the one before it: 2.9 s are 1 s + 1.9 s.
    for samples in range(2001, 9000, 37):
        spans = WINDOWS.spans(samples, 1000, 1)
        joins = [(a + b) // 2 for a, b in overlapping(spans)]
        for join, (start, stop) in zip(joins, overlapping(spans)):
            assert join - start >= 500 and stop - join >= 500
        assert all(b - a >= 100 for a, b in zip(joins, joins[1:]))
        assert samples - joins[-1] >= 500


@pytest.mark.parametrize("fade", [0.0, 0.1, 0.101, 0.2])
@pytest.mark.parametrize("size", [7, 1000, 2345, 10**6])
def test_weights_add_up_to_one(fade, size):
    signal = np.random.default_rng(0).standard_normal((7321, 2))
    windows = OverlapAdd(window=2.0, context=0.5, fade=fade, batch=3)
    pieces = windows(
        blocks_of(signal, size), len(signal), 1000, 10, lambda x: 2 * x
    )
    joined = np.concatenate(list(pieces))
    assert joined.shape == signal.shape
    assert np.allclose(joined, 2 * signal, rtol=1e-6)


def test_neighbours_are_faded_linearly_in_the_middle_of_their_overlap():
    count = iter(range(9))
    pieces = WINDOWS(
        [np.zeros((3000, 1))],
        3000,
        1000,
        1,
        lambda x: np.stack([w + next(count) for w in x]),
    )
    joined = np.concatenate(list(pieces))[:, 0]  # windows 0-2 s and 1-3 s
    assert (joined[:1450] == 0).all() and (joined[1550:] == 1).all()
    assert np.allclose(np.diff(joined[1450:1550]), 0.01)
    assert joined[1450:1550].mean() == pytest.approx(0.5)


def test_no_more_is_read_than_the_next_windows_need():
    read = 0

    def blocks():
        nonlocal read
        for _ in range(1000):
            yield np.zeros((100, 1))
            read += 100

    written, ahead = 0, 0
    for piece in WINDOWS(blocks(), 100_000, 1000, 1, lambda x: x):
        ahead = max(ahead, read - written)
        written += len(piece)
    assert written == 100_000
    # Three windows of 2 s that overlap by half, and a block.
    assert ahead <= 4100


def test_windows_pass_together_up_to_the_batch():
    for channels, together in ((1, 3), (2, 1), (8, 1)):
        shapes = []
        signal = np.zeros((9100, channels))
        pieces = WINDOWS(
            [signal], 9100, 1000, 1, lambda x: shapes.append(x.shape) or x
        )
        assert len(np.concatenate(list(pieces))) == 9100
        assert {shape[1:] for shape in shapes} == {(2000, channels)}
        assert sum(shape[0] for shape in shapes) == 9
        assert max(shape[0] for shape in shapes) == together


def test_what_fits_in_a_window_is_one_pass():
    assert WINDOWS.spans(1, 1000, 10) == [(0, 1)]
    assert WINDOWS.spans(2000, 1000, 10) == [(0, 2000)]
    assert len(WINDOWS.spans(2001, 1000, 10)) == 2


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"context": 0}, "positive context"),
        ({"context": -1}, "positive context"),
        ({"fade": -0.1}, "fade -0.1 s"),
        ({"fade": 2.1}, "at most 2 x context = 2.0"),
        ({"window": 2.4}, "more than 2 x context"),
        ({"window": -5}, "window -5 s"),
        ({"window": float("nan")}, "window nan s"),
        ({"batch": 0}, "batch 0"),
        ({"batch": 1.5}, "batch 1.5"),
    ],
)
def test_impossible_windows_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        OverlapAdd(**arguments)
