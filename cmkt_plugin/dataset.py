"""Pairs of noisy and clean speech as SpeechBrain datasets and batches."""

from collections import defaultdict

from speechbrain.dataio.dataio import read_audio
from speechbrain.dataio.dataset import (
    DynamicItemDataset,
    FilteredSortedDynamicItemDataset,
)
from speechbrain.dataio.sampler import DynamicBatchSampler
from speechbrain.utils.data_pipeline import provides, takes

from cmkt_plugin.mixing.pairs import fixed_pair

OUTPUT_KEYS = ["id", "speaker", "noisy_sig", "clean_sig"]


def make_dataset(annotation, replacements, mixing=None):
    """Read an annotation as a dataset of noisy and clean waveforms.

    Arguments
    ---------
    annotation : str
        JSON file with ``clean_wav``, ``length`` in seconds, ``speaker`` and
        ``words`` of every utterance; its noisy side is a recording
        (``noisy_wav``), a fixed mixture (``mixture``, from a manifest), or
        neither: then ``mixing`` draws it.
    replacements : dict
        What ``{data_root}`` and the other names in the annotation stand for.
    mixing : cmkt_plugin.mixing.sampler.MixtureSampler or None
        Makes the noisy side, another one each epoch.

    Returns
    -------
    speechbrain.dataio.dataset.DynamicItemDataset

    Raises
    ------
    ValueError
        If there is no noisy side.
    """
    dataset = DynamicItemDataset.from_json(annotation, replacements)
    entries = dataset.data
    for noisy, pipelines in (
        ("noisy_wav", [read_noisy, read_clean]),
        ("mixture", [read_mixture]),
    ):
        if all(noisy in entry for entry in entries.values()):
            break
    else:
        if mixing is None:
            raise ValueError(
                f"{annotation} has clean speech only: expected noisy_wav or "
                "mixture in every entry. Write a manifest of mixtures first: "
                "cmkt manifest"
            )
        mixing.bind(entries)
        pipelines = [drawn_pair(mixing)]
    for pipeline in pipelines:
        dataset.add_dynamic_item(pipeline)
    dataset.set_output_keys(OUTPUT_KEYS)
    return dataset


@takes("noisy_wav")
@provides("noisy_sig")
def read_noisy(noisy_wav):
    """Noisy recording (time,)."""
    return read_audio(noisy_wav)


@takes("clean_wav")
@provides("clean_sig")
def read_clean(clean_wav):
    """Clean recording (time,)."""
    return read_audio(clean_wav)


@takes("clean_wav", "mixture")
@provides("noisy_sig", "clean_sig")
def read_mixture(clean_wav, mixture):
    """Noisy and clean side (time,) of a manifest's entry."""
    yield from fixed_pair(clean_wav, mixture)


def drawn_pair(mixing):
    """Pipeline of noisy and clean sides that a sampler draws."""

    @takes("id", "clean_wav", "speaker", "length")
    @provides("noisy_sig", "clean_sig")
    def pipeline(utterance, clean_wav, speaker, length):
        yield from mixing.pair(utterance, clean_wav, speaker, length)

    return pipeline


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
