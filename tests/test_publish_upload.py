"""Tests of the upload: the real client, a small hub on this machine."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from click.testing import CliRunner
from finished_run import finished_run
from hub_server import HubServer
from toy_backbones import speech

from cmkt_plugin.cli import main
from cmkt_plugin.loading.model_source import open_model
from cmkt_plugin.publish import hub_upload
from cmkt_plugin.publish.hub_upload import check_names, upload
from cmkt_plugin.publish.upload_errors import explained

OWNER, READER, OTHER = "hf_ownerownerowner", "readerreader", "otherother"
USERS = {OWNER: "someone", READER: "someone", OTHER: "other"}
REPO = "someone/toy"

# Both run with HF_ENDPOINT set before the client is imported, as a user has
# it. The first one publishes, where the user's own module is.
PUBLISH = """
import torch
from cmkt_plugin.cli import main
from cmkt_plugin.loading.model_source import open_model

publish = ["publish", "run", "--repo", "someone/toy"]
main([*publish, "--revision", "v1.0"], standalone_mode=False)
main(["publish", "own", "--repo", "someone/own"], standalone_mode=False)
own = open_model("own", "cpu", trust=True)
torch.save(own.enhance_batch(torch.load("noisy.pt")), "own.pt")
"""
# The second one loads what is on the hub, in every way that the card names.
LOAD = """
import torch
from cmkt_plugin.cli import main
from cmkt_plugin.inference import CMKTEnhancement
from speechbrain.inference.enhancement import SpectralMaskEnhancement
from speechbrain.inference.interfaces import foreign_class

main(
    ["enhance", "-m", "someone/toy", "noisy.wav", "-o", "enhanced.wav"],
    standalone_mode=False,
)
noisy = torch.load("noisy.pt")
stock = SpectralMaskEnhancement.from_hparams("someone/toy", savedir="stock")
safe = CMKTEnhancement.from_safe("someone/toy", revision="v1.0")
own = foreign_class(
    source="someone/own", pymodule_file="custom.py", classname="CMKTEnhancement"
)
assert type(own.enhancer.net).__module__ == "custom"
torch.save(
    [
        safe.enhance_batch(noisy),
        stock.enhance_batch(noisy, lengths=torch.ones(len(noisy))),
        own.enhance_batch(noisy),
    ],
    "enhanced.pt",
)
# SpeechBrain itself sends no token: from now on it could not load it.
private = ["publish", "../run", "--repo", "someone/toy", "--private"]
main(private, standalone_mode=False)
"""
# The same network, but that it is the user's class and half as loud.
OWN = """
from speechbrain.nnet.containers import LengthsCapableSequential


class Net(LengthsCapableSequential):
    def forward(self, *given, **more):
        return 0.5 * super().forward(*given, **more)
"""


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A hub that this process' client talks to, as its owner."""
    from huggingface_hub import constants
    from huggingface_hub.utils import _http

    with HubServer(USERS) as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
        monkeypatch.setattr(_http.time, "sleep", lambda seconds: None)
        monkeypatch.setenv("HF_TOKEN", OWNER)
        yield server


@pytest.fixture
def folder(tmp_path):
    """A folder to upload, as far as the upload is concerned."""
    folder = tmp_path / "hub"
    folder.mkdir()
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# Toy\n")
    (folder / "net.ckpt").write_bytes(b"weights")
    (folder / "custom.py").write_text("x = 1\n")
    return folder


def contents(hub, revision="main"):
    """What a revision of the repository holds, by name."""
    files = hub.repos[REPO].find(revision)[1].items()
    return {name: content for name, content in files if name[0] != "."}


def run_script(script, folder, hub):
    """Runs a script as the owner of the hub; its output."""
    environment = {
        **os.environ,
        "HF_ENDPOINT": hub.url,
        "HF_TOKEN": OWNER,
        "HF_HOME": str(folder / "home"),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert OWNER not in done.stdout


def test_round_trip_through_the_real_client(tmp_path):
    for name in ("run", "own"):
        finished_run(tmp_path / name)
    use_own_class(tmp_path / "own", tmp_path / "my_net.py")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    noisy = 0.3 * speech(2, 9001)
    for folder in (tmp_path, elsewhere):
        torch.save(noisy, folder / "noisy.pt")
    soundfile.write(elsewhere / "noisy.wav", noisy[0].numpy(), 16000, "FLOAT")
    with HubServer(USERS) as hub:
        run_script(PUBLISH, tmp_path, hub)
        run_script(LOAD, elsewhere, hub)
    expected = open_model(tmp_path / "run", "cpu").enhance_batch(noisy)
    *same, own = torch.load(elsewhere / "enhanced.pt")
    for enhanced in same:
        assert torch.allclose(enhanced, expected, atol=1e-5)
    assert torch.allclose(own, torch.load(tmp_path / "own.pt"), atol=1e-5)
    assert not torch.allclose(own, expected, atol=1e-3)
    file, _ = soundfile.read(elsewhere / "enhanced.wav", dtype="float32")
    assert np.abs(file - expected[0].numpy()).max() < 1e-5
    repo = hub.repos[REPO]
    assert repo.private
    # The hub's first one and ours: the second time nothing was new.
    assert len(repo.commits) == 2
    assert repo.tags == {"v1.0": repo.head}
    made = {p.name: p.read_bytes() for p in (tmp_path / "run/hub").iterdir()}
    assert contents(hub) == made


def use_own_class(run, module):
    """Puts a class of a module of the user's in place of the run's network."""
    path = run / "hyperparams.yaml"
    text = path.read_text()
    base = "speechbrain.nnet.containers.LengthsCapableSequential"
    assert base in text
    path.write_text(text.replace(base, "my_net.Net"))
    module.write_text(OWN)


def test_created_then_updated_in_place_one_commit_each(hub, folder):
    address = upload(folder, REPO, tag="v1")
    repo = hub.repos[REPO]
    assert not repo.private
    assert address == f"{hub.url}/{REPO}/commit/{repo.head}"
    assert repo.messages == ["initial commit", "Publish toy"]
    # What others put there stays; what we made and make no more goes.
    notes = {"NOTES.md": b"by hand"}
    repo.add({**repo.find("main")[1], **notes}, "notes")
    (folder / "custom.py").unlink()
    (folder / "net.ckpt").write_bytes(b"better weights")
    upload(folder, REPO, tag="v2", message="Longer training")
    card = (folder / "README.md").read_bytes()
    new = {"README.md": card, "net.ckpt": b"better weights", **notes}
    assert contents(hub) == new
    assert contents(hub, "v2") == new
    assert contents(hub, "v1")["net.ckpt"] == b"weights"
    assert repo.messages[-1] == "Longer training"
    assert len(repo.messages) == 4


def test_nothing_new_is_no_commit(hub, folder):
    upload(folder, REPO)
    upload(folder, REPO, tag="v1")
    repo = hub.repos[REPO]
    assert len(repo.commits) == 2
    assert repo.tags["v1"] == repo.head


def test_private_from_the_first_moment_and_later(hub, folder):
    upload(folder, "someone/secret", private=True)
    assert hub.repos["someone/secret"].private
    assert not any("settings" in line for line in hub.requests)
    upload(folder, REPO)
    assert not hub.repos[REPO].private
    del hub.requests[:]
    upload(folder, REPO, private=True)
    assert hub.repos[REPO].private
    order = [line.split("/")[-1] for line in hub.requests]
    assert "settings" in order
    upload(folder, REPO)  # what is private is not opened by leaving it out
    assert hub.repos[REPO].private


@pytest.mark.parametrize(
    ("token", "repo", "said"),
    [
        (None, REPO, "no token was found: hf auth login.*HF_TOKEN"),
        ("hf_wrongwrongwrong", REPO, "the token is not accepted"),
        (OTHER, REPO, "other may not write to someone/toy.*--repo other/toy"),
        (READER, REPO, "someone may not write.*the token may not write"),
        ("hf_with space", REPO, "the token .* has a character"),
        ("hf_secr\u00e9t", REPO, "the token .* has a character"),
    ],
    ids=["none", "wrong", "other", "reader", "space", "accent"],
)
def test_who_may_not(hub, folder, monkeypatch, token, repo, said):
    monkeypatch.delenv("HF_TOKEN")
    if token is not None:
        monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(ValueError, match=said) as caught:
        upload(folder, repo)
    text = str(caught.value)
    assert f"the folder is complete: {folder}" in text
    assert "Nothing was published" in text
    assert token is None or token not in text
    assert repo not in hub.repos


def test_somebody_elses_repository_is_not_touched(hub, folder, monkeypatch):
    upload(folder, REPO)
    before = dict(hub.repos[REPO].commits)
    (folder / "net.ckpt").write_bytes(b"other")
    for token in (OTHER, READER):
        monkeypatch.setenv("HF_TOKEN", token)
        with pytest.raises(ValueError, match="may not write"):
            upload(folder, REPO)
    assert hub.repos[REPO].commits == before


@pytest.mark.parametrize(
    ("method", "where", "status", "said"),
    [
        ("GET", "whoami", 500, "the hub failed"),
        ("POST", "repos/create", 503, "the hub failed"),
        ("POST", "preupload", 500, "the hub failed"),
        ("POST", "preupload", 429, "too many requests"),
        ("PUT", "/lfs/", 500, "the hub failed"),
        ("PUT", "/lfs/", 413, "too large.*--dry-run"),
        ("POST", "objects/batch", 413, "too large"),
        ("POST", "/commit/", 500, "the hub failed.*again later"),
        ("POST", "/commit/", 409, "refuses"),
        ("POST", "validate-yaml", 400, "README.md"),
    ],
)
def test_a_failure_publishes_nothing(hub, folder, method, where, status, said):
    hub.faults.append((method, where, status, "some reason"))
    with pytest.raises(ValueError, match=said) as caught:
        upload(folder, REPO, tag="v1")
    text = str(caught.value)
    repo = hub.repos.get(REPO)
    done = "Nothing was published"
    if repo:
        done = f"The repository {REPO} was created, it is empty"
    assert "\n" not in text and f". {done}; the folder is" in text
    assert str(folder) in text
    assert repo is None or (repo.messages == ["initial commit"])
    assert repo is None or not repo.tags
    # The way out: the same call again. What is there is not called empty.
    with pytest.raises(ValueError, match=said) as caught:
        upload(folder, REPO, tag="v1")
    assert not repo or ". Nothing was published; " in str(caught.value)
    hub.faults.clear()
    upload(folder, REPO, tag="v1")
    assert contents(hub, "v1")["net.ckpt"] == b"weights"


def test_a_server_that_is_gone(hub, folder):
    hub.__exit__()
    with pytest.raises(ValueError, match="cannot be reached.*HF_ENDPOINT"):
        upload(folder, REPO)


def test_offline_is_said(hub, folder, monkeypatch):
    from huggingface_hub.utils import _http

    monkeypatch.setattr(_http.constants, "is_offline_mode", lambda: True)
    with pytest.raises(ValueError, match="unset it to publish"):
        upload(folder, REPO)


def test_a_tag_is_not_moved(hub, folder):
    upload(folder, REPO, tag="v1")
    commits = list(hub.repos[REPO].commits)
    (folder / "net.ckpt").write_bytes(b"other")
    with pytest.raises(ValueError, match="has the tag v1 already.*Nothing"):
        upload(folder, REPO, tag="v1")
    assert list(hub.repos[REPO].commits) == commits


def test_the_tag_is_of_our_commit_though_another_follows(hub, folder):
    commit = hub.commit

    def crowded(*arguments, repo, rev):
        answer = commit(*arguments, repo=repo, rev=rev)
        repo.add({"theirs.txt": b"at the same time"}, "another's")
        return answer

    hub.commit = crowded
    upload(folder, REPO, tag="v1")
    assert contents(hub).keys() == {"theirs.txt"}
    assert contents(hub, "v1")["net.ckpt"] == b"weights"


@pytest.mark.parametrize("quoted", ["Bearer abcdef", "hf_abcdef", "mysecret"])
def test_no_error_quotes_a_token(folder, monkeypatch, quoted):
    monkeypatch.setenv("HF_TOKEN", "mysecret")
    with pytest.raises(ValueError) as caught:
        with explained(folder, REPO):
            raise OSError(f"Illegal header value {quoted}")
    assert quoted not in str(caught.value)
    assert "Illegal header value (token)" in str(caught.value)
    assert caught.value.__cause__ is None  # it is not printed either


def test_a_tag_that_fails_leaves_the_files_published(hub, folder):
    hub.faults.append(("POST", "/tag/", 500, "some reason"))
    with pytest.raises(ValueError, match="The files are published.*the tag"):
        upload(folder, REPO, tag="v1")
    assert contents(hub)["net.ckpt"] == b"weights"


def test_a_file_beyond_the_limit_is_named(hub, folder, monkeypatch):
    monkeypatch.setattr(hub_upload, "LARGEST", 6)
    (folder / "README.md").write_text("a")
    with pytest.raises(ValueError, match="net.ckpt has 7 bytes.*takes.*6 at"):
        upload(folder, REPO)
    assert not hub.requests


@pytest.mark.parametrize(
    "name", ["toy", "a/b/c", "a b/c", "a/", "/b", "a/b--c", "a/b.git", "ä/b"]
)
def test_names_that_the_hub_does_not_have_are_refused(name):
    with pytest.raises(ValueError, match="--repo is "):
        check_names(name)


@pytest.mark.parametrize("tag", ["main", "v 1", "-v", "a..b", "v/1", "x.lock"])
def test_tags_that_are_none_are_refused(tag):
    with pytest.raises(ValueError, match="--revision is "):
        check_names(REPO, tag)


def cmkt(*words):
    """The command with its words; all options that are not of interest."""
    return CliRunner().invoke(main, ["publish", *map(str, words)])


def test_a_dry_run_lists_the_files_and_asks_nothing(hub, tmp_path):
    finished_run(tmp_path / "run")
    done = cmkt(tmp_path / "run", "--repo", REPO, "--dry-run", "--no-example")
    assert done.exit_code == 0, done.output
    assert hub.requests == []
    for path in (tmp_path / "run" / "hub").iterdir():
        size = f"{path.stat().st_size:,}"
        assert f"{size}  {path.name}" in done.output
    assert "Dry run" in done.output


def test_a_wrong_name_is_refused_before_any_work(hub, tmp_path):
    finished_run(tmp_path / "run")
    done = cmkt(tmp_path / "run", "--repo", "toy")
    assert done.exit_code == 1
    assert "Error: --repo is 'toy', expected user/name" in done.output
    assert not (tmp_path / "run" / "hub").exists()
    assert hub.requests == []


@pytest.mark.parametrize(
    ("option", "value"),
    [("--licence", "MIT licence"), ("--licence", ""), ("--language", "e1")],
)
def test_terms_that_the_hub_lacks_are_refused_early(tmp_path, option, value):
    (tmp_path / "run").mkdir()
    done = cmkt(tmp_path / "run", "--repo", REPO, option, value)
    assert done.exit_code == 1
    assert f"Error: {option} is {value!r}, expected" in done.output


def test_the_command_fails_in_one_line_and_leaves_the_folder(
    hub, tmp_path, monkeypatch
):
    finished_run(tmp_path / "run")
    monkeypatch.setenv("HF_TOKEN", OTHER)
    output = tmp_path / "made"
    words = (tmp_path / "run", "--repo", REPO, "--no-example")
    done = cmkt(*words, "--output", output)
    assert done.exit_code == 1
    last = done.output.strip().splitlines()[-1]
    assert last.startswith("Error: other may not write to someone/toy")
    assert last.endswith(f"the folder is complete: {output}")
    assert (output / "model.safetensors").is_file()
    monkeypatch.setenv("HF_TOKEN", OWNER)
    done = cmkt(*words, "--output", output)
    assert done.exit_code == 0, done.output
    assert f"{hub.url}/{REPO}/commit/" in done.stdout


def test_baseline_and_controls_reach_the_card(hub, tmp_path):
    finished_run(tmp_path / "run", 0.2)
    finished_run(tmp_path / "base", 0.1, control=None)
    finished_run(tmp_path / "wrong", 0.3, control="ShuffledTranscripts [1]")
    base, wrong = tmp_path / "base", f"wrong text={tmp_path / 'wrong'}"
    words = [tmp_path / "run", "--repo", REPO, "--baseline", base]
    words += ["--control", wrong, "--data", "Vox", "--data-licence", "CC0"]
    done = cmkt(*words, "--licence", "mit", "--no-example")
    assert done.exit_code == 0, done.output
    card = contents(hub)["README.md"].decode()
    assert "\n| wrong text | " in card and "license: mit" in card
    assert "Vox. Licence of the data: CC0" in card
    assert "not shown to come from language" in card
    for value in ("wrong", f"baseline={base}", f"x={tmp_path / 'none'}"):
        done = cmkt(*words[:3], "--control", value)
        assert done.exit_code == 2, done.output
    done = cmkt(*words[:3], "--control", f"x={base}")
    assert done.exit_code == 1 and "found no transfer" in done.output


def test_without_a_licence_of_the_data_there_is_a_word(hub, tmp_path):
    finished_run(tmp_path / "run")
    words = (tmp_path / "run", "--repo", REPO, "--dry-run")
    assert "--data-licence" in cmkt(*words).stderr
    said = cmkt(*words, "--data-licence", "CC0").stderr
    assert "--data-licence" not in said
    done = cmkt(*words, "--no-example", "--example", Path(__file__))
    assert done.exit_code == 1 and "exclude each other" in done.output
