"""``cmkt enhance``: files of every kind, and how they are reported."""

import io
import json
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile
import torch
from click.testing import CliRunner
from locked_folder import lock
from recordings_of_all_kinds import (
    BROKEN,
    break_files,
    content,
    mixed_folder,
    noise,
)
from test_export import make_run

from cmkt_plugin.cli import main
from cmkt_plugin.enhancing import enhance
from cmkt_plugin.enhancing.enhance import enhance_files
from cmkt_plugin.enhancing.progress import EnhancementProgress
from cmkt_plugin.enhancing.record import FILENAME
from cmkt_plugin.loading.model_source import open_model


def cmkt(*words, **settings):
    return CliRunner().invoke(main, [str(word) for word in words], **settings)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "run"
    make_run(folder, "gru")
    return folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus") / "in"
    mixed_folder(folder, 200)
    break_files(folder)
    return folder


def test_a_folder_of_200_files_and_five_broken_ones(run, corpus, tmp_path):
    out = tmp_path / "out"
    given = ("enhance", corpus, "-o", out, "-m", run, "--device", "cpu")
    done = cmkt(*given)
    assert done.exit_code == 1 and not done.stdout
    *errors, summary = done.stderr.splitlines()
    assert len(errors) == 5
    for error, (name, reason) in zip(errors, sorted(BROKEN.items())):
        assert error.startswith(f"Error: {corpus / name}: ")
        assert reason in error and error.count(str(corpus)) <= 2
    assert summary.startswith("200 files, ")
    assert summary.endswith(" x real time), 5 failed")
    written = content(out)
    assert len(written) == 201 and FILENAME in written
    for name in written.keys() - {FILENAME}:
        noisy, enhanced = (
            soundfile.info(folder / name) for folder in (corpus, out)
        )
        # Lossy formats too: libsndfile notes what the codec pads.
        for what in ("samplerate", "channels", "frames", "format", "subtype"):
            assert getattr(noisy, what) == getattr(enhanced, what), name
    again = cmkt(*given, "--resume")
    assert again.exit_code == 1
    assert again.stderr.startswith("200 of 205 are done\n")
    assert again.stderr.splitlines()[1:6] == errors
    assert content(out) == written


def test_the_samples_are_the_models(run, tmp_path):
    names = [f"{i}{'x' * i}.wav" for i in range(8)]  # so their noise differs
    for i, name in enumerate(names):
        path = tmp_path / "in" / name
        noise(path, 16000, 0.3 + i / 9, channels=1 + i % 3, subtype="FLOAT")
    model = open_model(run, "cpu")
    options = ("--dry-wet", 0.5, "--device", "cpu", "--jobs", 3)
    done = cmkt(
        *("enhance", tmp_path / "in", "-o", tmp_path / "out"),
        *("-m", run, *options),
    )
    assert done.exit_code == 0, done.stderr
    for name in names:
        noisy, found = (
            soundfile.read(tmp_path / folder / name, dtype="float32")[0]
            for folder in ("in", "out")
        )
        expected = model.enhance_array(noisy, 16000, dry_wet=0.5)
        assert np.abs(expected - noisy).max() > 1e-3
        assert np.allclose(found, expected, atol=1e-6), name


def test_options_reach_the_model(run, tmp_path, monkeypatch):
    seen = {}

    def spy(model, targets, jobs, note, **options):
        windows = model.windows
        seen.update(options, jobs=jobs, device=str(model.device))
        seen.update(window=windows.window, context=windows.context)
        return enhance.Outcome()

    monkeypatch.setattr(enhance, "enhance_files", spy)
    noise(tmp_path / "a.wav")
    given = ("enhance", tmp_path / "a.wav", "-m", run, "-o", tmp_path / "out")
    options = ("--window", 3, "--context", 0.02, "--keep-high-band")
    done = cmkt(*given, *options, "--jobs", 2, "--device", "cpu", "--trust")
    assert done.exit_code == 0, done.stderr
    assert seen == {
        **{"window": 3.0, "context": 0.02, "keep_high_band": True},
        **{"dry_wet": 1.0, "jobs": 2, "device": "cpu"},
    }
    record = (tmp_path / "out" / FILENAME).read_text().splitlines()
    used = json.loads(record[0])
    assert used["window"] == 3.0 and len(used["model"]) == 64


def test_usage_errors_come_before_any_work(run, tmp_path, monkeypatch):
    noise(tmp_path / "in/a.wav")
    here = ("enhance", tmp_path / "in", "-m", run)
    for words, told in (
        (("enhance", "gone.wav", "-m", run, "-o", "x"), "gone.wav not found"),
        ((*here, "-o", tmp_path / "in"), "replaced by an output"),
        ((*here, "-o", tmp_path / "b.wav", "--resume"), "OUT is a file"),
        ((*here, "-o", "x", "--window", 0.1), "window 0.1 s"),
        ((*here[:2], "-m", tmp_path / "no", "-o", "x"), "no does not exist"),
        ((*here, "-o", "x", "--dry-wet", 2), "range 0<=x<=1"),
        (here, "Missing option '-o'"),
        ((*here, "-o", tmp_path / "in/a.wav/sub"), "a.wav/sub: not a dir"),
        ((*here, "-o", "/dev/null/x.wav"), "/dev/null: not a directory; a"),
        ((*here, "-o", "x.m4a"), "libsndfile writes no .m4a files"),
    ):
        done = cmkt(*words)
        assert done.exit_code == 2 and told in done.stderr, done.stderr
    # Root may write everywhere; nothing is made, so nothing is noticed later.
    monkeypatch.setattr("os.access", lambda *_: False)
    done = cmkt(*here, "-o", tmp_path / "out" / "deep")
    assert done.exit_code == 2, done.stderr
    assert done.stderr.startswith(f"Error: {tmp_path}: permission denied; name")
    assert sorted(content(tmp_path)) == ["in/a.wav"]
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_read_is_a_failure(run, tmp_path, monkeypatch):
    for name in ("a", "deep/b"):
        noise(tmp_path / f"in/{name}.wav", seconds=0.1)
    lock(monkeypatch, tmp_path / "in/deep")
    out = tmp_path / "out"
    done = cmkt("enhance", tmp_path / "in", "-o", out, "-m", run)
    assert done.exit_code == 1
    error, summary = done.stderr.splitlines()
    assert error.startswith(f"Error: {tmp_path}/in/deep: cannot be read (Perm")
    assert summary.startswith("1 file, ") and summary.endswith(", 1 failed")
    assert sorted(content(out)) == [FILENAME, "a.wav"]


def test_one_file_to_a_file_and_through_pipes(run, tmp_path):
    noise(tmp_path / "a.wav", 44100, 0.3, subtype="PCM_24")
    given = ("-m", run, "--device", "cpu")
    for name in ("b.wav", "b.flac"):
        done = cmkt(
            "enhance", tmp_path / "a.wav", "-o", tmp_path / name, *given
        )
        assert done.exit_code == 0, done.stderr
    flac = soundfile.info(tmp_path / "b.flac")
    assert (flac.format, flac.samplerate, flac.frames) == ("FLAC", 44100, 13230)
    noisy = (tmp_path / "a.wav").read_bytes()
    piped = cmkt("enhance", "-", "-o", "-", *given, input=noisy)
    assert piped.exit_code == 0, piped.stderr
    assert piped.stdout_bytes == (tmp_path / "b.wav").read_bytes()
    assert piped.stderr.startswith("1 file, 0:00 of audio")
    wrong = cmkt("enhance", "-", "-o", "-", *given, input=b"no audio")
    assert wrong.exit_code == 1 and not wrong.stdout_bytes
    error, _ = wrong.stderr.splitlines()
    assert error.startswith(
        "Error: standard input: not a readable audio file (Error opening "
        "'standard input': "
    )
    assert sorted(content(tmp_path)) == ["a.wav", "b.flac", "b.wav"]


def test_threads_of_torch_are_shared_out(run, tmp_path, monkeypatch):
    for i in range(4):
        noise(tmp_path / f"in/{i}.wav", seconds=0.05)
    model, seen = open_model(run, "cpu"), set()
    targets = {p: tmp_path / p.name for p in (tmp_path / "in").iterdir()}
    model.enhance_file = lambda *_: seen.add(torch.get_num_threads())
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(4)
        for jobs, each in ((2, 2), (8, 1), (1, 4)):
            seen.clear()
            enhance_files(model, targets, jobs)
            assert seen == {each} and torch.get_num_threads() == 4
            # A thread that begins later has as many as before, too.
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(torch.get_num_threads).result() == 4
    finally:
        torch.set_num_threads(before)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("stream", [Terminal(), io.StringIO()])
def test_progress_on_a_terminal_and_elsewhere(stream):
    with EnhancementProgress({"a": 30.0, "b": 90.0}, stream) as progress:
        progress.update(0, 1.0)  # too early to tell
        progress.started -= 10
        progress.told -= 31
        progress.update(0, 60.0)
        progress.told -= 0.2 if stream.isatty() else 31
        progress.update(1, 90.0)
    lines = [line for line in re.split(r"[\r\n]", stream.getvalue()) if line]
    told = [line for line in lines if "files" in line]
    assert len(told) == 2
    assert told[0].endswith("0/2 files, 6.0 x real time, 0:10 left")
    assert told[1].endswith("1/2 files, 9.0 x real time, 0:03 left")
    if stream.isatty():
        assert told[0].startswith(" 50% |") and not lines[-1].strip()
