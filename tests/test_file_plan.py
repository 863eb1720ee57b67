"""Which recording becomes which file."""

import io
from pathlib import Path

import pytest
from locked_folder import lock

from cmkt_plugin.enhancing.file_plan import plan_files
from cmkt_plugin.enhancing.standard_streams import plan_with_streams
from cmkt_plugin.file_tree import walk_files


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with recordings of any suffix below it."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "in/a.wav",
        "in/deep/b.FLAC",
        "in/deep/er/c.ogg",
        "in/notes.txt",
        "in/.hidden.wav",
        "in/.cache/d.wav",
        "other/a.wav",
        "take[1].wav",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def planned(inputs, output="out"):
    pairs = plan_files(inputs, output).targets.items()
    return {s.as_posix(): t.as_posix() for s, t in pairs}


TREE = {
    "in/a.wav": "out/a.wav",
    "in/deep/b.FLAC": "out/deep/b.FLAC",
    "in/deep/er/c.ogg": "out/deep/er/c.ogg",
}


@pytest.mark.parametrize(
    "given", [["in"], ["in/**"], ["in/**/*.*"], ["in", "in/*", "in/a.wav"]]
)
def test_the_tree_below_a_folder_is_kept(folder, given):
    assert planned(given) == TREE


def test_a_folder_without_recordings_is_refused(folder):
    (folder / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="no recording in the folder"):
        planned(["in", "empty"])


@pytest.mark.parametrize("given", ["in", "in/**", "*/**/*.ogg", "in/d*/*"])
def test_a_folder_that_cannot_be_read_is_named(folder, monkeypatch, given):
    lock(monkeypatch, folder / "in/deep/er")
    (folder / "in/deep/sound.ogg").touch()
    plan = plan_files([given], "out")
    reason = "cannot be read (Permission denied)"
    assert plan.unreadable == {Path("in/deep/er"): reason}
    assert Path("in/deep/sound.ogg") in plan.targets


def test_nobody_misses_files_without_a_word(folder, monkeypatch):
    lock(monkeypatch, folder / "in/deep")
    with pytest.raises(PermissionError):
        list(walk_files(folder / "in"))


@pytest.mark.parametrize("given", ["in/deep/er", "in/deep/er/*"])
def test_nothing_found_for_it_cannot_be_read(folder, monkeypatch, given):
    lock(monkeypatch, folder / "in/deep/er")
    with pytest.raises(FileNotFoundError, match="no .*er cannot be read"):
        plan_files([given], "out")


def test_a_folder_outside_a_pattern_need_not_be_readable(folder, monkeypatch):
    lock(monkeypatch, folder / "in/deep/er")
    plan = plan_files(["in/*.wav", "in/de*/*.FLAC", "*/a.wav"], "out/deep")
    assert not plan.unreadable


def test_patterns_match_files_and_folders(folder):
    assert planned(["in/**/*.ogg"]) == {"in/deep/er/c.ogg": "out/deep/er/c.ogg"}
    assert planned(["in/d*"]) == {k: TREE[k] for k in TREE if "deep" in k}
    assert planned([f"{folder}/*/a.wav"]) == {
        f"{folder}/in/a.wav": "out/in/a.wav",
        f"{folder}/other/a.wav": "out/other/a.wav",
    }
    for nothing in ("in/*.mp3", "in/*.txt", "gone/**"):
        with pytest.raises(FileNotFoundError) as error:
            planned(["in", nothing])
        assert f"pattern {nothing} matches no" in str(error.value)


def test_a_file_may_have_brackets_in_its_name(folder):
    assert planned(["take[1].wav"]) == {"take[1].wav": "out/take[1].wav"}
    # And as a pattern where there is no such file.
    (folder / "take1.wav").touch()
    (folder / "take[1].wav").unlink()
    assert planned(["take[1].wav"]) == {"take1.wav": "out/take1.wav"}


def test_a_file_that_is_named_needs_no_suffix(folder):
    assert planned(["in/notes.txt"]) == {"in/notes.txt": "out/notes.txt"}
    with pytest.raises(FileNotFoundError, match="gone.wav not found"):
        planned(["in", "gone.wav"])


def test_outputs_inside_the_input_folder_are_no_inputs(folder):
    output = folder / "in/enhanced/deep/b.FLAC"
    output.parent.mkdir(parents=True)
    output.touch()
    expected = {s: t.replace("out", "in/enhanced") for s, t in TREE.items()}
    assert planned(["in"], "in/enhanced") == expected
    assert planned(["in/**"], "in/enhanced") == expected
    assert len(planned(["in"], "in/enhance")) == 4


def test_links_are_followed_but_not_in_a_circle(folder):
    (folder / "in/linked").symlink_to(folder / "other")
    (folder / "in/deep/circle").symlink_to(folder / "in")
    (folder / "in/nowhere.wav").symlink_to(folder / "gone.wav")
    assert planned(["in"]) == {
        **TREE,
        "in/linked/a.wav": "out/linked/a.wav",
        "in/nowhere.wav": "out/nowhere.wav",  # reported when its turn comes
    }


def test_one_recording_may_become_a_file(folder):
    for given in (["in/a.wav"], ["in/a.wav", "in/a.wav"], ["in/*.wav"]):
        assert planned(given, "x.flac") == {"in/a.wav": "x.flac"}
    (folder / "folder.wav").mkdir()
    assert planned(["in/a.wav"], "folder.wav") == {
        "in/a.wav": "folder.wav/a.wav"
    }
    assert planned(["in/a.wav"], "x.wav/") == {"in/a.wav": "x.wav/a.wav"}
    with pytest.raises(ValueError, match="x.wav names a file, .* 3 recordings"):
        planned(["in"], "x.wav")
    with pytest.raises(ValueError, match="notes.txt is a file"):
        planned(["in"], "in/notes.txt")


@pytest.mark.parametrize(
    "name", ["x.m4a", "x.MP4", "x.txt", "d/x.3gp", "x.sph"]
)
def test_a_file_of_no_known_format_is_no_folder(folder, name):
    with pytest.raises(ValueError, match="writes no .* for a folder"):
        planned(["in/a.wav"], name)
    assert planned(["in/a.wav"], f"{name}/") == {"in/a.wav": f"{name}/a.wav"}
    (folder / name).mkdir(parents=True)
    assert planned(["in/a.wav"], name) == {"in/a.wav": f"{name}/a.wav"}


@pytest.mark.parametrize("name", ["v1.0", "enhanced.2", "x.enhanced", "a.d/x"])
def test_folders_may_have_dots(folder, name):
    assert planned(["in/a.wav"], name) == {"in/a.wav": f"{name}/a.wav"}


def test_nothing_replaces_an_input_or_another_output(folder):
    with pytest.raises(ValueError, match="in/a.wav and other/a.wav would both"):
        planned(["in", "other"])
    # By another name of the same folder, too.
    (folder / "alias").symlink_to(folder / "in")
    for output in ("in", "alias", folder / "other/../in"):
        with pytest.raises(ValueError, match="replaced by an output"):
            planned(["in"], output)
    assert planned(["in/a.wav"], "other") == {"in/a.wav": "other/a.wav"}


class Stream(io.BytesIO):
    def __init__(self, content=b"", terminal=False):
        super().__init__(content)
        self.isatty = lambda: terminal


@pytest.fixture
def streams(monkeypatch):
    found = {"stdin": Stream(b"noisy"), "stdout": Stream()}
    monkeypatch.setattr("click.get_binary_stream", found.get)
    return found


def test_standard_streams_pass_through_files(folder, streams):
    with plan_with_streams(["-"], "-") as (targets, _):
        ((source, target),) = targets.items()
        assert source.read_bytes() == b"noisy"
        target.write_bytes(b"enhanced")
        assert not streams["stdout"].getvalue()
    assert streams["stdout"].getvalue() == b"enhanced"
    assert not source.exists() and not target.exists()
    with plan_with_streams(["-"], "x.wav") as (targets, _):
        assert list(targets.values()) == [Path("x.wav")]
    with plan_with_streams(["in/a.wav"], "-") as (targets, _):
        assert list(targets) == [Path("in/a.wav")]  # and nothing comes of it
    assert streams["stdout"].getvalue() == b"enhanced"


@pytest.mark.parametrize(
    "inputs, output, reason",
    [
        (["-", "in/a.wav"], "-", "found 1 more inputs"),
        (["-"], "out", "has no name: expected -o FILE"),
        (["in"], "-", "takes one recording, found 3"),
    ],
)
def test_streams_are_one_recording(folder, streams, inputs, output, reason):
    with pytest.raises(ValueError, match=reason):
        with plan_with_streams(inputs, output):
            raise AssertionError("planned")


def test_terminals_are_no_recordings(folder, streams):
    streams["stdin"] = Stream(terminal=True)
    with pytest.raises(ValueError, match="pipe a recording"):
        plan_with_streams(["-"], "x.wav").__enter__()
    streams["stdout"] = Stream(terminal=True)
    with pytest.raises(ValueError, match="redirect it"):
        plan_with_streams(["in/a.wav"], "-").__enter__()
