"""The phone recogniser that a command trains, and how it is opened."""

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from tone_speech import PITCHES, speak, write_corpus

from cmkt_plugin.cli import main
from cmkt_plugin.phone_recognition import training
from cmkt_plugin.phone_recognition.judge import open_judge
from cmkt_plugin.phone_recognition.labelled_speech import read_labelled
from cmkt_plugin.phone_recognition.network import PhoneNet
from cmkt_plugin.phone_recognition.recognizer import PhoneRecognizer
from cmkt_plugin.phone_recognition.symbols import SpokenPhones

SMALL = ["--bands=24", "--width=24", "--blocks=2", "--dropout=0"]
SHORT = ["--epochs=10", "--batch-seconds=2", "--lr=0.01", "--device=cpu"]


def cmkt(*arguments):
    """Run a verb; returns its result."""
    return CliRunner().invoke(main, [str(a) for a in arguments])


def train(corpus, output, *more):
    """Train on a corpus of tones."""
    files = {s: corpus / f"{s}.json" for s in ("train", "valid", "test")}
    return cmkt(
        *("train-phones", files["train"], "--valid", files["valid"]),
        *("--test", files["test"], "--data-root", corpus, "-o", output),
        *(*SMALL, *SHORT, *more),
    )


@pytest.fixture(scope="session")
def tone_corpus(tmp_path_factory):
    """Folder of utterances of tones, in three sets."""
    folder = tmp_path_factory.mktemp("tones")
    for seed, (split, count) in enumerate(
        {"train": 60, "valid": 6, "test": 9}.items()
    ):
        write_corpus(folder, split, count, seed)
    return folder


@pytest.fixture(scope="session")
def tone_phones(tone_corpus, tmp_path_factory):
    """Folder of a recogniser of tones."""
    folder = tmp_path_factory.mktemp("recognizer") / "phones"
    done = train(tone_corpus, folder)
    assert done.exit_code == 0, done.output
    return folder


def test_it_learns_and_tells_its_error_rate(tone_phones, tone_corpus):
    record = json.loads((tone_phones / "phones.json").read_text())
    held_out = record["held_out"]["test"]
    assert held_out["phone_error_rate"] < 0.1
    assert held_out["utterances"] == 9 and held_out["speakers"] == 3
    assert record["network"]["phones"] == sorted(PITCHES)
    assert record["provenance"]["command"]
    assert record["training"]["seed"] == 0
    # The figure is that of the saved folder, not of another epoch's weights.
    judge = open_judge(tone_phones, "cpu")
    judge.measure(tone_corpus / "test.json", {"data_root": tone_corpus})
    again = judge.require_held_out()
    assert again["phone_error_rate"] == held_out["phone_error_rate"]


def test_the_validation_set_chooses_the_epoch(tone_corpus, monkeypatch):
    seen = []

    def rate(recognize, dataset):
        weights = recognize.__self__.output.w.weight
        seen.append(weights.detach().clone())
        return {"phone_error_rate": [0.5, 0.1, 0.9][len(seen) - 1]}

    monkeypatch.setattr(training, "error_rate", rate)
    valid = read_labelled(
        [tone_corpus / "valid.json"],
        {"data_root": tone_corpus},
        SpokenPhones(None).spell,
    )
    network, epochs = training.train_network(
        *(valid, valid, {"width": 8, "blocks": 1}),
        **{"epochs": 3, "batch_seconds": 4, "lr": 0.01, "seed": 0},
        device="cpu",
    )
    assert [e["valid_phone_error_rate"] for e in epochs] == [0.5, 0.1, 0.9]
    assert torch.equal(network.output.w.weight, seen[1])
    assert not torch.equal(seen[1], seen[2])


def test_a_recogniser_hears_the_same_alone_and_in_a_batch(tone_phones):
    recognizer = PhoneRecognizer(tone_phones, "cpu")
    draw = np.random.default_rng(5)
    spoken = ["u i a", "a", "i u i u"]
    waves = [torch.from_numpy(speak(s.split(), draw)).float() for s in spoken]
    together = recognizer.transcribe(waves)
    assert together == spoken
    assert together == [recognizer.transcribe([w])[0] for w in waves]
    quiet = recognizer.transcribe([0.01 * w for w in waves])
    assert quiet == spoken  # neither level ...
    assert isinstance(recognizer.transcribe([torch.zeros(300)])[0], str)
    assert isinstance(recognizer.transcribe([torch.ones(1)])[0], str)


def test_the_same_seed_trains_the_same(tone_corpus, tone_phones, tmp_path):
    """One epoch twice, and once with another seed; noise between them."""
    files = [tmp_path / name for name in "abc"]
    for folder, seed in zip(files, (1, 1, 2)):
        torch.rand(3)
        assert not train(
            tone_corpus, folder, "--epochs=1", f"--seed={seed}"
        ).exit_code
    first, same, other = (
        (folder / "model.safetensors").read_bytes() for folder in files
    )
    assert first == same
    assert first != other


def test_padding_does_not_leak_into_an_utterance():
    torch.manual_seed(0)
    net = PhoneNet(["a", "b"], width=16, blocks=2, bands=24).eval()
    short = torch.randn(8000)
    padded = torch.zeros(2, 16000)
    padded[0, :8000] = short
    padded[1] = torch.randn(16000)
    alone = net(short.unsqueeze(0), torch.ones(1))
    both = net(padded, torch.tensor([0.5, 1.0]))
    frames = alone.shape[1]
    assert torch.allclose(both[0, :frames], alone[0], atol=1e-4)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"length": 1.0, "speaker": "p", "words": "a"}, "clean_wav"),
        ({"clean_wav": "a.wav", "length": 1.0, "speaker": "p"}, "words"),
    ],
)
def test_annotations_that_lack_an_entry_are_named(tmp_path, entry, told):
    path = tmp_path / "train.json"
    path.write_text(json.dumps({"u1": entry}))
    with pytest.raises(ValueError, match=f"u1 has .*expected.*{told}"):
        read_labelled([path], {}, SpokenPhones(None).spell)


def test_recordings_that_are_elsewhere_are_named(tmp_path):
    path = tmp_path / "train.json"
    entry = {"clean_wav": "{data_root}/a.wav", "length": 1.0, "speaker": "p"}
    path.write_text(json.dumps({"u1": {**entry, "phones": "b"}}))
    spell = SpokenPhones(None).spell
    found = read_labelled([path], {"data_root": str(tmp_path)}, spell)
    with pytest.raises(FileNotFoundError, match="a.wav does not.*--data-root"):
        found[0]


def test_transcripts_are_spelled_where_there_are_no_phones(tmp_path):
    entry = {"clean_wav": "a.wav", "length": 1.0, "speaker": "p"}
    path = tmp_path / "train.json"
    path.write_text(
        json.dumps(
            {
                "u1": {**entry, "words": "b a"},
                "u2": {**entry, "words": "b a", "phones": "x"},
                "u3": {**entry, "words": ""},
            }
        )
    )
    found = read_labelled([path], {}, SpokenPhones(str.split).spell)
    assert {u: e["phones"] for u, e in found.data.items()} == {
        "u1": ["b", "a"],
        "u2": ["x"],
    }
    with pytest.raises(ValueError, match="u1 is in two annotations"):
        read_labelled([path, path], {}, SpokenPhones(str.split).spell)


def test_held_out_speech_must_not_be_trained_on(tone_corpus, tmp_path):
    train_json, output = tone_corpus / "train.json", tmp_path / "phones"
    done = cmkt(
        *("train-phones", train_json, "--valid", train_json, "--test"),
        *(tone_corpus / "test.json", "--data-root", tone_corpus),
        *("-o", output),
    )
    assert done.exit_code == 1
    assert "60 utterances of --valid are in the training set" in done.output
    assert not list(tmp_path.iterdir())


def test_a_finished_folder_is_not_overwritten(tone_corpus, tone_phones):
    before = (tone_phones / "phones.json").read_bytes()
    done = train(tone_corpus, tone_phones)
    assert done.exit_code == 1 and "exists" in done.output
    assert (tone_phones / "phones.json").read_bytes() == before


@pytest.mark.parametrize("damage", ["phones.json", "model.safetensors"])
def test_damaged_folders_are_named(tone_phones, tmp_path, damage):
    for name in ("phones.json", "model.safetensors"):
        content = (tone_phones / name).read_bytes()
        (tmp_path / name).write_bytes(
            content[:50] if name == damage else content
        )
    with pytest.raises(ValueError, match="train-phones.*train it again"):
        PhoneRecognizer(tmp_path)
    (tmp_path / damage).unlink()
    with pytest.raises(FileNotFoundError, match="model.safetensors"):
        PhoneRecognizer(tmp_path)


def test_weights_of_another_network_are_refused(tone_phones, tmp_path):
    weights = (tone_phones / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(weights)
    record = json.loads((tone_phones / "phones.json").read_text())
    record["network"]["phones"].append("z")
    (tmp_path / "phones.json").write_text(json.dumps(record))
    with pytest.raises(ValueError, match="size mismatch"):
        PhoneRecognizer(tmp_path)
