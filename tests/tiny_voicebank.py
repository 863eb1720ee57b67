"""A corpus of a dozen short files in VoiceBank's layout, and recipes on it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile as sf
from hyperpyyaml import load_hyperpyyaml

RECIPE = Path(__file__).parents[1] / "recipes" / "Voicebank"
RATE = 16000
SENTENCES = [
    "Please call Stella.",
    "Six spoons of fresh snow peas.",
    "Ask her to bring these things.",
    "We call it bear.",
]
SPEAKERS = {
    "trainset_28spk": ["p301", "p302", "p226", "p287"],
    "testset": ["p401"],
}
TINY_BACKBONE = (
    "{base_channels: 32, num_blocks: 2, nhead: 2, intermediate_size: 16}"
)


def make_corpus(folder, utterances=4):
    """Write the corpus; modulated noise stands in for speech."""
    rng = np.random.default_rng(0)
    for part, speakers in SPEAKERS.items():
        for speaker in speakers:
            for number in range(utterances):
                name = f"{speaker}_{number:03d}"
                samples = 9600 + 800 * (number % 3)
                pulse = np.sin(np.arange(samples) / 700) ** 2
                clean = 0.1 * pulse * rng.standard_normal(samples)
                noisy = clean + 0.05 * rng.standard_normal(samples)
                for kind, wav in (("clean", clean), ("noisy", noisy)):
                    path = folder / f"{kind}_{part}_wav_16k" / f"{name}.wav"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    sf.write(path, wav, RATE, subtype="PCM_16")
                text = folder / f"{part}_txt" / f"{name}.txt"
                text.parent.mkdir(exist_ok=True)
                text.write_text(SENTENCES[number % 4] + "\n")
    return folder


def flags(corpus, output_folder, teacher=None, **more):
    """Command line flags of a small run on the corpus."""
    values = {
        "data_folder": corpus,
        "output_folder": output_folder,
        "backbone": TINY_BACKBONE,
        "number_of_epochs": 1,
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


def load(yaml, arguments):
    """Prepare the corpus and load a recipe's YAML, as train.py does."""
    import speechbrain as sb

    sys.path.insert(0, str(RECIPE))
    try:
        from voicebank_prepare import prepare_voicebank
    finally:
        sys.path.remove(str(RECIPE))
    path, run_opts, overrides = sb.parse_arguments(
        [str(RECIPE / "hparams" / yaml), "--device=cpu", *arguments]
    )
    with open(path, encoding="utf-8") as file:
        hparams = load_hyperpyyaml(file, overrides)
    prepare_voicebank(hparams["data_folder"], hparams["save_folder"])
    return hparams, {**run_opts, "noprogressbar": True}


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
