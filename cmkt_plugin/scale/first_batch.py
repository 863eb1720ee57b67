"""How long a training with a filled cache takes to its first batch."""

from functools import partial

import torch
from speechbrain.dataio.dataloader import make_dataloader

from cmkt_plugin.controls import CorpusTranscripts
from cmkt_plugin.cross_modality import CrossModalityTransformer
from cmkt_plugin.dataset import make_dataset, training_batches
from cmkt_plugin.latent import LatentTap
from cmkt_plugin.queries import RelativePosition
from cmkt_plugin.scale.cache import make_teacher
from cmkt_plugin.scale.stopwatch import Stopwatch
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
        ``steps`` and ``batch``: shape of the batch's tokens (batch, tokens,
        width).
    """
    watch = Stopwatch()
    student = Student()
    transfer = make_transfer(student, folder)
    watch.lap("teacher, transfer")
    sets = {
        name: make_dataset(annotation, {"data_root": audio})
        for name in ("train", "valid")
    }
    watch.lap("annotations")
    texts = [entry["words"] for entry in sets["train"].data.values()]
    missing = transfer.cache.missing(texts)
    if missing:
        raise ValueError(f"{len(missing)} sentences are not in the cache")
    watch.lap("cache scan")
    transfer.prepare(sets)
    watch.lap("token count, standardisation")
    batches = training_batches(sets["train"], BATCH_SECONDS, BUCKETS, seed=1)
    watch.lap("batch sampler")
    batch = next(iter(make_dataloader(sets["train"], batch_sampler=batches)))
    watch.lap("first batch")
    return {"steps": watch.steps, "batch": list(batch.tokens.data.shape)}


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
