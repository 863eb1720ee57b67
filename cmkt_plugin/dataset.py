"""Pairs of noisy and clean speech as SpeechBrain datasets and batches."""

from collections import defaultdict

from speechbrain.dataio.dataio import read_audio
from speechbrain.dataio.dataset import (
    DynamicItemDataset,
    FilteredSortedDynamicItemDataset,
)
from speechbrain.dataio.sampler import DynamicBatchSampler
from speechbrain.utils.data_pipeline import provides, takes

OUTPUT_KEYS = ["id", "speaker", "noisy_sig", "clean_sig"]


def make_dataset(annotation, data_folder):
    """Read an annotation as a dataset of noisy and clean waveforms.

    Arguments
    ---------
    annotation : str
        JSON file with ``noisy_wav``, ``clean_wav``, ``length`` in seconds,
        ``speaker`` and ``words`` of every utterance.
    data_folder : str
        Takes the place of ``{data_root}`` in the annotation.

    Returns
    -------
    speechbrain.dataio.dataset.DynamicItemDataset
    """

    @takes("noisy_wav")
    @provides("noisy_sig")
    def noisy_pipeline(noisy_wav):
        return read_audio(noisy_wav)

    @takes("clean_wav")
    @provides("clean_sig")
    def clean_pipeline(clean_wav):
        return read_audio(clean_wav)

    return DynamicItemDataset.from_json(
        json_path=annotation,
        replacements={"data_root": data_folder},
        dynamic_items=[noisy_pipeline, clean_pipeline],
        output_keys=OUTPUT_KEYS,
    )


def spread(dataset, count):
    """Limit a set to a number of utterances, evenly spread over the lengths.

    Arguments
    ---------
    dataset : speechbrain.dataio.dataset.DynamicItemDataset
        With ``length`` of every utterance.
    count : int or None
        Utterances to keep; None keeps all.

    Returns
    -------
    speechbrain.dataio.dataset.DynamicItemDataset

    Example
    -------
    >>> data = {name: {"length": float(name)} for name in "52341"}
    >>> spread(DynamicItemDataset(data), 3).data_ids
    ['1', '3', '5']
    """
    if count is None or count >= len(dataset):
        return dataset
    ids = sorted(dataset.data_ids, key=lambda u: dataset.data[u]["length"])
    step = (len(ids) - 1) / max(count - 1, 1)
    kept = [ids[round(number * step)] for number in range(count)]
    return FilteredSortedDynamicItemDataset(dataset, kept)


def training_batches(dataset, batch_seconds, num_buckets, seed):
    """Batches of similar lengths, drawn anew each epoch.

    Arguments
    ---------
    dataset : speechbrain.dataio.dataset.DynamicItemDataset
        The training set.
    batch_seconds : float
        Seconds of audio in a batch, padding included.
    num_buckets : int
        Groups of similar lengths.
    seed : int
        Seed of the order.

    Returns
    -------
    speechbrain.dataio.sampler.DynamicBatchSampler
    """
    return DynamicBatchSampler(
        dataset,
        max_batch_length=batch_seconds,
        num_buckets=num_buckets,
        length_func=lambda item: item["length"],
        seed=seed,
    )


def equal_length_batches(dataset, batch_size):
    """Batches without padding, for evaluation.

    Most models look over padding in one way or another (global layer norm,
    reflected edges, a bidirectional LSTM). Without any, a file gives in a
    batch what it gives alone.

    Arguments
    ---------
    dataset : speechbrain.dataio.dataset.DynamicItemDataset
        The set to evaluate.
    batch_size : int
        Utterances of one length together, at the most.

    Returns
    -------
    list
        Lists of indices, shortest utterances first.

    Example
    -------
    >>> data = {
    ...     "a": {"length": 2.0},
    ...     "b": {"length": 1.0},
    ...     "c": {"length": 2.0},
    ... }
    >>> equal_length_batches(DynamicItemDataset(data), batch_size=8)
    [[1], [0, 2]]
    """
    groups = defaultdict(list)
    for index, utterance in enumerate(dataset.data_ids):
        groups[dataset.data[utterance]["length"]].append(index)
    return [
        groups[length][start : start + batch_size]
        for length in sorted(groups)
        for start in range(0, len(groups[length]), batch_size)
    ]
