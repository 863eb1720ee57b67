"""``cmkt enhance``: work that is cut short, and goes on."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
import soundfile
from click.testing import CliRunner
from recordings_of_all_kinds import content, mixed_folder, noise
from test_export import make_run

from cmkt_plugin.cli import main
from cmkt_plugin.enhancing import enhance
from cmkt_plugin.enhancing.enhance import enhance_files
from cmkt_plugin.enhancing.record import FILENAME, Record
from cmkt_plugin.leftovers import temporary_path
from cmkt_plugin.loading.model_source import open_model


def cmkt(*words, **settings):
    return CliRunner().invoke(main, [str(word) for word in words], **settings)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "run"
    make_run(folder, "gru")
    return folder


def test_resume_makes_what_is_missing_and_what_has_changed(run, tmp_path):
    for name in "abcdef":
        noise(tmp_path / f"in/{name}.wav", 8000, 0.2)
    out = tmp_path / "out"
    given = ("enhance", tmp_path / "in", "-o", out, "-m", run)
    assert cmkt(*given).exit_code == 0
    before = content(out)
    (out / "a.wav").unlink()
    noise(out / "b.wav", 8000, 0.1)  # shorter than its input
    noise(out / "c.wav", 16000, 0.1)  # of another rate
    later = time.time() + 5
    os.utime(tmp_path / "in/d.wav", (later, later))
    # Replaced by an older one of the same length, as by rsync -t or cp -p.
    os.utime(tmp_path / "in/e.wav", (later - 999, later - 999))
    done = cmkt(*given, "--resume")
    assert done.exit_code == 0 and done.stderr.startswith("1 of 6 are done\n")
    changed = {n for n, made in content(out).items() if made != before[n]}
    assert changed == {*(f"{name}.wav" for name in "abcde"), FILENAME}
    assert cmkt(*given, "--resume").stderr.startswith("6 of 6 are done\n")
    assert soundfile.info(out / "b.wav").frames == 1600
    assert soundfile.info(out / "c.wav").samplerate == 8000
    # Without --resume, everything.
    assert cmkt(*given).exit_code == 0
    assert all(made != before[n] for n, made in content(out).items())


def test_resume_mixes_nothing(run, tmp_path):
    noise(tmp_path / "in/a.wav", 8000, 0.2)
    make_run(tmp_path / "other", "gru", scores=(1.0,))
    out = tmp_path / "out"
    given = ("enhance", tmp_path / "in", "-o", out)
    assert cmkt(*given, "-m", run).exit_code == 0
    for option, told in (
        (("-m", run, "--dry-wet", 0.5), "dry_wet was 1.0, is 0.5"),
        (("-m", run, "--window", 5), "window was 10.0, is 5.0"),
        (("-m", tmp_path / "other"), "model was "),
    ):
        done = cmkt(*given, "--resume", *option)
        assert done.exit_code == 2 and not done.stdout
        assert told in done.stderr and "leave out --resume" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    (out / FILENAME).unlink()
    done = cmkt(*given, "-m", run, "--resume")
    assert done.exit_code == 2 and "1 outputs are in" in done.stderr
    (out / FILENAME).write_text("[]")
    done = cmkt(*given, "-m", run, "--resume")
    assert done.exit_code == 2 and "does not tell what" in done.stderr


def test_commands_share_a_folder(run, tmp_path):
    for name in "ab":
        noise(tmp_path / f"in/{name}.wav", 8000, 0.2)
    given = ("-o", tmp_path / "out", "-m", run, "--device", "cpu")
    for name, options in (("a", ()), ("b", ("--dry-wet", 0.5)), ("b", ())):
        source = tmp_path / f"in/{name}.wav"
        assert cmkt("enhance", source, *given, *options).exit_code == 0
    # The second command has made its own settings those of the folder.
    resume = ("enhance", tmp_path / "in", *given, "--resume")
    assert cmkt(*resume).stderr.startswith("1 of 2 are done\n")
    noise(tmp_path / "in/c.wav", 8000, 0.2)
    assert cmkt("enhance", tmp_path / "in/c.wav", *given).exit_code == 0
    assert cmkt(*resume).stderr.startswith("3 of 3 are done\n")


@pytest.fixture
def targets(tmp_path):
    """Outputs that are there, with their sources."""
    found = {tmp_path / n: tmp_path / "out" / f"{n}.wav" for n in "abc"}
    (tmp_path / "out").mkdir()
    for path in (*found, *found.values()):
        path.touch()
    return found


def note(record, targets, names):
    for source, target in targets.items():
        if source.name in names:
            record.note(source.stat(), target)


def test_a_torn_line_costs_one_file(targets, tmp_path):
    record = Record(tmp_path / "out", {"model": "1b4f"})
    record.begin()
    note(record, targets, "abc")
    whole = record.path.read_bytes()
    record.path.write_bytes(whole[:-20])
    assert [path.name for path in record.remaining(targets)] == ["c"]
    note(record, targets, "c")
    assert not record.remaining(targets)
    record.path.write_bytes(whole + b"\n\0\xff{")
    assert not record.remaining(targets)


def test_commands_at_the_same_time(targets, tmp_path):
    first = Record(tmp_path / "out", {"dry_wet": 1.0})
    first.begin()
    note(first, targets, "a")
    Record(tmp_path / "out", {"dry_wet": 1.0}).begin()
    note(first, targets, "b")
    assert [path.name for path in first.remaining(targets)] == ["c"]
    # What the first still makes is not what the other would make.
    other = Record(tmp_path / "out", {"dry_wet": 0.5})
    other.begin()
    note(first, targets, "ab")
    assert other.remaining(targets) == targets


class Interrupting:
    """A model whose work on the second file is cut short by Ctrl-C."""

    def __init__(self, model):
        self.model = model
        self.calls = 0

    def __getattr__(self, name):
        return getattr(self.model, name)

    def enhance_file(self, source, target, **options):
        self.calls += 1
        if self.calls == 2:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.2)
        return self.model.enhance_file(source, target, **options)


def test_a_source_that_changes_under_way_is_made_again(run, tmp_path):
    noise(tmp_path / "a.wav", 8000, 0.2)
    model, out = open_model(run, "cpu"), tmp_path / "out"

    def enhance_file(source, target):
        shutil.copy(source, target)
        os.utime(source, (1, 1))

    model.enhance_file = enhance_file
    targets = {tmp_path / "a.wav": out / "a.wav"}
    record = Record(out, {})
    record.begin()
    assert enhance_files(model, targets, note=record.note).finished
    assert record.remaining(targets) == targets


def test_ctrl_c_keeps_what_is_finished(run, tmp_path, monkeypatch):
    for name in "abc":
        noise(tmp_path / f"in/{name}.wav")
    monkeypatch.setattr(
        "cmkt_plugin.loading.model_source.open_model",
        lambda *_, **__: Interrupting(open_model(run, "cpu")),
    )
    out = tmp_path / "out"
    given = ("enhance", tmp_path / "in", "-o", out, "-m", run, "--jobs", 1)
    done = cmkt(*given)
    assert done.exit_code == 130, done.stderr
    assert done.stderr.startswith("Stopped: interrupted; --resume goes on")
    assert "1 file, " in done.stderr
    assert sorted(content(out)) == [FILENAME, "a.wav"]
    monkeypatch.undo()
    done = cmkt(*given, "--resume", "--device", "cpu")
    assert done.exit_code == 0
    assert done.stderr.startswith("1 of 3 are done\n")
    assert sorted(content(out)) == [FILENAME, "a.wav", "b.wav", "c.wav"]


def test_a_file_that_is_cut_short_cannot_be_resumed(run, tmp_path, monkeypatch):
    noise(tmp_path / "a.wav")
    model = Interrupting(open_model(run, "cpu"))
    model.calls = 1
    monkeypatch.setattr(
        "cmkt_plugin.loading.model_source.open_model", lambda *_, **__: model
    )
    done = cmkt(
        "enhance", tmp_path / "a.wav", "-o", tmp_path / "b.wav", "-m", run
    )
    assert done.exit_code == 130 and sorted(content(tmp_path)) == ["a.wav"]
    assert done.stderr.startswith("Stopped: interrupted\n0 files, ")


def test_killed_and_gone_on(run, tmp_path):
    # The longest are first: something is written when it is killed.
    for i in range(4):
        noise(tmp_path / f"in/long{i}.wav", 16000, 25.0)
    mixed_folder(tmp_path / "in", 20)
    out = tmp_path / "out"
    words = ("enhance", tmp_path / "in", "-o", out, "-m", run)
    code = "import sys; from cmkt_plugin.cli import main; main(sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if list(out.glob(".long*.part")):
            break
    process.kill()
    process.wait()
    killed = content(out)
    assert [name for name in killed if name.endswith(".part")]
    assert len(killed) < 25
    done = cmkt(*words, "--resume")
    assert done.exit_code == 0, done.stderr
    whole = content(out)
    assert len(whole) == 25 and not [n for n in whole if n.endswith(".part")]
    for name in whole.keys() - {FILENAME}:
        frames = [
            soundfile.info(folder / name).frames
            for folder in (tmp_path / "in", out)
        ]
        assert frames[0] == frames[1]


def failing(error):
    """Enhances the first file, and fails at every other; notes which."""
    tried = []

    def enhance_file(source, target, **options):
        tried.append(source)
        time.sleep(0.01)
        if source.name != "0.wav":
            raise error
        shutil.copy(source, target)

    return enhance_file, tried


@pytest.mark.parametrize(
    "error, free, stops",
    [
        (OSError(errno.ENOSPC, "No space left on device"), 10**9, True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), 10**9, True),
        (OSError("could not be written whole"), 1000, True),
        (OSError("could not be written whole"), 10**9, False),
        (OSError(errno.EACCES, "Permission denied"), 1000, False),
        (MemoryError(), 1000, False),
    ],
)
def test_a_full_disk_ends_it(run, tmp_path, monkeypatch, error, free, stops):
    for i in range(20):  # the first is the longest
        noise(tmp_path / f"in/{i}.wav", seconds=0.05 if i else 0.1)
    model = open_model(run, "cpu")
    model.enhance_file, tried = failing(error)
    usage = shutil.disk_usage(tmp_path)._replace(free=free)
    monkeypatch.setattr(enhance.shutil, "disk_usage", lambda folder: usage)
    (tmp_path / "out").mkdir()
    targets = {
        path: tmp_path / "out" / path.name
        for path in (tmp_path / "in").iterdir()
    }
    outcome = enhance_files(model, targets, jobs=1)
    assert [path.name for path in outcome.finished] == ["0.wav"]
    assert bool(outcome.stopped) == stops
    if stops:
        assert "no space left on the disk for" in outcome.stopped
        assert not outcome.failed and len(tried) < 20
    else:
        assert len(outcome.failed) == 19 and all(outcome.failed.values())


def test_leftovers_of_killed_runs_are_removed(run, tmp_path):
    noise(tmp_path / "in/deep/a.wav")
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = temporary_path(tmp_path / "out/deep/a.wav")
    left = left.with_name(left.name.replace(str(os.getpid()), str(dead.pid)))
    left.parent.mkdir(parents=True)
    left.touch()
    targets = {tmp_path / "in/deep/a.wav": tmp_path / "out/deep/a.wav"}
    enhance_files(open_model(run, "cpu"), targets)
    assert list(content(tmp_path / "out")) == ["deep/a.wav"]
