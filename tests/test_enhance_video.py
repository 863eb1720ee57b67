"""``cmkt enhance-video``: files of every kind, options, what is refused."""

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from shaded_videos import packets, tone, write_video
from test_export import make_run

from cmkt_plugin.cli import main
from cmkt_plugin.enhancing.record import FILENAME
from cmkt_plugin.visual.inference import AudioVisualEnhancement
from cmkt_plugin.visual.video_files import plan_videos

LEVELS = np.arange(60, 110, 2)  # 25 pictures, 1 s


def cmkt(*words):
    words = [str(word) for word in words]
    return CliRunner().invoke(main, ["enhance-video", *words])


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for name in ("audio_visual", "sgmse"):
        make_run(folder / name, name)
    return folder


@pytest.fixture
def clips(tmp_path):
    """Two videos, one of them deep; a sound; four that are of no use."""
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    write_video(folder / "a.mkv", LEVELS, tone(1.0, channels=2))
    write_video(
        folder / "deep" / "b.mp4", LEVELS, tone(1.0), codecs=("mpeg4", "aac")
    )
    soundfile.write(folder / "c.flac", tone(0.2), 16000)
    write_video(folder / "silent.mkv", LEVELS)
    (folder / "broken.mov").write_bytes(b"no video" * 99)
    (folder / "notes.txt").write_text("no video either")
    return folder


def files(folder):
    found = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix() for p in found} - {FILENAME}


def test_a_folder_with_bad_files(runs, clips, tmp_path):
    out = tmp_path / "out"
    given = (clips, "-o", out, "-m", runs / "audio_visual", "--device", "cpu")
    done = cmkt(*given, "--jobs", 2)
    assert done.exit_code == 1 and not done.stdout
    *errors, summary = done.stderr.splitlines()[-3:]
    assert f"Error: {clips / 'broken.mov'}: corrupt file: FFm" in errors[0]
    assert f"Error: {clips / 'silent.mkv'}: no sound: expect" in errors[1]
    assert summary.startswith("3 files, 0:02 of audio in ")
    assert summary.endswith(", 2 failed")
    assert files(out) == {"a.wav", "deep/b.wav", "c.wav"}
    sound = soundfile.info(out / "a.wav")
    assert (sound.channels, sound.frames) == (2, 16000)
    again = cmkt(*given, "--resume")
    assert again.exit_code == 1
    assert again.stderr.startswith("3 of 5 are done\n")


def test_videos_keep_their_picture(runs, clips, tmp_path):
    out = tmp_path / "out"
    model = ("-m", runs / "audio_visual", "--device", "cpu", "--mux")
    done = cmkt(clips / "a.mkv", clips / "deep", *model, "-o", out)
    assert done.exit_code == 0, done.stderr
    assert files(out) == {"a.mkv", "b.mp4"}
    assert packets(out / "a.mkv") == packets(clips / "a.mkv")
    assert packets(out / "b.mp4") == packets(clips / "deep" / "b.mp4")


def test_one_video_and_the_options_of_a_sampler(runs, clips, tmp_path):
    run = runs / "sgmse"
    given = (clips / "c.flac", "-m", run, "--device", "cpu")
    outs = [tmp_path / f"{n}.wav" for n in range(2)]
    for out, seed in zip(outs, (1, 2)):
        done = cmkt(*given, "-o", out, "--seed", seed, "--steps", 3)
        assert done.exit_code == 0, done.stderr
    one, other = (soundfile.read(out)[0] for out in outs)
    model = AudioVisualEnhancement.open(run, "cpu")
    model.steps = 3
    noisy, _ = soundfile.read(clips / "c.flac", dtype="float32")
    expected = model.enhance_pair(noisy, 16000, seed=1)
    assert np.abs(one - other).max() > 1e-3
    assert np.abs(one - expected.clip(-1, 1)).max() < 1e-4


def test_options_that_the_model_does_not_take(runs, clips, tmp_path):
    given = (clips / "a.mkv", "-m", runs / "audio_visual", "--device", "cpu")
    for option in ("--seed", "--steps"):
        done = cmkt(*given, "-o", tmp_path / "a.wav", option, 1)
        assert done.exit_code == 2
        assert "a PredictiveEnhancer draws no samples" in done.stderr
    assert not (tmp_path / "a.wav").exists()


@pytest.mark.parametrize(
    "inputs, output, mux, told",
    [
        (["a.mkv", "deep"], "out.wav", False, "but there are 2 videos"),
        (["a.mkv"], "out.m4a", False, "no .m4a files are written"),
        (["a.mkv"], "out.wav", True, "out.wav is no video: leave out --mux"),
        (["a.mkv"], "in/a.mkv", False, "would be replaced by an output"),
        (["a.mkv"], "in/notes.txt", False, "is a file whose suffix asks"),
        (["none.mkv"], "out", False, "none.mkv not found: expected a video"),
    ],
)
def test_what_cannot_be_planned(clips, tmp_path, inputs, output, mux, told):
    given = [clips / name for name in inputs]
    with pytest.raises((ValueError, FileNotFoundError), match=told):
        plan_videos(given, tmp_path / output, mux)


def test_sounds_that_would_have_one_name(clips, tmp_path):
    (clips / "a.mp4").touch()
    with pytest.raises(ValueError, match="would both become .*a.wav"):
        plan_videos([clips], tmp_path / "out")
    targets = plan_videos([clips], tmp_path / "out", mux=True).targets
    assert targets[clips / "a.mp4"] == tmp_path / "out" / "a.mp4"
