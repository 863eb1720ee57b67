"""A corpus of a dozen short videos, and the recipe on it."""

import importlib
from pathlib import Path

import numpy as np
import pytest
import tiny_aishell
import tiny_videos
import tiny_voicebank

RECIPE = Path(__file__).parents[1] / "recipes" / "AVSE"
SPLITS = {"s1": "train", "s2": "train", "s3": "valid", "s4": "test"}
SENTENCES = ["Please call Stella.", "We call it bear.", "Bring these things."]
TINY_BACKBONE = (
    "{width: 8, lip_channels: 2, num_layers: 1, drop_rate: 0.0, crop_size: 32}"
)
TINY_SCORE = (
    f"{{predictive: {TINY_BACKBONE}, model_channels: 8, channel_mult: [1, 1], "
    "num_res_blocks: 1, norm_groups: 2, steps: 1}"
)


def make_corpus(folder, clips=3):
    """Write clips.csv, videos of a drawn face, and noise of each split."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = ["id,video,speaker,transcript,split,phones"]
    for speaker, split in SPLITS.items():
        for number in range(clips):
            name = f"{speaker}_{number}"
            make_video(folder / speaker / f"{name}.mkv", 14 + number % 2)
            said = SENTENCES[number % 3]
            rows.append(
                f"{name},{speaker}/{name}.mkv,{speaker},{said},{split},b ɛ ɹ"
            )
    (folder / "clips.csv").write_text("\n".join(rows) + "\n", "utf-8")
    for split in ("train", "valid", "test"):
        tiny_aishell.make_noise(folder / "noise" / split, files=2)
    return folder


def make_video(path, frames=14):
    """Write a face whose mouth opens with the loudness of its sound."""
    path.parent.mkdir(exist_ok=True)
    rng = np.random.default_rng(sum(path.stem.encode()))
    loudness = np.sin(np.arange(frames * 640) / 700) ** 2
    sound = 0.2 * loudness * rng.standard_normal(len(loudness))
    faces = [tiny_videos.face(loudness[640 * n]) for n in range(frames)]
    return tiny_videos.write_video(path, faces, sound=sound.clip(-1, 1))


def module(name="avse_prepare"):
    """A module of the recipe, as one finds it in the recipe's folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(RECIPE)
        return importlib.import_module(name)


def flags(corpus, output_folder, teacher=None, **more):
    """Command line flags of a small run."""
    values = {
        "video_folder": corpus,
        "data_folder": corpus / "prepared",
        "backbone": TINY_BACKBONE,
        "noise_folder": corpus / "noise" / "train",
        "valid_noise_folder": corpus / "noise" / "valid",
        "test_noise_folder": corpus / "noise" / "test",
        "train_noise": "[0.0, 1.0]",
        "valid_noise": "[0.0, 1.0]",
        "test_noise": "[0.0, 1.0]",
        **more,
    }
    return tiny_voicebank.flags(corpus, output_folder, teacher, **values)


def run(yaml, arguments, status=0):
    """``python train.py hparams/YAML ...`` from the recipe's folder."""
    return tiny_voicebank.run(yaml, arguments, status, RECIPE)
