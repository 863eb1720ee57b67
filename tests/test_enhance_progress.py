"""``cmkt enhance``: what is told of the work is what is done."""

import time
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from recordings_of_all_kinds import noise
from test_export import make_run

from cmkt_plugin.cli import main
from cmkt_plugin.enhancing import enhance
from cmkt_plugin.enhancing.enhance import enhance_files
from cmkt_plugin.enhancing.progress import EnhancementProgress
from cmkt_plugin.loading.model_source import open_model
from cmkt_plugin.overlap_add import OverlapAdd


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "run"
    make_run(folder, "cnn_transformer")
    return folder


@pytest.fixture
def seen(monkeypatch):
    """What ``update`` is told, as (files, seconds)."""
    told, update = [], EnhancementProgress.update

    def spy(self, files, seconds):
        told.append((files, seconds))
        update(self, files, seconds)

    monkeypatch.setattr(EnhancementProgress, "update", spy)
    monkeypatch.setattr(enhance, "TICK", 0.001)
    return told


def test_progress_follows_the_windows(run, tmp_path, seen):
    noise(tmp_path / "in/a.wav", 16000, 20.0, channels=2)
    model, levels = open_model(run, "cpu"), []
    model.windows = OverlapAdd(window=3.0, context=0.4, fade=0.1, batch=4)

    def wait_until_it_is_told(*arguments):
        number, deadline = len(seen), time.monotonic() + 5
        while len(seen) < number + 2 and time.monotonic() < deadline:
            time.sleep(0.001)
        levels.append(seen[-1][1])

    model.enhancer.register_forward_pre_hook(wait_until_it_is_told)
    targets = {tmp_path / "in/a.wav": tmp_path / "a.wav"}
    assert not enhance_files(model, targets, jobs=1).failed
    seconds = [told for _, told in seen]
    assert seconds == sorted(seconds)
    assert seen[-1] == (1, pytest.approx(20.0))
    assert len(levels) >= 4
    # A batch of windows counts while it is at work or once it is done.
    begun = np.arange(len(levels))
    batches = np.array(levels) / 20.0 * len(levels)
    assert np.all(batches > 0.9 * begun) and np.all(batches < 1.2 * begun + 1.2)


def test_failed_audio_is_not_counted(run, tmp_path, seen, monkeypatch):
    for name, seconds in (("good", 1.0), ("bad", 3.0)):
        noise(tmp_path / f"in/{name}.wav", 8000, seconds)
    wave, rate = soundfile.read(tmp_path / "in/bad.wav")
    wave[-1] = np.nan
    soundfile.write(tmp_path / "in/bad.wav", wave, rate, "FLOAT")
    left_out, leave_out = [], EnhancementProgress.leave_out

    def spy(self, seconds):
        leave_out(self, seconds)
        left_out.append((seconds, self.total))

    monkeypatch.setattr(EnhancementProgress, "leave_out", spy)
    sources = [tmp_path / "in/good.wav", tmp_path / "in/bad.wav"]
    targets = {source: tmp_path / source.name for source in sources}
    outcome = enhance_files(open_model(run, "cpu"), targets, jobs=1)
    assert list(outcome.failed) == sources[1:]
    assert seen[-1] == (2, pytest.approx(1.0))
    assert left_out == [(3.0, 1.0)]  # of 4 s, 1 s was to be waited for


def test_the_summary_counts_what_was_enhanced(run, tmp_path, monkeypatch):
    # Two looks at the clock: 100 s when it begins, 102 s at its end.
    clock = SimpleNamespace(monotonic=iter((100.0, 102.0)).__next__)
    for name, seconds in (("a", 1.0), ("b", 2.5), ("c", 0.5), ("bad", 9.0)):
        noise(tmp_path / f"in/{name}.wav", 8000, seconds)
    whole = (tmp_path / "in/bad.wav").read_bytes()
    (tmp_path / "in/bad.wav").write_bytes(whole[:9999])
    monkeypatch.setattr(enhance, "time", clock)
    words = ("enhance", tmp_path / "in", "-o", tmp_path / "out", "-m", run)
    done = CliRunner().invoke(main, [*map(str, words), "--device", "cpu"])
    told = "3 files, 0:04 of audio in 0:02 (2.0 x real time), 1 failed"
    assert done.stderr.splitlines()[1:] == [told]
