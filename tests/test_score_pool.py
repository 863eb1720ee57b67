"""Scoring in worker processes: order, copies, refusals, a killed worker."""

import os
import signal

import pytest
from noisy_pairs import fill, make_pair

from cmkt_plugin.metrics import si_sdr
from cmkt_plugin.score_pool import ScorePool


@pytest.fixture
def pair():
    return make_pair()


def test_pool_gives_what_one_process_gives():
    pool = fill(ScorePool(jobs=2))
    rows = pool.gather()
    assert rows == fill(ScorePool(jobs=0)).gather()
    assert [row["speaker"] for row in rows] == ["p0", "p1", "p2", "p3", "p9"]
    assert rows[0]["snr_db"] == 5 and rows[0]["note"] == ""
    assert rows[3]["note"].startswith("shorter than 0.25 s")
    assert pool.gather() == []
    loaded = pool._executor().submit(eval, "list(__import__('sys').modules)")
    assert not {"torch", "speechbrain"} & set(loaded.result())


def test_pool_keeps_copies_and_bounds_what_waits(monkeypatch):
    awaited, wait = [], ScorePool._wait
    monkeypatch.setattr(
        ScorePool, "_wait", lambda *a: awaited.append(a[1]) or wait(*a)
    )
    monkeypatch.setattr(ScorePool, "WAITING", 2)
    pool = ScorePool(jobs=2, metrics=["si_sdr"])
    enhanced, clean = make_pair()
    expected = si_sdr(enhanced, clean)
    for i in range(20):
        buffer = enhanced.copy()
        pool.submit(str(i), buffer, clean)
        buffer[:] = 0
    assert awaited == [str(i) for i in range(16)]
    rows = pool.gather()
    assert [row["id"] for row in rows] == [str(i) for i in range(20)]
    assert all(row["si_sdr"] == expected for row in rows)


def test_pool_refuses_at_once(pair):
    pool = ScorePool(jobs=2)
    with pytest.raises(ValueError, match="p226_001: enhanced has 15999"):
        pool.submit("p226_001", pair[0][1:], pair[1])
    with pytest.raises(ValueError, match="Unknown metrics"):
        ScorePool(metrics=["PESQ"])
    with pytest.raises(ValueError, match="jobs .* -1"):
        ScorePool(jobs=-1)
    pool = ScorePool(jobs=0, metrics=["si_sdr"])
    pool.submit("a", *pair)
    with pytest.raises(ValueError, match="a was already submitted"):
        pool.submit("a", *pair)


def test_killed_worker_is_an_error_not_a_hang(pair):
    def too_late(*_):
        raise TimeoutError("the pool hangs")

    pool, long = ScorePool(jobs=2), make_pair(seconds=8.0)
    for i in range(8):
        pool.submit(f"item{i}", *long)
    for process in list(pool._executor()._processes):
        os.kill(process, signal.SIGKILL)
    previous = signal.signal(signal.SIGALRM, too_late)
    signal.alarm(30)
    try:
        with pytest.raises(RuntimeError, match=r"process died at item\d or"):
            pool.gather()
        pool.submit("again", *pair)
        assert pool.gather()[0]["note"] == ""
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
