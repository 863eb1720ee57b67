"""How long a training with a filled cache takes to its first batch."""

import time
from functools import partial
from itertools import pairwise

import torch
from speechbrain.dataio.dataloader import make_dataloader

from cmkt_plugin.controls import CorpusTranscripts
from cmkt_plugin.cross_modality import CrossModalityTransformer
from cmkt_plugin.dataset import make_dataset, training_batches
from cmkt_plugin.latent import LatentTap
from cmkt_plugin.queries import RelativePosition
from cmkt_plugin.scale.cache import make_teacher
from cmkt_plugin.shifted_alignment import Frames, ShiftedAlignment, Uniform
from cmkt_plugin.standardization import Standardization
from cmkt_plugin.transfer import Transfer

BATCH_SECONDS, BUCKETS = 32, 20  # as in the recipes


def measure(annotation, audio, folder):
    """Goes the recipes' way from annotation and cache to a batch.

    Arguments
    ---------
    annotation : str
        JSON file of the training set; validation takes the same one.
    audio : str
        Folder of its recordings.
    folder : str
        Of the filled cache.

    Returns
    -------
    dict
        ``steps``: name to seconds, in their order; ``batch``: shape of the
        batch's tokens (batch, tokens, width).
    """
    times = {"begin": time.perf_counter()}
    student = Student()
    transfer = make_transfer(student, folder)
    times["teacher, transfer"] = time.perf_counter()
    sets = {
        name: make_dataset(annotation, {"data_root": audio})
        for name in ("train", "valid")
    }
    times["annotations"] = time.perf_counter()
    texts = [entry["words"] for entry in sets["train"].data.values()]
    missing = transfer.cache.missing(texts)
    if missing:
        raise ValueError(f"{len(missing)} sentences are not in the cache")
    times["cache scan"] = time.perf_counter()
    transfer.prepare(sets)
    times["token count, standardisation"] = time.perf_counter()
    batches = training_batches(sets["train"], BATCH_SECONDS, BUCKETS, seed=1)
    times["batch sampler"] = time.perf_counter()
    batch = next(iter(make_dataloader(sets["train"], batch_sampler=batches)))
    times["first batch"] = time.perf_counter()
    ends = list(times.items())
    return {
        "steps": {
            name: end - start for (_, start), (name, end) in pairwise(ends)
        },
        "batch": list(batch.tokens.data.shape),
    }


class Student(torch.nn.Module):
    """Something to tap; it is never trained."""

    def __init__(self):
        super().__init__()
        self.frames = torch.nn.Conv1d(1, 64, kernel_size=512, stride=256)

    def forward(self, noisy, lengths=None):
        """Frames (batch, 64, frames) of waveforms (batch, time)."""
        return self.frames(noisy.unsqueeze(1))


def make_transfer(student, folder):
    """A transfer as the recipes make it.

    Arguments
    ---------
    student : Student
        What is tapped.
    folder : str
        Of the cache.

    Returns
    -------
    cmkt_plugin.transfer.Transfer
    """
    return Transfer(
        teacher=make_teacher(layer=None),
        tap=LatentTap(student, "frames", frames_dim=2),
        aligner=partial(CrossModalityTransformer, RelativePosition),
        standardization=Standardization(per_position=True),
        control=CorpusTranscripts(),
        shifted_alignment=ShiftedAlignment(Frames(), Uniform(-5, 5)),
        cache_folder=folder,
    )
