"""All measurements: a manifest, the embedding cache, the first batch."""

import json
import os
from pathlib import Path

import numpy as np
import soundfile

from cmkt_plugin import minilm
from cmkt_plugin.scale import corpus
from cmkt_plugin.scale.process import measure_alone

NOISES, ROOMS = 200, 20
RATE = 16000  # Hz


def measure(entries, sentences, contextual, folder, report=print):
    """Generates the corpora and measures, each time in a new process.

    Arguments
    ---------
    entries : int
        Of the manifest.
    sentences : int
        Of the embedding cache.
    contextual : int
        Sentences that are embedded with the teacher's last layer.
    folder : str or pathlib.Path
        Takes up everything: about 1 kB per entry, 27 kB per sentence.
    report : callable
        Told what is being done.

    Returns
    -------
    dict
        ``manifest``, ``cache``, ``contextual`` and ``first_batch``: what
        `measure_alone` returns, and the sizes; ``load_average``, the
        machine's before anything was measured.
    """
    folder = Path(folder).resolve()
    found = {"load_average": os.getloadavg()[0]}
    words = corpus.read_words(Path(minilm.folder(), "vocab.txt"))

    report(f"manifest of {entries} entries")
    texts = corpus.sentences(entries, words)
    given = {
        "annotation": _write_annotation(folder / "clean.json", texts),
        "noise": _write_audio(folder / "noise", NOISES, seconds=4.0),
        "rirs": _write_audio(folder / "rirs", ROOMS, seconds=0.5),
        "output": str(folder / "manifest.json"),
    }
    found["manifest"] = {"entries": entries, **_alone("manifest", given)}
    found["manifest"]["noises"], found["manifest"]["rooms"] = NOISES, ROOMS

    texts = corpus.sentences(sentences, words)
    for name, layer, size in (
        ("cache", None, sentences),
        ("contextual", -1, contextual),
    ):
        report(f"embedding cache of {size} sentences, layer {layer}")
        path = folder / f"{name}.txt"
        path.write_text("\n".join(texts[:size]), encoding="utf-8")
        cache = str(folder / name)
        given = {"texts": str(path), "folder": cache, "layer": layer}
        found[name] = _alone("cache", given)

    report("first batch")
    given = {
        "annotation": _write_annotation(folder / "pairs.json", texts, "pairs"),
        "audio": _write_audio(folder / "pairs", 1, seconds=1.0),
        "folder": str(folder / "cache"),
    }
    found["first_batch"] = _alone("first_batch", given)
    return found


def _alone(part, given):
    folder = Path(given.get("output") or given["folder"]).parent
    return measure_alone(f"{__package__}.{part}", given, folder)


def _write_annotation(path, texts, audio=None):
    """Clean speech in name only, or pairs that are all one recording."""
    if audio is None:
        entries = corpus.annotation(texts, "{{data_root}}/{name}.flac")
    else:
        entries = corpus.annotation(texts, "{{data_root}}/0000.wav")
        for entry in entries.values():
            entry["noisy_wav"] = entry["clean_wav"]
    path.write_text(json.dumps(entries), encoding="utf-8")
    return str(path)


def _write_audio(folder, count, seconds):
    folder.mkdir()
    generator = np.random.default_rng(1)
    for number in range(count):
        samples = generator.uniform(-0.5, 0.5, int(seconds * RATE))
        soundfile.write(folder / f"{number:04}.wav", samples, RATE)
    return str(folder)
