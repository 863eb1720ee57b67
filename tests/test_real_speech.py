"""The default recipe on speech: PESQ decides, a batch gives what a file gives.

On the embedded corpus everywhere, and on human speech where a folder
``shared`` with recordings lies beside the checkout.
"""

import csv
import json
import random
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import tiny_voicebank
import torch

from cmkt_plugin.inference import CMKTEnhancement

ROOT = Path(__file__).parents[1]
HUMAN = ROOT.parent / "shared" / "corpora"
SPLITS = {"p226": ("trainset_28spk", 2), "p287": ("trainset_28spk", 2)}
SPLITS |= {"p301": ("trainset_28spk", 6), "p401": ("testset", 2)}


def lay_out(folder, clean, noise, texts):
    """Write a handful of utterances, mixed at 5 dB, in VoiceBank's layout."""
    clean, texts = iter(clean), iter(texts)
    for speaker, (part, count) in SPLITS.items():
        for number in range(count):
            speech, name = next(clean), f"{speaker}_{number:03d}"
            hiss = np.resize(noise, len(speech))
            level = np.sqrt(np.mean(speech**2) / np.mean(hiss**2))
            noisy = speech + hiss * level * 10 ** (-5 / 20)
            for kind, wav in (("clean", speech), ("noisy", noisy)):
                path = folder / f"{kind}_{part}_wav_16k" / f"{name}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                sf.write(path, wav * 0.5, 16000, subtype="PCM_16")
            text = folder / f"{part}_txt" / f"{name}.txt"
            text.parent.mkdir(exist_ok=True)
            text.write_text(next(texts) + "\n")
    return folder


def embedded(folder):
    corpus = ROOT / "recipes" / "demo" / "corpus"
    with open(corpus / "corpus.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[:12]
    noise = np.random.default_rng(0).standard_normal(16000)
    speech = (sf.read(corpus / Path(row["file"]).name)[0] for row in rows)
    return lay_out(folder, speech, noise, (r["transcript"] for r in rows))


def human(folder):
    if not (HUMAN / "en.csv").exists():
        pytest.skip(f"no human speech here: {HUMAN} does not exist")
    with open(HUMAN / "en.csv", newline="", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["split"] == "test"]
    rows = random.Random(0).sample(rows, 12)
    with open(HUMAN / "noise.csv", newline="", encoding="utf-8") as file:
        noise = sf.read(HUMAN / next(csv.DictReader(file))["file"])[0]
    speech = (sf.read(HUMAN / row["file"])[0] for row in rows)
    return lay_out(folder, speech, noise, (r["transcript"] for r in rows))


@pytest.mark.parametrize("source", [embedded, human])
def test_default_recipe_on_speech(source, tmp_path):
    corpus = source(tmp_path / "corpus")
    arguments = tiny_voicebank.flags(
        corpus,
        tmp_path / "run",
        valid_metrics="[pesq, stoi]",
        best_metric="pesq",
        save_enhanced=True,
        cache_folder=tmp_path / "embeddings",
    )
    tiny_voicebank.run("cmkt.yaml", arguments)
    summary = json.loads((tmp_path / "run/test_summary.json").read_text())
    assert summary["count"] == dict.fromkeys(summary["count"], 2)
    assert 1.0 < summary["scores"]["pesq"] < 4.64
    assert summary["valid"]["retrieval_pool"] > 5

    # The exported folder gives the samples that were scored at test.
    exported = CMKTEnhancement.from_safe(tmp_path / "run" / "export")
    for number in range(2):
        name = f"p401_{number:03d}.wav"
        noisy, _ = sf.read(corpus / "noisy_testset_wav_16k" / name)
        scored, _ = sf.read(tmp_path / "run" / "enhanced_wavs" / name)
        given = exported.enhance_batch(
            torch.from_numpy(noisy).float().unsqueeze(0), torch.ones(1)
        )
        step = 2.0**-15  # the file holds 16 bits
        assert np.abs(given[0].numpy() - scored).max() <= step
