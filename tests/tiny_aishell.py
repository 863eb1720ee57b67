"""AISHELL-1's layout with a dozen short files, noise, and a tiny teacher."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile as sf

RECIPE = Path(__file__).parents[1] / "recipes" / "AISHELL-1"
RATE = 16000
SENTENCES = ["而 对 楼市", "成交 抑制 作用", "最 大 的 限 购", "北京 上海"]
SPEAKERS = {"train": ["S0002", "S0003"], "dev": ["S0724"], "test": ["S0764"]}


def make_corpus(folder, utterances=4):
    """Write data_aishell; modulated noise stands in for speech."""
    rng = np.random.default_rng(0)
    lines = []
    for split, speakers in SPEAKERS.items():
        for speaker in speakers:
            wavs = folder / "data_aishell" / "wav" / split / speaker
            wavs.mkdir(parents=True)
            for number in range(utterances):
                name = f"BAC009{speaker}W{number:04d}"
                samples = 9600 + 800 * (number % 3)
                pulse = np.sin(np.arange(samples) / 700) ** 2
                clean = 0.1 * pulse * rng.standard_normal(samples)
                sf.write(wavs / f"{name}.wav", clean, RATE, subtype="PCM_16")
                lines.append(f"{name} {SENTENCES[number % 4]}")
    text = folder / "data_aishell/transcript/aishell_transcript_v0.8.txt"
    text.parent.mkdir()
    text.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def make_noise(folder, files=24):
    """Write noises of another rate, in a folder of a folder."""
    rng = np.random.default_rng(1)
    inner = folder / "more"
    inner.mkdir(parents=True)
    for number in range(files):
        noise = 0.1 * rng.standard_normal(24000)
        sf.write(inner / f"noise{number}.flac", noise, 22050)
    return folder


def make_teacher(folder):
    """Save a two-layer BERT whose pieces are characters."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder.mkdir()
    characters = sorted(set("".join(SENTENCES)) - {" "})
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters]
    (folder / "vocab.txt").write_text("\n".join(pieces), encoding="utf-8")
    tokenizer = BertTokenizerFast.from_pretrained(str(folder))
    tokenizer.save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        initializer_range=0.5,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        BertModel(config).save_pretrained(folder)
    return str(folder)


def flags(corpus, noise, output_folder, teacher=None, **more):
    """Command line flags of a small run on the corpus."""
    values = {
        "data_folder": corpus,
        "noise_folder": noise,
        "output_folder": output_folder,
        "backbone": "{base_channels: 32, num_blocks: 2, nhead: 2, "
        "intermediate_size: 16, drop_rate: 0.0}",
        "number_of_epochs": 2,
        "batch_seconds": 1.4,
        "score_jobs": 1,
        # Noise has no PESQ.
        "valid_metrics": "[si_sdr]",
        "best_metric": "si_sdr",
        **more,
    }
    if teacher is not None:
        values["cache_folder"] = Path(output_folder).parent / "embeddings"
        values["teacher"] = f"{{source: {teacher}}}"
    return [f"--{key}={value}" for key, value in values.items()]


def run(yaml, arguments, status=0, recipe=RECIPE):
    """``python train.py hparams/YAML ...`` from the recipe's folder."""
    done = subprocess.run(
        [sys.executable, "train.py", f"hparams/{yaml}", "--device=cpu"]
        + ["--noprogressbar", *arguments],
        cwd=recipe,
        capture_output=True,
        text=True,
    )
    output = done.stdout + done.stderr
    assert (done.returncode == 0) == (status == 0), output[-3000:]
    return output
