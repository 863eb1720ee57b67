"""AISHELL-1's layout with a dozen short files, noise, and a tiny teacher."""

from pathlib import Path

import numpy as np
import soundfile as sf
import tiny_voicebank
from tiny_voicebank import TINY_BACKBONE

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
    """Command line flags of a small run on the corpus, without dropout."""
    values = {
        "noise_folder": noise,
        "backbone": f"{TINY_BACKBONE[:-1]}, drop_rate: 0.0}}",
        "number_of_epochs": 2,
        **more,
    }
    return tiny_voicebank.flags(corpus, output_folder, teacher, **values)


def run(yaml, arguments, status=0, recipe=RECIPE):
    """``python train.py hparams/YAML ...`` from the recipe's folder."""
    return tiny_voicebank.run(yaml, arguments, status, recipe)
