"""How many phones can be read from the rendered lips alone."""

from collections import Counter

import torch

from cmkt_plugin.markdown_table import how_it_was_made, table
from cmkt_plugin.talking_lips.lip_reader import train_reader
from cmkt_plugin.talking_lips.lip_reading_data import read_sets
from cmkt_plugin.talking_lips.visemes import VISEMES
from cmkt_plugin.visual.lips import Lips

SILENT = 0  # number of silence among the phones


def measure(corpus, lips, sizes, jobs=None, **training):
    """Trains a lip reader and tests it on talkers it has never seen.

    Arguments
    ---------
    corpus : pathlib.Path
        Folder of ``cmkt talking-lips``.
    lips : pathlib.Path
        Folder of prepared lips.
    sizes : dict
        ``width`` and ``channels`` of the reader.
    jobs : int or None
        Processes that prepare lips.
    **training
        As for ``train_reader``.

    Returns
    -------
    dict
        ``phones``, their number; ``test`` and ``by_speaker`` (see ``score``);
        ``by_epoch``; sizes and settings of the training.
    """
    sets, phones = read_sets(corpus, lips, jobs)
    guess = guesses(sets["train"])

    def valid_accuracy(reader):
        return score(read(reader, sets["valid"]), guess)["phone_accuracy"]

    reader, epochs = train_reader(
        sets["train"], len(phones), valid_accuracy, sizes=sizes, **training
    )
    frames = read(reader, sets["test"])
    speakers = sorted({frame["speaker"] for frame in frames})
    return {
        "phones": len(phones) - 1,
        "clips": {split: len(dataset) for split, dataset in sets.items()},
        "test": score(frames, guess),
        "by_speaker": {
            speaker: score(
                [f for f in frames if f["speaker"] == speaker], guess
            )
            for speaker in speakers
        },
        "training": {**sizes, **training, "by_epoch": epochs},
    }


@torch.no_grad()
def read(reader, dataset):
    """What a reader makes of every frame in which something is spoken.

    It is told that it is: silence is no choice.

    Arguments
    ---------
    reader : LipReader
        In evaluation mode.
    dataset : speechbrain.dataio.dataset.DynamicItemDataset
        From ``read_sets``.

    Returns
    -------
    list of dict
        ``speaker``, ``phone`` and ``viseme`` spoken, ``phone_read`` and
        ``viseme_read``, as numbers.
    """
    device = next(reader.parameters()).device
    frames = []
    for item in dataset:
        lips = Lips(item["lips"][None], item["present"][None])
        phone, viseme = reader(Lips(*(part.to(device) for part in lips)))
        phone[..., SILENT] = viseme[..., VISEMES.index("silence")] = -torch.inf
        columns = {
            "phone": item["phone"],
            "viseme": item["viseme"],
            "phone_read": phone[0].argmax(-1).cpu(),
            "viseme_read": viseme[0].argmax(-1).cpu(),
        }
        speaker = dataset.data[item["id"]]["speaker"]
        rows = zip(*(column.tolist() for column in columns.values()))
        frames += [
            {"speaker": speaker, **dict(zip(columns, row))}
            for row in rows
            if row[0] != SILENT
        ]
    return frames


def guesses(dataset):
    """The best guesses without looking, and with no more than the viseme.

    Arguments
    ---------
    dataset : speechbrain.dataio.dataset.DynamicItemDataset
        The training set.

    Returns
    -------
    dict
        ``phone`` and ``viseme``, the most frequent ones of its frames;
        ``phone_of_viseme``, the most frequent phone of each viseme.
    """
    counts = Counter()
    with dataset.output_keys_as(["phone", "viseme"]):
        for item in dataset:
            counts.update(zip(item["phone"].tolist(), item["viseme"].tolist()))
    ranked = [pair for pair, _ in counts.most_common() if pair[0] != SILENT]
    visemes = Counter()
    for (phone, viseme), count in counts.items():
        visemes[viseme] += count * (phone != SILENT)
    return {
        "phone": ranked[0][0],
        "viseme": visemes.most_common(1)[0][0],
        "phone_of_viseme": {v: p for p, v in reversed(ranked)},
    }


def score(frames, guess):
    """Accuracies over frames in which something is spoken.

    Arguments
    ---------
    frames : list of dict
        From ``read``.
    guess : dict
        From ``guesses``.

    Returns
    -------
    dict
        ``frames``; ``phone_accuracy`` and ``viseme_accuracy`` of the reader;
        ``phone_majority`` and ``viseme_majority`` of the most frequent one;
        ``phone_of_true_viseme``, of the most frequent phone of the viseme
        that is shown: what perfect lip reading without context would give.

    Example
    -------
    >>> frame = {"phone": 2, "viseme": 1, "phone_read": 2, "viseme_read": 0}
    >>> guess = {"phone": 5, "viseme": 1, "phone_of_viseme": {1: 3}}
    >>> found = score([frame], guess)
    >>> found["phone_accuracy"], found["phone_majority"]
    (1.0, 0.0)
    """
    alone = guess["phone_of_viseme"]
    right = {
        "phone_accuracy": [f["phone_read"] == f["phone"] for f in frames],
        "phone_majority": [guess["phone"] == f["phone"] for f in frames],
        "phone_of_true_viseme": [
            alone.get(f["viseme"]) == f["phone"] for f in frames
        ],
        "viseme_accuracy": [f["viseme_read"] == f["viseme"] for f in frames],
        "viseme_majority": [guess["viseme"] == f["viseme"] for f in frames],
    }
    shares = {name: sum(hits) / len(hits) for name, hits in right.items()}
    return {"frames": len(frames), **shares}


def markdown(measured, provenance):
    """The report.

    Arguments
    ---------
    measured : dict
        From ``measure``.
    provenance : dict
        From ``cmkt_plugin.provenance.record``.

    Returns
    -------
    str
    """
    shown = {
        "frames": "spoken frames",
        "phone_accuracy": "phones read",
        "phone_majority": "most frequent phone",
        "phone_of_true_viseme": "most frequent phone of the true viseme",
        "viseme_accuracy": "visemes read",
        "viseme_majority": "most frequent viseme",
    }
    lines = {"all test talkers": measured["test"], **measured["by_speaker"]}
    rows = [
        [name, found["frames"], *(f"{found[key]:.3f}" for key in [*shown][1:])]
        for name, found in lines.items()
    ]
    clips = ", ".join(f"{n} {split}" for split, n in measured["clips"].items())
    intro = (
        f"Accuracy per frame of 40 ms in which one of {measured['phones']} "
        f"phones is spoken, from the picture alone; {clips} clips, talkers and "
        "sentences of the test not in training. The reader sees the whole clip."
    )
    return "\n\n".join(
        [
            "# Lip reading",
            intro,
            table(["", *shown.values()], rows),
            how_it_was_made(provenance) + "\n",
        ]
    )
