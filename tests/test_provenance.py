"""What is recorded about where a result comes from."""

import subprocess

import pytest

from cmkt_plugin.provenance import command, commit


def git(folder, *arguments):
    name = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", "-C", folder, *name, *arguments], check=True)


def test_commit(tmp_path):
    assert commit(tmp_path) is None
    (tmp_path / "package").mkdir()
    file = tmp_path / "package" / "code.py"
    file.write_text("1")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "package")
    git(tmp_path, "commit", "-q", "-m", "one")
    clean = commit(tmp_path / "package")
    assert len(clean) == 40
    file.write_text("2")
    assert commit(tmp_path / "package") == f"{clean}-dirty"
    # Installed into an environment inside somebody's checkout.
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "code.py").write_text("1")
    assert commit(tmp_path / ".venv") is None


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["/a/b/train.py", "h/x.yaml"], "python train.py h/x.yaml"),
        (["cmkt", "--d", "/a/b c/voice"], "cmkt --d voice"),
        (["cmkt", "--d=/a/b c/voice/"], "cmkt --d=voice"),
        (["cmkt", "{a: /x/y, b: [/x/z]}"], "cmkt '{a: y, b: [z]}'"),
        (
            ["cmkt", "!new:a.B", "1/2", "s3://c/d"],
            "cmkt '!new:a.B' 1/2 s3://c/d",
        ),
    ],
)
def test_command_without_machine_paths(arguments, shown):
    assert command(arguments) == shown
