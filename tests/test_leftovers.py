"""Tests of temporary names, and of removing what was left under them."""

import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from cmkt_plugin.leftovers import ABANDONED, remove_leftovers, temporary_path

NAMES = [
    "a.wav",
    "a.b.c.wav",
    "語" * 78 + ".wav",
    "語" * 85,
    "x" + "é" * 127,
    "x" * 255,
    "*" * 200 + "[a]?.wav",
    os.fsdecode(b"\xff" * 200),  # no text itself
]


@pytest.fixture(scope="module")
def dead():
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def left_by(path, pid, host=None):
    """What another process left of a file."""
    name = temporary_path(path).name
    mine = f"{os.getpid()}-{threading.get_native_id()}"
    assert name.endswith(f".{mine}.part")
    name = name.replace(mine, f"{pid}-{pid}")
    own = socket.gethostname().replace(".", "_")
    left = path.with_name(name.replace(f".{own}.", f".{host or own}."))
    left.touch()
    return left


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_any_name_that_a_file_may_have_has_a_temporary_one(
    tmp_path, name, dead
):
    (tmp_path / name).touch()
    temporary = temporary_path(tmp_path / name)
    temporary.touch()
    os.replace(temporary, tmp_path / name)
    temporary.name.encode()  # text that every program can show
    left, other = left_by(tmp_path / name, dead), tmp_path / f"{name[:40]}.z"
    beside = left_by(other, dead)
    remove_leftovers(tmp_path, name)
    assert not left.exists() and beside.exists()
    remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_long_names_that_begin_alike_stay_apart(tmp_path):
    names = [temporary_path(tmp_path / ("x" * 200 + end)) for end in "ab"]
    assert names[0] != names[1]
    short = temporary_path(tmp_path / "a.wav").name
    assert short.startswith(".a.wav.") and "~" not in short


def test_those_who_live_keep_theirs(tmp_path, dead):
    path = tmp_path / "a.wav"
    alive = left_by(path, os.getppid())
    gone = left_by(path, dead)
    plain = gone.with_name(gone.name.replace(f"{dead}-{dead}", str(dead)))
    plain.touch()  # of a version without threads
    elsewhere, abandoned = (left_by(path, dead, h) for h in ("far", "away"))
    day = time.time() - ABANDONED - 9
    os.utime(abandoned, (day, day))
    remove_leftovers(tmp_path)
    assert set(tmp_path.iterdir()) == {alive, elsewhere}


def test_threads_that_write_one_output_do_not_share_a_file(tmp_path):
    path, together = tmp_path / "a.wav", threading.Barrier(3, timeout=20)

    def write(text):
        temporary = temporary_path(path)
        temporary.write_text(text)
        together.wait()
        together.wait()  # here others' leftovers are removed
        os.replace(temporary, tmp_path / text)

    with ThreadPoolExecutor(2) as pool:
        writing = [pool.submit(write, text) for text in ("one", "two")]
        together.wait()
        remove_leftovers(tmp_path)
        together.wait()
        for thread in writing:
            thread.result()
    texts = {made.name: made.read_text() for made in tmp_path.iterdir()}
    assert texts == {"one": "one", "two": "two"}


def test_what_an_ended_thread_left_is_removed(tmp_path):
    thread = threading.Thread(
        target=lambda: temporary_path(tmp_path / "a.wav").touch()
    )
    thread.start()
    thread.join()
    assert len(list(tmp_path.iterdir())) == 1
    remove_leftovers(tmp_path)
    assert not list(tmp_path.iterdir())
