"""Phone error rate of a recogniser on speech with known phones."""

from speechbrain.utils.edit_distance import accumulatable_wer_stats
from tqdm import tqdm


def error_rate(recognize, dataset):
    """What a recogniser makes of clean speech, against what is spoken.

    Arguments
    ---------
    recognize : callable
        Speech (time,) at 16 kHz to list of phones.
    dataset : speechbrain.dataio.dataset.DynamicItemDataset
        From ``labelled_speech.read_labelled``.

    Returns
    -------
    dict
        ``phone_error_rate`` (errors per spoken phone), their parts
        ``substitutions``, ``deletions`` and ``insertions``, and the numbers
        of ``phones``, ``utterances``, ``speakers`` and utterances in which
        nothing was recognised (``empty``).
    """
    heard, spoken = [], []
    # The delay (seconds) spares short work the bar.
    for item in tqdm(dataset, "Held-out speech", delay=2, leave=False):
        heard.append(recognize(item["speech"]))
        spoken.append(item["phones"])
    speakers = {entry["speaker"] for entry in dataset.data.values()}
    return {
        **summed_errors(spoken, heard),
        "utterances": len(spoken),
        "speakers": len(speakers),
        "empty": sum(not phones for phones in heard),
    }


def summed_errors(references, hypotheses):
    """Error rate over utterances: all errors by all phones of the references.

    Arguments
    ---------
    references, hypotheses : list of list of str
        Phones, the same utterances in both.

    Returns
    -------
    dict
        ``phone_error_rate``, ``substitutions``, ``deletions``, ``insertions``
        and ``phones``.

    Example
    -------
    >>> summed_errors([["a", "b"], ["c"]], [["a"], ["d"]])
    {'phone_error_rate': 0.66..., 'substitutions': 1, 'deletions': 1,
     'insertions': 0, 'phones': 3}
    """
    counts = accumulatable_wer_stats(references, hypotheses)
    return {
        "phone_error_rate": counts["WER"] / 100,
        "substitutions": counts["substitutions"],
        "deletions": counts["deletions"],
        "insertions": counts["insertions"],
        "phones": counts["num_ref_tokens"],
    }
