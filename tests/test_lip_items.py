"""Lips in datasets and batches: own, shuffled, dropped, none."""

import json

import numpy as np
import pytest
import torch
from mixing_files import RATE, steps, write
from speechbrain.dataio.dataloader import make_dataloader

from cmkt_plugin.dataset import make_dataset
from cmkt_plugin.experiment import make_datasets
from cmkt_plugin.mixing.audio_folder import NoiseFolder
from cmkt_plugin.mixing.manifest import write_manifest
from cmkt_plugin.mixing.sampler import MixtureSampler
from cmkt_plugin.visual.lip_control import (
    DroppedFrames,
    NoLips,
    OwnLips,
    ShuffledLips,
)
from cmkt_plugin.visual.lip_items import add_lips, lips_of_clip
from cmkt_plugin.visual.prepared_clip import write_lips

# Frames of each clip; the speakers are the first letters.
CLIPS = {"a1": 10, "a2": 12, "b1": 14, "c1": 8}
NOISY = ("recorded", "fixed", "drawn")


@pytest.fixture
def folder(tmp_path):
    """Clips whose pixels tell clip and frame, prepared; and noise."""
    entries = {}
    for number, (name, frames) in enumerate(CLIPS.items()):
        samples = frames * RATE // 25
        write(tmp_path / f"{name}.wav", steps(samples, seed=number))
        pixels = np.zeros((frames, 96, 96), np.uint8)
        pixels += (20 * number + np.arange(frames)[:, None, None] + 1).astype(
            np.uint8
        )
        present = np.ones(frames)
        present[3] = 0
        write_lips(tmp_path / f"{name}.lips.npz", pixels, present)
        entries[name] = {
            "clean_wav": f"{{data_root}}/{name}.wav",
            "lips_file": f"{{data_root}}/{name}.lips.npz",
            "length": samples / RATE,
            "speaker": name[0],
            "words": "bin blue",
        }
    write(tmp_path / "noise" / "hum.wav", steps(RATE * 2, seed=9))
    (tmp_path / "drawn.json").write_text(json.dumps(entries))
    recorded = {
        n: {**e, "noisy_wav": e["clean_wav"]} for n, e in entries.items()
    }
    (tmp_path / "recorded.json").write_text(json.dumps(recorded))
    write_manifest(
        entries,
        sampler(tmp_path),
        tmp_path / "fixed.json",
        {"noise_root": str(tmp_path / "noise")},
    )
    return tmp_path


def sampler(folder, **knobs):
    return MixtureSampler(NoiseFolder(str(folder / "noise")), **knobs)


def dataset(folder, noisy="recorded", control=None, **knobs):
    roots = {"data_root": str(folder), "noise_root": str(folder / "noise")}
    mixing = sampler(folder, **knobs)
    made = make_dataset(folder / f"{noisy}.json", roots, mixing)
    add_lips(made, control or OwnLips(), mixing)
    return made


def items(made):
    return {item["id"]: item for item in made}


@pytest.mark.parametrize("noisy", NOISY)
def test_lips_come_beside_every_kind_of_noisy_side(folder, noisy):
    found = items(dataset(folder, noisy))
    for number, (name, frames) in enumerate(CLIPS.items()):
        item = found[name]
        assert len(item["noisy_sig"]) == len(item["clean_sig"])
        assert item["lips"].dtype == item["lips_present"].dtype == torch.uint8
        assert item["lips"].shape == (frames, 96, 96)
        expected = 20 * number + 1 + np.arange(frames)
        assert item["lips"][:, 5, 7].tolist() == expected.tolist()
        assert item["lips_present"].tolist() == [1] * 3 + [0] + [1] * (
            frames - 4
        )


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_are_padded_with_absent_frames(folder, workers):
    loader = make_dataloader(
        dataset(folder, "drawn"), batch_size=4, num_workers=workers
    )
    (batch,) = loader
    batch = batch.to("cpu")
    assert batch.lips.data.dtype == torch.uint8
    assert batch.lips.data.shape == (4, 14, 96, 96)
    for row, frames in enumerate(CLIPS.values()):
        assert batch.lips.lengths[row] == pytest.approx(frames / 14)
        assert batch.lips_present.data[row, frames:].sum() == 0
        assert batch.lips_present.data[row].sum() == frames - 1
        assert batch.lips.data[row, frames:].sum() == 0


def test_shuffled_lips_are_of_others_cut_or_marked(folder):
    own = items(dataset(folder))
    found = items(dataset(folder, control=ShuffledLips(seed=3)))
    first = {item["lips"][0, 0, 0].item(): n for n, item in own.items()}
    sources = {n: first[i["lips"][0, 0, 0].item()] for n, i in found.items()}
    assert sorted(sources.values()) == sorted(CLIPS)
    for name, source in sources.items():
        assert name[0] != source[0]
        frames, there = CLIPS[name], CLIPS[source]
        present = found[name]["lips_present"]
        assert len(found[name]["lips"]) == len(present) == frames
        assert present[:there].sum() == min(frames, there) - 1
        assert present[there:].sum() == 0
        assert torch.equal(found[name]["clean_sig"], own[name]["clean_sig"])
    again = items(dataset(folder, "drawn", control=ShuffledLips(seed=3)))
    assert all(torch.equal(again[n]["lips"], found[n]["lips"]) for n in CLIPS)


def test_shuffling_leaves_nobody_their_own(folder):
    for counts in ((9, 1), (5, 5), (4, 3, 2), (2, 0), (6, 1, 1)):
        names = [f"{s}{i}" for s, n in zip("abc", counts) for i in range(n)]
        entries = {n: {"lips_file": n, "speaker": n[0]} for n in names}
        entries["blind"] = {"speaker": "a"}
        for seed in range(4):
            found = ShuffledLips(seed).sources(entries)
            assert found.pop("blind") is None
            assert sorted(found.values()) == sorted(names)
            assert all(name != other for name, other in found.items())
            same = sum(name[0] == other[0] for name, other in found.items())
            most = max(counts)
            assert same == max(0, most - (len(names) - most))
    with pytest.raises(ValueError, match="found 1 clips .*at least two"):
        ShuffledLips(1).sources({"a": {"lips_file": "a", "speaker": "a"}})


def test_no_lips_and_clips_without_video(folder):
    for item in items(dataset(folder, control=NoLips())).values():
        assert item["lips_present"].sum() == 0 == item["lips"].sum()
        assert len(item["lips"]) == CLIPS[item["id"]]
    path = folder / "recorded.json"
    entries = json.loads(path.read_text())
    del entries["a1"]["lips_file"]
    path.write_text(json.dumps(entries))
    found = items(dataset(folder))
    assert found["a1"]["lips_present"].tolist() == [0] * 10
    assert found["b1"]["lips_present"].sum() == 13


def test_dropped_frames_are_a_part_and_nested(folder):
    pixels = np.full((2000, 96, 96), 7, np.uint8)
    lost = []
    for fraction in (0.0, 0.25, 0.75, 1.0):
        drop = DroppedFrames(fraction, seed=2)
        shown, present = drop.shown(pixels, np.ones(2000, np.uint8), "a")
        assert (shown[:, 0, 0] == 7 * present).all()
        lost.append(present == 0)
        assert abs(lost[-1].mean() - fraction) < 0.05
    assert all((one <= two).all() for one, two in zip(lost, lost[1:]))
    other = DroppedFrames(0.75, 2).shown(pixels, np.ones(2000, np.uint8), "b")
    assert ((other[1] == 0) != lost[2]).any()
    found = items(dataset(folder, control=DroppedFrames(1.0, seed=1)))
    assert all(i["lips_present"].sum() == 0 for i in found.values())
    with pytest.raises(ValueError, match="fraction is 1.5"):
        DroppedFrames(1.5, seed=1)


def test_changed_speed_is_refused_where_there_are_lips(folder):
    with pytest.raises(ValueError, match=r"4 clips .*a1.*speed to \[1.0\]"):
        dataset(folder, "drawn", speed=[0.9, 1.0])
    # What is recorded or fixed is not drawn.
    dataset(folder, "fixed", speed=[0.9, 1.0])
    path = folder / "fixed.json"
    entries = json.loads(path.read_text())
    entries["b1"]["mixture"]["speed"] = 1.1
    path.write_text(json.dumps(entries))
    with pytest.raises(ValueError, match="1 clips .*b1.*another manifest"):
        dataset(folder, "fixed")


def test_video_that_outlasts_the_sound_is_cut(folder):
    pixels, present = lips_of_clip(folder / "b1.lips.npz", frames=5)
    assert len(pixels) == len(present) == 5 and present.sum() == 4


def test_an_experiment_must_say_what_is_shown(folder):
    annotations = {
        f"{name}_annotation": str(folder / "recorded.json")
        for name in ("train", "valid", "test")
    }
    hparams = {
        **annotations,
        "data_folder": str(folder),
        "mixing": None,
        "transfer": None,
        "valid_items": 2,
    }
    with pytest.raises(ValueError, match="recorded.json has lips.*OwnLips"):
        make_datasets(hparams)
    controls = {"train": OwnLips(), "valid": NoLips(), "test": OwnLips()}
    found = make_datasets({**hparams, "lip_control": controls})
    assert found["train"][0]["lips_present"].sum() > 0
    assert found["valid"][0]["lips_present"].sum() == 0
