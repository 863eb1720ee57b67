"""A toy run as a finished training leaves it, with data, scores and summary."""

import json

import numpy as np
import soundfile
from test_export import make_run

from cmkt_plugin.score_table import summarize, write_csv

SPEAKERS, FILES = "abcdef", 3
TAUGHT = """\
objective:
  weights:
    mse: 1.0
    cosine: !new:cmkt_plugin.schedules.Linear {{start: 0.0139999999, end: 0.0}}
transfer: !new:cmkt_plugin.transfer.Transfer
  teacher: !new:cmkt_plugin.teacher.LanguageModelTeacher
    source: /srv/models/bert-base-uncased
    layer: -1
    units: !new:cmkt_plugin.units.WholeWords {{keep_punctuation: false}}
  cache_folder: /srv/cache
  control: !new:cmkt_plugin.controls.{control}
"""
COMMON = """\
seed: 7
data_folder: {data}
opt_class: !name:torch.optim.Adam {{lr: 0.001}}
lr: 0.001
batch_seconds: 32
"""
EXPERIMENT = {
    "version": "0.1.0",
    "commit": "0123456789abcdef",
    "command": "python train.py hparams/cmkt.yaml --data_folder my_corpus "
    "--output_folder=my_results --precision bf16",
    "machine": "a processor, 2 cores, no GPU",
    "python": "3.11.7",
    "torch": "2.11.0",
    "speechbrain": "1.1.2",
    "date": "2026-01-02T03:04:05+00:00",
}


def finished_run(
    folder,
    gain=0.2,
    name="blstm",
    control="CorpusTranscripts",
    words="a red bag",
    spread=0.05,
):
    """Makes a run whose scores are those of the noisy input plus a gain.

    Arguments
    ---------
    folder : pathlib.Path
        To make; the recordings lie beside it, in ``data``.
    gain : float
        Of PESQ, on the average; the other scores follow.
    name : str
        A toy backbone.
    control : str or None
        What the transfer is given; None: there is no transfer.
    words : str
        The transcript of every recording.
    spread : float
        By how much the gain of a file may differ from that.
    """
    make_run(folder, name)
    data = folder.parent / "data"
    with open(folder / "hyperparams.yaml", "a") as file:
        file.write(COMMON.format(data=data))
        file.write(TAUGHT.format(control=control) if control else "")
    names = [f"{s}{number}" for s in SPEAKERS for number in range(FILES)]
    generator = np.random.default_rng(1)
    noisy = generator.uniform(1.0, 2.0, len(names))
    # Each file has a gain of its own, the same in every run but for `gain`.
    gains = gain + generator.uniform(-spread, spread, len(names))
    _write_scores(folder / "noisy_scores.csv", names, noisy)
    rows = _write_scores(folder / "test_scores.csv", names, noisy + gains)
    summary = {
        **summarize(rows),
        "noisy": summarize(_rows(names, noisy))["scores"],
        "parameters": 1234,
        "best_epoch": 2,
        "epochs": 3,
        "train_minutes": 4.0,
    }
    (folder / "test_summary.json").write_text(json.dumps(summary))
    (folder / "experiment.json").write_text(json.dumps(EXPERIMENT))
    entries = {n: _recording(data, n, words) for n in names}
    (folder / "save" / "test.json").write_text(json.dumps(entries))


def _write_scores(path, names, pesq):
    rows = _rows(names, pesq)
    write_csv(rows, path)
    return rows


def _rows(names, pesq):
    return [
        {
            "id": name,
            "speaker": name[0],
            "pesq": float(value),
            "stoi": float(value / 4),
            "estoi": float(value / 5),
            "si_sdr": float(10 * value),
            **dict.fromkeys(("csig", "cbak", "covl"), 1.0),
            "note": "",
        }
        for name, value in zip(names, pesq)
    ]


def _recording(data, name, words):
    """Entry of a test annotation, and its recording of 2.1 s."""
    path = data / "noisy" / f"{name}.wav"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        generator = np.random.default_rng(sum(name.encode()))
        noise = 0.1 * generator.standard_normal(33600)
        soundfile.write(path, noise, 16000, subtype="PCM_16")
    return {
        "noisy_wav": f"{{data_root}}/noisy/{name}.wav",
        "clean_wav": f"{{data_root}}/noisy/{name}.wav",
        "length": 2.1,
        "speaker": name[0],
        "words": words,
    }
