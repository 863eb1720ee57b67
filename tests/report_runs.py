"""Run folders at toy size, as train.py leaves them, for the report's tests."""

import json
from io import StringIO

import numpy as np
import soundfile
import torch
from hyperpyyaml import load_hyperpyyaml, resolve_references
from noisy_pairs import RATE, make_pair
from speechbrain.utils.checkpoints import Checkpointer
from speechbrain.utils.train_logger import FileTrainLogger
from toy_backbones import FOLDER, KNOBS

from cmkt_plugin.annotation import escape
from cmkt_plugin.metrics import METRICS
from cmkt_plugin.score_table import write_csv

SECONDS = {"p1_a": 0.7, "p1_b": 0.8, "p2_a": 0.75, "p2_b": 1.0}
WORDS = {
    "p1_a": "We call it bear.",
    "p1_b": "Please <script>alert('x')</script> & {call} Stella.",
    "p2_a": "Six spoons of $snow_peas$.",
    "p2_b": "Look at Ann's pants.",
}
# PESQ that each utterance gains over the noisy input, per run.
GAINS = {
    "baseline": {"p1_a": 0.1, "p1_b": 0.2, "p2_a": -0.3, "p2_b": 0.4},
    "cmkt": {"p1_a": 0.6, "p1_b": 0.1, "p2_a": 0.4, "p2_b": 0.6},
}
NOISY = {"p1_a": 1.1, "p1_b": 1.2, "p2_a": 1.9, "p2_b": 1.4}
TRANSFER = """
transfer: !new:cmkt_plugin.transfer.Transfer
    teacher: !new:cmkt_plugin.teacher.LanguageModelTeacher
        source: {teacher}
        units: !new:cmkt_plugin.units.WholeWords
    cache_folder: {folder}/cache
    tap: !new:cmkt_plugin.latent.LatentTap
        module: !ref <backbone[enhancer]>
        name: !ref <backbone[latent]>
        frames_dim: !ref <backbone[latent_frames_dim]>
    aligner: !name:cmkt_plugin.cross_modality.CrossModalityTransformer
        query: !name:cmkt_plugin.queries.{query}
        width: 16
        nhead: 2
        num_layers: 1
        d_ffn: 16
    standardization: !new:cmkt_plugin.standardization.Standardization
    control: !new:cmkt_plugin.controls.CorpusTranscripts
    shifted_alignment: !new:cmkt_plugin.shifted_alignment.ShiftedAlignment
        unit: !new:cmkt_plugin.shifted_alignment.Frames
        amount: !new:cmkt_plugin.shifted_alignment.Uniform
            minimum: 0
            maximum: 0
        probability: 0
"""


def write_corpus(folder):
    """Pairs of noisy and clean speech, and mixtures.csv."""
    lines = ["file,snr_db,noise"]
    for seed, (name, seconds) in enumerate(SECONDS.items()):
        for side, wav in zip(("noisy", "clean"), make_pair(seed, seconds)):
            (folder / side).mkdir(parents=True, exist_ok=True)
            soundfile.write(folder / side / f"{name}.wav", 0.5 * wav, RATE)
        lines.append(
            f"{name}.wav,{5 * (seed % 2)},{('babble', 'hum')[seed // 2]}"
        )
    (folder / "mixtures.csv").write_text("\n".join(lines) + "\n")
    return folder


def write_run(folder, corpus, teacher=None, query="RelativePosition", seed=1):
    """A finished run; with a teacher one with transfer."""
    (folder / "save").mkdir(parents=True)
    _write_annotations(folder)
    knobs = "".join(f"    {k}: {v}\n" for k, v in KNOBS["blstm"].items())
    text = (
        f"seed: {seed}\ndata_folder: {corpus}\nsample_rate: {RATE}\n"
        f"number_of_epochs: 3\nbest_metric: pesq\n"
        f"backbone: !include:{FOLDER}/blstm.yaml\n{knobs}"
        "modules:\n    enhancer: !ref <backbone[enhancer]>\n"
    )
    if teacher:
        text += TRANSFER.format(teacher=teacher, folder=folder, query=query)
    resolved = resolve_references(StringIO(text)).getvalue()
    (folder / "hyperparams.yaml").write_text(resolved)
    # The transfer changes the student.
    weights = seed + 10 * bool(teacher)
    _write_checkpoint(folder, resolved, weights, with_aligner=bool(teacher))
    write_log(folder, 3, transfer=bool(teacher))
    write_scores(folder, GAINS[folder.parent.name], shift=0.01 * seed)
    return folder


def _write_annotations(folder):
    test = {
        name: {
            "noisy_wav": f"{{data_root}}/noisy/{name}.wav",
            "clean_wav": f"{{data_root}}/clean/{name}.wav",
            "length": seconds,
            "speaker": name[:2],
            "words": escape(WORDS[name]),
        }
        for name, seconds in SECONDS.items()
    }
    for split in ("train", "test"):
        (folder / "save" / f"{split}.json").write_text(json.dumps(test))


def _write_checkpoint(folder, resolved, seed, with_aligner):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        built = load_hyperpyyaml(resolved)
    parts = {"enhancer": built["modules"]["enhancer"]}
    if with_aligner:
        parts["aligner"] = built["transfer"].aligner
        # It has a seed of its own: anew it would be the same.
        for parameter in parts["aligner"].parameters():
            parameter.data *= 1.5
    checkpointer = Checkpointer(folder / "save", parts)
    checkpointer.save_checkpoint(meta={"pesq": 2.0})
    for parameter in parts["enhancer"].parameters():
        parameter.data += 1.0
    checkpointer.save_checkpoint(meta={"pesq": 1.0})  # not the best one


def write_log(folder, epochs, transfer=True):
    """train_log.txt by SpeechBrain's own logger."""
    logger = FileTrainLogger(str(folder / "train_log.txt"))
    for epoch in range(1, epochs + 1):
        train = {"loss": 1.0 / epoch, "log_magnitude": 0.5 / epoch}
        valid = {**train, "pesq": 1.0 + epoch / 10, "estoi": None}
        if transfer:
            train["cosine"] = valid["cosine"] = 0.9
            valid["retrieval_pool"] = 40
            for kind, hit in (("retrieval", 0.5), ("rolled", 0.25)):
                valid[f"{kind}_top1"] = hit
        logger.log_stats({"epoch": epoch, "lr": 0.01}, train, valid)


def write_scores(folder, gains, shift=0.0, data="d1", notes=None):
    """The scores of a run and how it was made."""

    def rows(value):
        return [
            {
                "id": name,
                "speaker": name[:2],
                **dict.fromkeys(METRICS, value(name)),
                "note": "",
            }
            for name in SECONDS
        ]

    noisy = rows(NOISY.get)
    tested = rows(lambda name: NOISY[name] + gains[name] + shift)
    for row in tested:
        if row["id"] in (notes or {}):
            row.update(pesq=None, note=notes[row["id"]])
    write_csv(noisy, folder / "noisy_scores.csv")
    write_csv(tested, folder / "test_scores.csv")
    mean = float(np.mean(list(NOISY.values())))
    summary = {
        "noisy": dict.fromkeys(METRICS, mean),
        "parameters": 1234,
        "epochs": 3,
        "train_minutes": 1.5,
        "valid": {"retrieval_top1": 0.5, "retrieval_pool": 40},
    }
    (folder / "test_summary.json").write_text(json.dumps(summary))
    experiment = {
        "version": "0.1.0",
        "commit": "abcdef",
        "command": "python train.py hparams/cmkt.yaml --data_folder corpus",
        "machine": "a machine",
        "torch": "2",
        "speechbrain": "1",
        "date": "2025-01-01T00:00:00+00:00",
        "fingerprint": {"data": data},
    }
    (folder / "experiment.json").write_text(json.dumps(experiment))
