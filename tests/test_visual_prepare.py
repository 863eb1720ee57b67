"""Preparing clips: what is written, left out, kept, and after a kill."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from tiny_videos import blank, face, tone, write_video

from cmkt_plugin.cli import main
from cmkt_plugin.visual.clip_processes import in_processes
from cmkt_plugin.visual.face_detector import Face
from cmkt_plugin.visual.prepare import count_faults, prepare_clips
from cmkt_plugin.visual.prepared_clip import read_lips, write_lips

SHARED = Path(__file__).parents[2] / "shared"


class Counting:
    """A detector that counts and finds the same face everywhere."""

    settings = {"kind": "counting"}

    def __init__(self):
        self.calls = 0

    def __call__(self, image):
        self.calls += 1
        return [Face(40, 28, 100, 100)]


def talk(path, seconds=0.8, heard=None, **options):
    frames = [face(n % 3 / 2) for n in range(round(25 * seconds))]
    sound = tone(heard or seconds)
    return write_video(path, frames, sound=sound, **options)


def left_over(folder):
    return [p.name for p in folder.iterdir() if p.name.startswith(".")]


def test_every_kind_of_bad_input_is_counted(tmp_path):
    talk(tmp_path / "good.mkv")
    write_video(tmp_path / "mute.mkv", [face()] * 10)
    write_video(tmp_path / "blind.mkv", sound=tone(0.4))
    write_video(tmp_path / "nobody.mkv", [blank()] * 10, sound=tone(0.4))
    talk(tmp_path / "long.mkv", heard=1.8)
    (tmp_path / "broken.mkv").write_bytes(b"x" * 1000)
    clips = {
        name: tmp_path / f"{name}.mkv"
        for name in "mute blind nobody good long broken gone".split()
    }
    facts = prepare_clips(clips, tmp_path / "out", jobs=1)
    assert {name: found["fault"] for name, found in facts.items()} == {
        "mute": "no sound",
        "blind": "no picture",
        "nobody": "no face",
        "good": "",
        "long": "different lengths",
        "broken": "corrupt file",
        "gone": "no file",
    }
    assert list(facts) == list(clips)
    assert sum(count_faults(facts).values()) == 6
    assert all(
        found["detail"] for name, found in facts.items() if name != "good"
    )
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"good.wav", "good.lips.npz", "lips.jsonl"}
    lines = (tmp_path / "out" / "lips.jsonl").read_text().split("\n")
    noted = [json.loads(line) for line in lines if line]
    assert {line["id"]: line["facts"] for line in noted} == facts


def test_a_bad_clip_takes_its_old_files_along(tmp_path):
    video = talk(tmp_path / "a.mkv")
    prepare_clips({"a": video}, tmp_path / "out", jobs=1)
    video.write_bytes(b"")
    prepare_clips({"a": video}, tmp_path / "out", jobs=1)
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["lips.jsonl"]


def test_lengths_within_the_tolerance_are_cut(tmp_path):
    video = talk(tmp_path / "a.mkv", seconds=0.8, heard=0.95)
    facts = prepare_clips({"a": video}, tmp_path / "out", jobs=1)["a"]
    assert facts["seconds"] == 0.8 and facts["sound_s"] == 0.95
    video = talk(tmp_path / "b.mkv", seconds=0.8, heard=0.65)
    facts = prepare_clips({"b": video}, tmp_path / "out", jobs=1)["b"]
    assert facts["seconds"] == 0.65 and facts["frames"] == 17


@pytest.mark.parametrize(
    ("sound_start", "first_frame", "late"),
    [(0.0, 0.0, 0.0), (0.11, 0.0, 0.0), (0.0, 0.13, 0.0), (0.0, 0.0, 0.07)],
)
def test_picture_and_sound_stay_in_step(
    tmp_path, sound_start, first_frame, late
):
    """The mouth opens at 0.52 s; the sound sets in then, or that much late."""
    images = [face(float(n >= 13)) for n in range(30)]
    times = [first_frame + n / 25 for n in range(30)]
    onset = first_frame + 0.52 + late - sound_start
    sound = np.where(np.arange(19200) < round(16000 * onset), 0.0, 0.5)
    video = write_video(
        *(tmp_path / "a.mkv", images, times),
        **{"sound": sound, "sound_start": sound_start},
    )
    prepare_clips(
        {"a": video}, tmp_path, jobs=1, offset=1000 * late, detector=Counting()
    )
    pixels, _ = read_lips(tmp_path / "a.lips.npz")
    samples, rate = soundfile.read(tmp_path / "a.wav")
    opened = np.abs(np.diff(pixels.astype(float), axis=0)).mean((1, 2))
    heard = np.flatnonzero(np.abs(samples) > 0.25)[0]
    assert rate == 16000
    assert heard / rate == pytest.approx((opened.argmax() + 1) / 25, abs=0.0011)


def test_what_an_offset_cuts_is_no_difference(tmp_path):
    video = talk(tmp_path / "a.mkv")
    options = {"jobs": 1, "tolerance": 0.02}
    facts = prepare_clips({"a": video}, tmp_path, offset=-80, **options)["a"]
    assert facts["fault"] == "" and facts["seconds"] == 0.72


def test_sound_from_a_file_of_its_own(tmp_path):
    video = write_video(tmp_path / "a.mkv", [face()] * 10)
    soundfile.write(tmp_path / "b.wav", tone(0.4, 8000), 8000)
    clips = {"a": [video, tmp_path / "b.wav"]}
    facts = prepare_clips(clips, tmp_path / "out", jobs=1)["a"]
    assert facts["fault"] == "" and facts["seconds"] == 0.4
    assert facts["audio"].endswith("b.wav")


def test_portrait_and_variable_frame_rate_are_handled_and_noted(tmp_path):
    upright = np.vstack([face(), face()[:36] * 0 + 90])  # 180 x 180
    lying = np.rot90(upright[:, 18:162])  # 144 x 180, to the left
    times = [0.0, 0.04, 0.06, 0.12, 0.16, 0.2, 0.22, 0.28, 0.32, 0.36]
    video = write_video(
        *(tmp_path / "a.mp4", 10 * [lying], times),
        **{"sound": tone(0.4), "turn": -90},
    )
    facts = prepare_clips({"a": video}, tmp_path / "out", jobs=1)["a"]
    assert facts["fault"] == "" and facts["frames_with_face"] == 10
    assert (facts["width"], facts["height"]) == (144, 180)
    assert facts["variable_frame_rate"]


def test_only_what_changed_is_prepared_again(tmp_path):
    clips = {name: talk(tmp_path / f"{name}.mkv", 0.4) for name in "ab"}
    detector, out = Counting(), tmp_path / "out"

    def calls(**options):
        before = detector.calls
        prepare_clips(clips, out, jobs=1, detector=detector, **options)
        return detector.calls - before

    assert calls() == 20
    assert calls() == 0
    (out / "a.wav").unlink()
    assert calls() == 10
    talk(clips["b"], 0.48)
    assert calls() == 12
    assert calls(offset=20) == 22
    detector.settings = {"kind": "another"}
    assert calls(offset=20) == 22


@pytest.mark.parametrize("name", ["../a", "a/b", ".a", ""])
def test_an_id_must_be_the_name_of_a_file(tmp_path, name):
    with pytest.raises(ValueError, match="cannot be the name of a file"):
        prepare_clips({name: tmp_path / "a.mkv"}, tmp_path)


KILLED = """
import os, signal, sys
from pathlib import Path
from cmkt_plugin.visual.prepare import prepare_clips
replace, folder = os.replace, Path(sys.argv[1])

def stop(source, target):
    if Path(target).name == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)

os.replace = stop
clips = {name: folder / f"{name}.mkv" for name in "ab"}
prepare_clips(clips, folder / "out", jobs=1)
"""


@pytest.mark.parametrize("file", ["b.lips.npz"])
def test_a_kill_leaves_nothing_half_written(tmp_path, file):
    clips = {name: talk(tmp_path / f"{name}.mkv", 0.4) for name in "ab"}
    command = [sys.executable, "-c", KILLED, str(tmp_path), file]
    killed = subprocess.run(command, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    out = tmp_path / "out"
    assert (out / "a.lips.npz").exists() and not (out / file).exists()
    assert left_over(out)
    before = (out / "a.lips.npz").stat().st_mtime_ns
    # A line that was torn:
    with open(out / "lips.jsonl", "a") as record:
        record.write('\n{"id": "b", "fac')
    facts = prepare_clips(clips, out, jobs=1)
    assert [found["fault"] for found in facts.values()] == ["", ""]
    assert (out / "a.lips.npz").stat().st_mtime_ns == before
    assert not left_over(out)
    assert len(read_lips(out / "b.lips.npz")[0]) == 10


def test_processes_give_what_one_gives(tmp_path):
    clips = {name: talk(tmp_path / f"{name}.mkv", 0.4) for name in "ab"}
    write_video(tmp_path / "mute.mkv", [face()])
    clips["mute"] = tmp_path / "mute.mkv"
    one = prepare_clips(clips, tmp_path / "one", jobs=1)
    two = prepare_clips(clips, tmp_path / "two", jobs=2)
    assert one == two
    for name in ("a.wav", "a.lips.npz", "b.lips.npz"):
        first, second = (tmp_path / n / name for n in ("one", "two"))
        assert first.read_bytes() == second.read_bytes()


def test_a_process_that_dies_is_told():
    dying = {f"import os; os._exit({status})": {} for status in (8, 9)}
    with pytest.raises(RuntimeError, match="A process died at import os"):
        list(in_processes(exec, dying, jobs=2))


def test_the_verb(tmp_path):
    corpus = tmp_path / "corpus"
    (corpus / "s1").mkdir(parents=True)
    talk(corpus / "s1" / "a.mkv")
    write_video(corpus / "s1" / "b.MKV", [face()] * 5)
    command = ["lips", str(corpus), "-o", str(tmp_path / "out"), "--jobs", "1"]
    command += ["--contact-sheet", str(tmp_path / "sheet.png")]
    done = CliRunner().invoke(main, [*command, "--offset", "40"])
    assert done.exit_code == 1
    assert "s1_a: 0.76 s, a face in 19 of 19 frames" in done.output
    assert "s1_b: left out: no sound" in done.output
    assert (tmp_path / "sheet.png").exists()
    assert (tmp_path / "out" / "s1_a.lips.npz").exists()
    done = CliRunner().invoke(main, [*command, "--offset", "soon"])
    assert done.exit_code == 1 and "expected by how many ms" in done.output


def test_two_videos_of_one_name(tmp_path):
    for name in ("a.mkv", "a.mp4"):
        (tmp_path / name).touch()
    command = ["lips", str(tmp_path), "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 1 and "would both be called a" in done.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("module", ["av", "cv2"])
def test_without_the_extra(tmp_path, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r"pip install 'cmkt_plugin\[av\]'"):
        prepare_clips({"a": tmp_path / "a.mkv"}, tmp_path, jobs=1)


def test_broken_prepared_files_are_named(tmp_path):
    path = tmp_path / "a.lips.npz"
    with pytest.raises(FileNotFoundError, match="a.lips.npz .*cmkt lips"):
        read_lips(path)
    write_lips(path, np.zeros((20, 96, 96), np.uint8), np.ones(20))
    content = path.read_bytes()
    for broken in (b"", content[: len(content) // 2], b"text" * 100):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match="a.lips.npz is no file of prep"):
            read_lips(path)
    for pixels, present in (
        (np.zeros((20, 88, 88), np.uint8), np.ones(20)),
        (np.zeros((20, 96, 96)), np.ones(20)),
        (np.zeros((20, 96, 96), np.uint8), np.ones(19)),
    ):
        with pytest.raises(ValueError, match="expected"):
            write_lips(path, pixels, present)


def test_real_faces(tmp_path):
    """A real talker: a face in every frame, sound and picture in step."""
    videos = sorted(SHARED.glob("corpora/grid/*.mpg"))
    if not videos:
        pytest.skip(f"no videos here: {SHARED}/corpora/grid/*.mpg")
    facts = prepare_clips(
        {video.stem: video for video in videos[:2]},
        tmp_path,
        jobs=1,
        offset="auto",
    )
    for found in facts.values():
        assert found["fault"] == ""
        assert found["frames_with_face"] == found["frames"] == 75
        assert found["offset_ms"] == 0 and found["correlation"] > 0.5
