"""The rendered corpus as a lip reader sees it: lips and a phone per frame."""

import csv
from pathlib import Path

import torch
from speechbrain.dataio.dataset import DynamicItemDataset
from speechbrain.utils.data_pipeline import provides, takes

from cmkt_plugin.talking_lips.frame_phones import phone_of_frames, read_phones
from cmkt_plugin.talking_lips.visemes import SILENCE, VISEMES, viseme_of
from cmkt_plugin.visual.prepare import prepare_clips
from cmkt_plugin.visual.prepare_clip import paths_of
from cmkt_plugin.visual.prepared_clip import read_lips

SPLITS = ("train", "valid", "test")
ITEMS = ["lips", "present", "phone", "viseme"]


def read_sets(corpus, lips, jobs=None):
    """The splits of a corpus; lips that are not yet prepared are prepared.

    Arguments
    ---------
    corpus : pathlib.Path
        Folder of ``cmkt talking-lips``.
    lips : pathlib.Path
        Folder of prepared lips.
    jobs : int or None
        Processes that prepare; None takes all cores.

    Returns
    -------
    sets : dict
        Split to a dataset of ``lips`` (frames, 96, 96), ``present``,
        ``phone`` and ``viseme`` (frames,), the last two as numbers.
    phones : list of str
        What the numbers of phones stand for: those of the training set and
        ``SILENCE``; another split's own are -1.

    Raises
    ------
    FileNotFoundError
        If the folder is no rendered corpus.
    ValueError
        If a split has no usable clip.
    """
    rows = _rows(corpus)
    clips = {row["id"]: str(corpus / row["video"]) for row in rows}
    facts = prepare_clips(clips, lips, jobs)
    entries = {split: {} for split in SPLITS}
    for row in rows:
        if not facts[row["id"]]["fault"]:
            entry = _entry(corpus, lips, row, facts[row["id"]]["seconds"])
            entries[row["split"]][row["id"]] = entry
    for split, found in entries.items():
        if not found:
            raise ValueError(f"{corpus}: no usable clip for {split}")
    trained = (e["spoken"] for e in entries["train"].values())
    phones = [SILENCE, *sorted({p.symbol for said in trained for p in said})]
    sets = {split: _dataset(found, phones) for split, found in entries.items()}
    return sets, phones


def _rows(corpus):
    path = Path(corpus) / "clips.csv"
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing: expected a folder that `cmkt talking-lips` "
            "has finished."
        )
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _entry(corpus, lips, row, seconds):
    return {
        "lips_file": str(paths_of(lips, row["id"])[1]),
        "spoken": read_phones(corpus / "phones" / f"{row['id']}.csv"),
        "speaker": row["speaker"],
        "length": seconds,
    }


def _dataset(entries, phones):
    numbers = {phone: number for number, phone in enumerate(phones)}

    @takes("lips_file", "spoken")
    @provides(*ITEMS)
    def pipeline(lips_file, spoken):
        pixels, present = read_lips(lips_file)
        labels = phone_of_frames(spoken, len(pixels))
        yield torch.from_numpy(pixels)
        yield torch.from_numpy(present)
        yield torch.tensor([numbers.get(label, -1) for label in labels])
        yield torch.tensor([VISEMES.index(_viseme(label)) for label in labels])

    dataset = DynamicItemDataset(entries)
    dataset.add_dynamic_item(pipeline)
    dataset.set_output_keys(["id", *ITEMS])
    return dataset


def _viseme(label):
    return SILENCE if label == SILENCE else viseme_of(label)
