"""Tests of the hub folder: what is in it, and what must not be."""

import getpass
import json
import os
import socket
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from finished_run import finished_run
from PIL import Image
from safetensors.torch import save_file

from cmkt_plugin.loading.model_source import open_model
from cmkt_plugin.publish import example_pair, hub_folder
from cmkt_plugin.publish.hub_folder import listing, make_hub_folder
from cmkt_plugin.publish.model_card import Publication
from cmkt_plugin.publish.private_traces import check_private_traces
from cmkt_plugin.publish.published_scores import read_scores
from cmkt_plugin.run_test_set import RunTestSet

REPO = "me/enhancer"
MODEL = {
    "README.md",
    "hyperparams.yaml",
    "enhance_model.ckpt",
    "config.json",
    "model.safetensors",
}
EXAMPLE = {"example_noisy.wav", "example_enhanced.wav", "example.png"}


def publish(run, folder=None, **options):
    """Makes the hub folder of a run."""
    folder = folder or run / "hub"
    scores = read_scores(run)
    return make_hub_folder(Publication(REPO), run, folder, scores, **options)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A run and its hub folder, to look at."""
    run = tmp_path_factory.mktemp("published") / "run"
    finished_run(run)
    return run, publish(run)


@pytest.fixture
def planted(published, tmp_path):
    """A copy of the hub folder, to plant something in."""
    folder = tmp_path / "hub"
    folder.mkdir()
    for path in published[1].iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_the_model_the_card_and_one_pair_are_there(published):
    run, folder = published
    assert folder == run / "hub"
    assert {path.name for path in folder.iterdir()} == MODEL | EXAMPLE
    assert (folder / "README.md").read_text().startswith("---\n")
    assert Image.open(folder / "example.png").size == (800, 500)
    assert {p.name for p in run.iterdir() if p.name[0] == "."} == set()
    lines = listing(folder)
    assert len(lines) == 9
    size = (folder / "model.safetensors").stat().st_size
    assert f"{size:>10,}  model.safetensors" in lines


def test_the_pair_is_what_the_model_makes_of_it(published):
    run, folder = published
    noisy, rate = soundfile.read(folder / "example_noisy.wav", dtype="float32")
    wav, _ = soundfile.read(folder / "example_enhanced.wav", dtype="float32")
    assert rate == 16000 and noisy.shape == wav.shape == (33600,)
    expected = open_model(run, "cpu").enhance_array(noisy, rate)
    assert np.abs(wav - expected).max() < 2 / 32768  # 16 bit, no other level
    assert np.abs(wav - noisy).max() > 0.01


def test_an_example_without_lips_is_said_to_be_one(tmp_path):
    finished_run(tmp_path / "run", name="audio_visual", control=None)
    text = (publish(tmp_path / "run") / "README.md").read_text()
    assert "best nor the worst. It is enhanced from the sound alone" in text
    assert "cmkt enhance-video -m me/enhancer talk.mp4" in text


def test_the_example_is_the_median_one(published):
    run, folder = published
    scores = read_scores(run).run
    gains = {
        name: scores.scores["pesq"][name] - scores.noisy["pesq"][name]
        for name in scores.speakers
    }
    lengths = RunTestSet(run).lengths
    name, said = example_pair.median_example(lengths, scores)
    rank = sorted(gains.values()).index(gains[name])
    assert rank == (len(gains) - 1) // 2
    assert f"`{name}`" in said and f"{gains[name]:+.2f}" in said
    assert said in (folder / "README.md").read_text()
    original, _ = soundfile.read(run.parent / "data" / "noisy" / f"{name}.wav")
    shown, _ = soundfile.read(folder / "example_noisy.wav")
    assert np.array_equal(original, shown)


def test_of_long_and_short_files_a_handy_one_is_shown(published, tmp_path):
    finished_run(tmp_path / "run")
    scores = read_scores(tmp_path / "run").run
    lengths = {**dict.fromkeys(scores.speakers, 0.5), "b1": 3.0, "c2": 60.0}
    assert example_pair.median_example(lengths, scores)[0] == "b1"


def test_no_example_or_one_of_the_publishers(tmp_path):
    run = tmp_path / "run"
    finished_run(run)
    folder = publish(run, with_example=False)
    assert {path.name for path in folder.iterdir()} == MODEL
    assert "## Example" not in (folder / "README.md").read_text()
    mine = tmp_path / "mine.flac"
    tone = 0.1 * np.sin(np.arange(12 * 8000))
    soundfile.write(mine, np.stack([tone, tone], axis=1), 8000)
    publish(run, example=mine)
    for name in ("example_noisy.wav", "example_enhanced.wav"):
        info = soundfile.info(folder / name)
        assert (info.frames, info.channels) == (80000, 2)
        assert info.samplerate == 8000
    assert "publisher's choice" in (folder / "README.md").read_text()
    mine.write_bytes(b"no sound")
    with pytest.raises(ValueError, match="mine.flac.*--example"):
        publish(run, example=mine)


def test_a_fixed_mixture_is_rendered(tmp_path):
    run = tmp_path / "run"
    finished_run(run)
    path = run / "save" / "test.json"
    entries = json.loads(path.read_text())
    for entry in entries.values():
        del entry["noisy_wav"]
        noise = "{noise_root}/a0.wav"
        entry["mixture"] = {"snr": 0.0, "noise": noise}
    path.write_text(json.dumps(entries))
    with open(run / "hyperparams.yaml", "a") as file:
        noises = tmp_path / "data" / "noisy"
        file.write(f"mixing: {{test: {{noise: {{folder: {noises}}}}}}}\n")
    name = "b1"
    (noisy, clean), rate = RunTestSet(run).read(name)
    original, _ = soundfile.read(tmp_path / "data" / "noisy" / f"{name}.wav")
    assert rate == 16000 and np.allclose(clean, original)
    power = np.mean((noisy - clean) ** 2) / np.mean(clean**2)
    assert 10 * np.log10(power) == pytest.approx(0, abs=0.2)


def test_a_class_of_the_users_own_is_published_with_it(tmp_path, monkeypatch):
    run = tmp_path / "run"
    finished_run(run)
    own = "import torch\n\n\nclass Mask(torch.nn.Sigmoid):\n    pass\n"
    (tmp_path / "my_mask.py").write_text(own)
    path = run / "hyperparams.yaml"
    text = path.read_text()
    path.write_text(text.replace("torch.nn.Sigmoid", "my_mask.Mask"))
    assert path.read_text() != text
    monkeypatch.syspath_prepend(tmp_path)
    folder = publish(run)
    names = {path.name for path in folder.iterdir()}
    assert names - EXAMPLE == {
        "README.md",
        "hyperparams.yaml",
        "enhancer.ckpt",
        "custom.py",
    }
    card = (folder / "README.md").read_text()
    assert 'foreign_class(\n    source="me/enhancer"' in card
    assert "cmkt enhance -m me/enhancer" in card and "--trust" in card
    sys.modules.pop("my_mask")


def test_data_that_are_gone_are_named_with_the_way_out(tmp_path):
    run = tmp_path / "run"
    finished_run(run)
    (tmp_path / "data").rename(tmp_path / "away")
    with pytest.raises(FileNotFoundError, match="not there.*--no-example"):
        publish(run)
    assert not (run / "hub").exists()
    publish(run, with_example=False)
    publish(run, data_folder=tmp_path / "away")
    assert (run / "hub" / "example_noisy.wav").is_file()
    (run / "save" / "test.json").unlink()
    with pytest.raises(FileNotFoundError, match="no save/test.json.*--no-ex"):
        publish(run)


def test_without_matplotlib_the_extra_is_named(published, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"cmkt_plugin\[plot\].*--no-exa"):
        publish(published[0])


def test_a_failure_leaves_the_folder_as_it_was(published, monkeypatch):
    run, folder = published
    before = {path: path.read_bytes() for path in folder.iterdir()}

    def fail(*arguments):
        raise ValueError("refused")

    monkeypatch.setattr(hub_folder, "check_private_traces", fail)
    with pytest.raises(ValueError, match="refused"):
        publish(run)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert not [path for path in run.iterdir() if path.name[0] == "."]


def test_only_an_earlier_hub_folder_is_replaced(published, tmp_path):
    thesis = tmp_path / "thesis"
    thesis.mkdir()
    (thesis / "chapter.tex").write_text("Once")
    with pytest.raises(FileExistsError, match="--output"):
        publish(published[0], thesis)
    assert [path.name for path in thesis.iterdir()] == ["chapter.tex"]
    (published[1] / "stale.ckpt").write_text("old")
    publish(published[0], with_example=False)
    assert not (published[1] / "stale.ckpt").exists()
    publish(published[0])


PLANTED = {
    "an absolute path": ("README.md", "trained on /srv/corpora/vb"),
    "of Windows": ("config.json", r'{"a": "C:\\Users\\me"}'),
    "in markdown": ("README.md", "see `/etc/hosts`"),
    "in YAML": ("hyperparams.yaml", "folder: /data/x"),
    "a home": ("README.md", "cd ~/work"),
    "behind a semicolon": ("README.md", "a;/opt/jdoe/x"),
    "behind an at": ("README.md", "x@/opt/x"),
    "behind a star": ("README.md", "dir*/opt/x"),
    "in brackets": ("README.md", "</opt/x/y>"),
    "of a share": ("README.md", r"\\server\share"),
    "of a share in JSON": ("config.json", r'"\\\\server\\share"'),
    "of a share with slashes": ("README.md", "at //server/share"),
    "that climbs": ("hyperparams.yaml", "a: ../../home/jdoe/x"),
    "of an include": ("README.md", "-I/home/jdoe/x"),
    "of another's home": ("README.md", "in ~jdoe/x"),
    "behind an address": ("README.md", "https://x.org, /opt/x"),
    "as an address": ("README.md", "file:///opt/x"),
    "a token": ("README.md", "hf_abcdefghijklmnopqrstuvwx"),
    "a token of GitHub": ("README.md", "ghp_abcdefghijklmnopqrstuvwx"),
    "a fine token": ("README.md", "github_pat_abcdefghijklmnopqrst_uvwx"),
    "a key of a cloud": ("config.json", "AKIAIOSFODNN7EXAMPLE"),
    "a key of an API": ("README.md", "sk-abcdefghijklmnopqrstuvwx"),
    "a key": ("README.md", "-----BEGIN OPENSSH PRIVATE KEY-----"),
    "a password": ("README.md", "https://me:secret@x.org/a"),
    "a teacher": ("hyperparams.yaml", "teacher: !new:a.Teacher {}"),
    "a tokenizer": ("tokenizer.json", "{}"),
    "of the aligner": ("aligner.ckpt", ""),
    "a log": ("train_log.txt", "epoch 1"),
    "transcripts": ("config.json", '{"transcripts": "corpus"}'),
    "a folder": (".cache/README.md", "x"),
}


@pytest.mark.parametrize("what", PLANTED)
def test_planted_files_and_lines_are_refused(planted, what):
    check_private_traces(planted, REPO)
    name, line = PLANTED[what]
    path = planted / name
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".ckpt":
        torch.save({"weight": torch.zeros(1)}, path)
    else:
        with open(path, "a") as file:
            file.write(f"\n{line}\n")
    with pytest.raises(ValueError, match=f"{Path(name).parts[0]}: "):
        check_private_traces(planted, REPO)


@pytest.mark.parametrize("key", ["aligner.layers.0.weight", "teacher.bert.w"])
def test_planted_parameters_are_refused(planted, key):
    path = planted / "enhance_model.ckpt"
    weights = torch.load(path)
    torch.save({**weights, key: torch.zeros(1)}, path)
    with pytest.raises(ValueError, match=f"enhance_model.ckpt: .*{key}"):
        check_private_traces(planted, REPO)
    torch.save(weights, path)
    check_private_traces(planted, REPO)
    save_file({key: torch.zeros(1)}, planted / "model.safetensors")
    with pytest.raises(ValueError, match=f"model.safetensors: .*{key}"):
        check_private_traces(planted, REPO)


def test_names_of_user_and_machine_are_refused(planted, monkeypatch):
    card = planted / "README.md"
    text = card.read_text()
    monkeypatch.setattr(getpass, "getuser", lambda: "jdoe")
    monkeypatch.setattr(socket, "gethostname", lambda: "gpu7.lab.edu")
    for said in (
        "runs/jdoe/1",
        "jdoe/1",
        "jdoe@x",
        "x@jdoe",
        "on gpu7.lab.edu.",
        "on gpu7",
    ):
        card.write_text(f"{text}\n{said}\n")
        with pytest.raises(ValueError, match=f"README.md: .*{said}"):
            check_private_traces(planted, REPO)
    # What the address of the repository says anyway is no secret.
    card.write_text(f"{text}\njdoe/enhancer\n")
    check_private_traces(planted, "jdoe/enhancer")


@pytest.mark.parametrize(
    "name", ["train", "model", "cpu", "python", "speech", "LSTM", "torch"]
)
def test_a_name_that_is_a_word_is_none(planted, monkeypatch, name):
    with open(planted / "README.md", "a") as file:
        file.write(f"python a.py --device {name} --x '{{a: {name}}}'\n")
    monkeypatch.setattr(getpass, "getuser", lambda: name)
    monkeypatch.setattr(socket, "gethostname", lambda: name)
    check_private_traces(planted, REPO)


@pytest.mark.parametrize(
    "line",
    [
        "[C](https://x.org/?u=/foo/bar) and/or 1/2 of <b>it</b>",
        "python train.py 'https://x.org/?u=/foo/bar' a/b ./c/d ../e",
        "teacher=!include:../../../hparams/teachers/units.yaml",
        "{data_root}/noisy/a.wav, $HUB/a/b, a // b, \\alpha, km/h",
        "task-specific-and-with-many-more-words",
    ],
)
def test_what_is_no_trace_is_left(planted, line):
    (planted / "README.md").write_text(f"{line}\n")
    check_private_traces(planted, REPO)


def test_a_home_of_one_part_is_none(planted, monkeypatch):
    for home in ("/", "/root"):
        monkeypatch.setenv("HOME", home)
        with open(planted / "README.md", "a") as file:
            file.write(f"a{home}b\n")
        check_private_traces(planted, REPO)
    monkeypatch.setenv("HOME", "/odd/jdoe")
    with open(planted / "README.md", "a") as file:
        file.write("a/odd/jdoe/b\n")
    with pytest.raises(ValueError, match="README.md: holds the path /odd/jdoe"):
        check_private_traces(planted, REPO)


def test_a_token_is_not_shown_again(planted):
    token = "ghp_abcdefghijklmnopqrstuvwx"
    (planted / "README.md").write_text(f"/opt/x {token}\n")
    with pytest.raises(ValueError, match="token; .* path") as caught:
        check_private_traces(planted, REPO)
    assert token not in str(caught.value)


def test_paths_inside_binary_files_are_refused(planted, published, monkeypatch):
    path = planted / "example.png"
    path.write_bytes(path.read_bytes() + os.fsencode(published[0]))
    with pytest.raises(ValueError, match="example.png: holds the path"):
        check_private_traces(planted, REPO, [published[0]])
    monkeypatch.setenv("HOME", "/odd/jdoe")
    path.write_bytes(path.read_bytes() + b"/odd/jdoe/x")
    with pytest.raises(ValueError, match="example.png: holds the path"):
        check_private_traces(planted, REPO)


def test_a_link_is_not_followed(planted, tmp_path):
    (tmp_path / "secret.md").write_text("mine")
    (planted / "example.png").unlink()
    (planted / "example.png").symlink_to(tmp_path / "secret.md")
    with pytest.raises(ValueError, match="example.png: is a link"):
        check_private_traces(planted, REPO)
