"""A corpus of a dozen short clips, prepared, and the recipe on it."""

import importlib
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import tiny_aishell
import tiny_voicebank

from cmkt_plugin.visual.prepared_clip import write_lips

RECIPE = Path(__file__).parents[1] / "recipes" / "AVSE"
RATE = 16000
SPLITS = {"s1": "train", "s2": "train", "s3": "valid", "s4": "test"}
SENTENCES = ["Please call Stella.", "We call it bear.", "Bring these things."]
TINY_BACKBONE = (
    "{width: 8, lip_channels: 2, num_layers: 1, drop_rate: 0.0, crop_size: 32}"
)
TINY_SCORE = (
    f"{{predictive: {TINY_BACKBONE}, model_channels: 8, channel_mult: [1, 1], "
    "num_res_blocks: 1, steps: 1}"
)


def make_corpus(folder, clips=3):
    """Write clips.csv; what it calls videos are files that nobody reads."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = ["id,video,speaker,transcript,split,phones"]
    for speaker, split in SPLITS.items():
        for number in range(clips):
            name = f"{speaker}_{number}"
            (folder / f"{name}.mkv").write_bytes(b"video")
            said = SENTENCES[number % 3]
            rows.append(f"{name},{name}.mkv,{speaker},{said},{split},b ɛ ɹ")
    (folder / "clips.csv").write_text("\n".join(rows) + "\n", "utf-8")
    for split in ("train", "valid", "test"):
        tiny_aishell.make_noise(folder / "noise" / split, files=2)
    return folder


def prepared(clips, folder, **options):
    """Stands in for `prepare_clips`: noise for sound and pictures."""
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(clips):
        rng = np.random.default_rng(number)
        samples = 9600 + 640 * (number % 3)
        pulse = np.sin(np.arange(samples) / 700) ** 2
        clean = 0.1 * pulse * rng.standard_normal(samples)
        sf.write(folder / f"{name}.wav", clean, RATE, subtype="PCM_16")
        frames = samples // 640
        pixels = rng.integers(0, 256, (frames, 96, 96), dtype=np.uint8)
        write_lips(folder / f"{name}.lips.npz", pixels, np.ones(frames))
    return {name: {"fault": ""} for name in clips}


def module(name="avse_prepare"):
    """A module of the recipe, as one finds it in the recipe's folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(RECIPE)
        return importlib.import_module(name)


def annotate(corpus, save_folder, **options):
    """The annotations of a run, with `prepare_clips` standing in."""
    recipe, table = module(), module("avse_table")
    split = module("avse_split")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipe, "prepare_clips", prepared)
        arguments = {
            "reader": table.ClipTable(),
            "split": split.ByColumn(),
            **options,
        }
        recipe.prepare_avse(
            corpus, corpus / "prepared", save_folder, **arguments
        )


def flags(corpus, output_folder, teacher=None, **more):
    """Command line flags of a small run whose annotations are there."""
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
        "skip_prep": True,
        **more,
    }
    return tiny_voicebank.flags(corpus, output_folder, teacher, **values)


def run(yaml, arguments, status=0):
    """``python train.py hparams/YAML ...`` from the recipe's folder."""
    return tiny_voicebank.run(yaml, arguments, status, RECIPE)
