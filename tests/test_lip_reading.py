"""Lip reading on rendered clips: labels, guesses, training, report."""

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from cmkt_plugin.talking_lips import lip_reading, lip_reading_data
from cmkt_plugin.talking_lips.frame_phones import phone_of_frames, write_phones
from cmkt_plugin.talking_lips.synthesis import Phone
from cmkt_plugin.talking_lips.visemes import VISEMES
from cmkt_plugin.verbs.lip_reading import command
from cmkt_plugin.visual.prepared_clip import write_lips

# Phones whose mouths are drawn as these levels of grey; p and b look alike.
GREY = {"p": 20, "b": 20, "ɑ": 130, "u": 230}
FRAMES = 16


def make_corpus(folder, clips=6):
    """A corpus with prepared lips in which the grey level tells the viseme."""
    rng = np.random.default_rng(0)
    lines = ["id,split,video,audio,speaker,transcript,phones"]
    for split, count in (("train", clips), ("valid", 2), ("test", 2)):
        for number in range(count):
            name = f"{split}_{number}"
            said = rng.choice([*GREY], FRAMES, p=[0.2, 0.1, 0.3, 0.4])
            said[-1] = ""  # silence
            phones = [
                Phone(frame / 25, (frame + 1) / 25, str(phone))
                for frame, phone in enumerate(said)
                if phone
            ]
            write_phones(folder / "phones" / f"{name}.csv", phones)
            pixels = np.empty((FRAMES, 96, 96), np.uint8)
            for frame, phone in enumerate(said):
                pixels[frame] = GREY.get(phone, 80)
            write_lips(
                folder / "lips" / f"{name}.lips.npz", pixels, np.ones(FRAMES)
            )
            lines.append(f"{name},{split},{name}.mkv,,{split},text,")
    (folder / "clips.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """The corpus, its lips taken as they are."""

    def prepared(clips, folder, jobs):
        return {name: {"fault": "", "seconds": FRAMES / 25} for name in clips}

    monkeypatch.setattr(lip_reading_data, "prepare_clips", prepared)
    return make_corpus(tmp_path)


def test_frame_has_the_phone_spoken_when_it_is_shown():
    phones = [Phone(0.041, 0.12, "b"), Phone(0.12, 0.16, "u")]
    assert phone_of_frames(phones, 5) == ["silence"] * 2 + ["b", "u", "silence"]


def test_sets_hold_phones_and_visemes_of_every_frame(corpus):
    sets, phones = lip_reading_data.read_sets(corpus, corpus / "lips")
    assert phones == ["silence", "b", "p", "u", "ɑ"]
    assert {split: len(found) for split, found in sets.items()} == {
        "train": 6,
        "valid": 2,
        "test": 2,
    }
    item = sets["train"][0]
    assert item["lips"].shape == (FRAMES, 96, 96)
    levels = item["lips"][:, 0, 0].tolist()
    for level, phone, viseme in zip(levels, item["phone"], item["viseme"]):
        if phone == 0:
            assert level == 80 and VISEMES[viseme] == "silence"
        else:
            assert GREY[phones[phone]] == level
            assert (VISEMES[viseme] == "lips-closed") == (level == 20)


def test_phone_that_was_not_in_training_is_never_right(corpus):
    path = corpus / "phones" / "test_0.csv"
    write_phones(path, [Phone(0.0, 0.2, "f")])
    sets, _ = lip_reading_data.read_sets(corpus, corpus / "lips")
    assert sets["test"][0]["phone"][:5].tolist() == [-1] * 5


def test_guesses_are_the_most_frequent_of_the_training_set(corpus):
    sets, phones = lip_reading_data.read_sets(corpus, corpus / "lips")
    guess = lip_reading.guesses(sets["train"])
    assert phones[guess["phone"]] == "u"
    assert VISEMES[guess["viseme"]] == "close-rounded"
    named = {VISEMES[v]: phones[p] for v, p in guess["phone_of_viseme"].items()}
    assert named == {"lips-closed": "p", "open": "ɑ", "close-rounded": "u"}


def test_score_counts_frames():
    frames = [
        {"phone": 1, "viseme": 0, "phone_read": 1, "viseme_read": 0},
        {"phone": 2, "viseme": 0, "phone_read": 1, "viseme_read": 0},
        {"phone": -1, "viseme": 5, "phone_read": 1, "viseme_read": 0},
        {"phone": 3, "viseme": 8, "phone_read": 1, "viseme_read": 8},
    ]
    guess = {"phone": 3, "viseme": 8, "phone_of_viseme": {0: 2, 8: 3}}
    assert lip_reading.score(frames, guess) == {
        "frames": 4,
        "phone_accuracy": 0.25,
        "phone_majority": 0.25,
        "phone_of_true_viseme": 0.5,
        "viseme_accuracy": 0.75,
        "viseme_majority": 0.25,
    }


def test_reader_knows_that_something_is_spoken(corpus):
    class Unsure(torch.nn.Linear):
        """Finds silence likeliest, then phone 2 and viseme 3."""

        def forward(self, lips):
            scores = torch.zeros(1, lips.pixels.shape[1], len(VISEMES))
            phone, viseme = scores.clone(), scores.clone()
            phone[..., 0], phone[..., 2] = 2, 1
            viseme[..., VISEMES.index("silence")], viseme[..., 3] = 2, 1
            return phone, viseme

    sets, _ = lip_reading_data.read_sets(corpus, corpus / "lips")
    frames = lip_reading.read(Unsure(1, 1), sets["test"])
    assert len(frames) == 2 * (FRAMES - 1)
    read = {(frame["phone_read"], frame["viseme_read"]) for frame in frames}
    assert read == {(2, 3)}


def test_reader_learns_what_can_be_seen_and_no_more(corpus, tmp_path):
    arguments = [str(corpus), "--epochs", "25", "--batch-seconds", "2"]
    sizes = ["--width", "16", "--channels", "4", "--lr", "0.01"]
    output = ["-o", str(tmp_path / "report")]
    done = CliRunner().invoke(command, [*arguments, *sizes, *output])
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "report.json").read_text())
    test = found["test"]
    assert test["frames"] == 2 * (FRAMES - 1) and found["phones"] == 4
    assert test["viseme_accuracy"] > 0.9 > test["viseme_majority"]
    # p and b look the same: knowing the viseme is all there is to know.
    assert test["phone_accuracy"] <= test["phone_of_true_viseme"] + 0.05 < 1
    assert test["phone_accuracy"] > test["phone_majority"] + 0.2
    assert len(found["training"]["by_epoch"]) == 25
    shown = (tmp_path / "report.md").read_text()
    assert f"| {test['phone_accuracy']:.3f} |" in shown
    assert "## How it was made" in shown


def test_folder_that_is_no_corpus_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="cmkt talking-lips"):
        lip_reading_data.read_sets(tmp_path, tmp_path / "lips")


def test_split_without_a_usable_clip_is_named(corpus, monkeypatch):
    def prepared(clips, folder, jobs):
        fault = {"fault": "no face", "detail": ""}
        good = {"fault": "", "seconds": 0.64}
        return {n: fault if n.startswith("test") else good for n in clips}

    monkeypatch.setattr(lip_reading_data, "prepare_clips", prepared)
    with pytest.raises(ValueError, match="no usable clip for test"):
        lip_reading_data.read_sets(corpus, corpus / "lips")
