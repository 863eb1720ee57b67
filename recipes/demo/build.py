#!/usr/bin/env python3
"""Lay the demo corpus out as VoiceBank-DEMAND is.

    python build.py OUT

writes to OUT, in 16 kHz wav, the folders that the VoiceBank recipe reads
(`clean_trainset_28spk_wav_16k`, `noisy_testset_wav_16k`, `testset_txt` ...)
and `mixtures.csv` (file, snr_db, noise). Needs cmkt_plugin; espeak-ng is not
needed. OUT appears whole or not at all; a finished one is left as it is.

Noise is generated here, each item's from a generator seeded with its name:
the mixtures are the same on every machine.
"""

import argparse
import csv
import hashlib
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import soundfile as sf
from mixtures import CORPUS, RATE, mixture

from cmkt_plugin import generated_noise

HERE = Path(__file__).resolve().parent
FOLDERS = {
    "train": "trainset_28spk",
    "valid": "trainset_28spk",
    "test": "testset",
}
STAMP = "built_from.txt"  # fingerprint of what OUT was made from


def read_corpus():
    """The rows of corpus.csv, with each item's number within its split.

    Raises
    ------
    FileNotFoundError
        The list or one of its recordings is missing.
    """
    path = CORPUS / "corpus.csv"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: check it out again")
    with open(path, newline="", encoding="utf-8") as file:
        items = list(csv.DictReader(file))
    count = dict.fromkeys(FOLDERS, 0)
    for item in items:
        if not (CORPUS / item["file"]).is_file():
            raise FileNotFoundError(
                f"{CORPUS / item['file']}, listed in {path.name}, is missing: "
                "check it out again"
            )
        item["number"] = count[item["split"]]
        count[item["split"]] += 1
    return items


def write_item(out, item, corpus):
    """Write one item's three files; return its row of mixtures.csv."""
    clean, noisy, snr_db, kind = mixture(item, corpus)
    clean_wav, noisy_wav, text = paths(out, item)
    for path, samples in ((clean_wav, clean), (noisy_wav, noisy)):
        path.parent.mkdir(exist_ok=True)
        pcm = np.round(samples * 32767).astype("int16")
        sf.write(path, pcm, RATE, subtype="PCM_16")
    text.parent.mkdir(exist_ok=True)
    text.write_text(item["transcript"] + "\n", encoding="utf-8")
    return item["id"], snr_db, kind


def paths(out, item):
    """Where one item's clean wav, noisy wav and transcript go."""
    folder, name = FOLDERS[item["split"]], item["id"]
    return (
        out / f"clean_{folder}_wav_16k" / f"{name}.wav",
        out / f"noisy_{folder}_wav_16k" / f"{name}.wav",
        out / f"{folder}_txt" / f"{name}.txt",
    )


def fingerprint(items):
    """Hash of the recordings, their list and the code that mixes them."""
    digest = hashlib.sha256()
    sources = [CORPUS / "corpus.csv", *(CORPUS / i["file"] for i in items)]
    code = (HERE / "build.py", HERE / "mixtures.py", generated_noise.__file__)
    for path in (*sources, *code):
        digest.update(Path(path).read_bytes())
    return digest.hexdigest() + "\n"


def is_complete(out, items):
    """Whether `out` holds every file of a build of just these items.

    Raises
    ------
    FileExistsError
        `out` is there and is anything else: it is not touched.
    """
    if not out.exists():
        return False
    stamp, way_out = out / STAMP, "remove it, or name another folder"
    if not stamp.is_file():
        raise FileExistsError(
            f"{out} exists and is not a demo corpus (no {STAMP} in it): "
            f"{way_out}"
        )
    if stamp.read_text() != fingerprint(items):
        raise FileExistsError(
            f"{out} was built from another version of the corpus: {way_out}"
        )
    expected = [out / "mixtures.csv"]
    expected += [path for item in items for path in paths(out, item)]
    missing = [path for path in expected if not path.is_file()]
    if missing:
        raise FileExistsError(
            f"{out} lacks {len(missing)} of {len(expected)} files, the first "
            f"{missing[0].relative_to(out)}: {way_out}"
        )
    return True


def build(out, only=None):
    """Build the corpus in `out` unless it is there already.

    Arguments
    ---------
    out : path
        The folder to make.
    only : collection of str, optional
        Ids of the items to build (for tests); all if None.

    Returns
    -------
    bool
        Whether anything was written.
    """
    out, corpus = Path(out), read_corpus()
    items = [i for i in corpus if only is None or i["id"] in only]
    if is_complete(out, items):
        return False
    partial = out.with_name(out.name + ".partial")
    if partial.exists():  # left by a killed build
        shutil.rmtree(partial)
    partial.mkdir(parents=True)
    rows = [write_item(partial, item, corpus) for item in items]
    with open(partial / "mixtures.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([("file", "snr_db", "noise"), *rows])
    (partial / STAMP).write_text(fingerprint(items))
    os.replace(partial, out)
    return True


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", metavar="OUT", type=Path, help="folder to make")
    out = parser.parse_args().out
    try:
        built = build(out)
    except (OSError, ValueError) as error:
        sys.exit(f"build.py: {error}")
    print(f"{out}: {'built' if built else 'complete already'}")


if __name__ == "__main__":
    main()
