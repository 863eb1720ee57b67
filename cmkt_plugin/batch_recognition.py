"""Batches of utterances through a recognizer, a bad one apart."""


def longest_first(lengths, batch_seconds, batch_size):
    """Batches of similar lengths; what needs most memory comes first.

    Arguments
    ---------
    lengths : dict
        Utterance id to length in seconds.
    batch_seconds : float
        Audio in a batch, padding included; a longer utterance is alone.
    batch_size : int
        Utterances in a batch, at the most.

    Returns
    -------
    list
        Lists of ids.

    Example
    -------
    >>> longest_first({"a": 2.0, "b": 9.0, "c": 3.0}, 6.0, 8)
    [['b'], ['c', 'a']]
    """
    batches = []
    for name in sorted(lengths, key=lengths.get, reverse=True):
        count = len(batches[-1]) + 1 if batches else batch_size + 1
        if (
            count > batch_size
            or lengths[batches[-1][0]] * count > batch_seconds
        ):
            batches.append([])
        batches[-1].append(name)
    return batches


def read(dataset, index, failed):
    """Read a batch; what cannot be read is left out.

    Arguments
    ---------
    dataset : speechbrain.dataio.dataset.DynamicItemDataset
        Its only output is a waveform (time,).
    index : dict
        Utterance id to its index in the dataset.
    failed : dict
        Gets the id of what cannot be read, and the reason.

    Returns
    -------
    dict
        Utterance id to waveform.
    """
    waveforms = {}
    for name, number in index.items():
        try:
            (waveform,) = dataset[number].values()
        except Exception as error:  # each library has its own
            failed[name] = _reason(error)
        else:
            waveforms[name] = waveform
    return waveforms


def recognize(recognizer, waveforms, failed):
    """Transcribe a batch; what the recognizer fails on is left out.

    Arguments
    ---------
    recognizer : object
        With ``transcribe``, see `cmkt_plugin.recognizers`.
    waveforms : dict
        Utterance id to waveform (time,).
    failed : dict
        Gets the id of what it fails on, and the reason.

    Returns
    -------
    dict
        Utterance id to text, white space made single blanks.
    """
    if not waveforms:
        return {}
    try:
        found = recognizer.transcribe(list(waveforms.values()))
        pairs = zip(waveforms, found, strict=True)
        return {name: " ".join(text.split()) for name, text in pairs}
    except Exception as error:  # out of memory included
        reason = _reason(error)
    if len(waveforms) == 1:
        failed.update(dict.fromkeys(waveforms, reason))
        return {}
    # One by one: a bad recording must not cost the others of its batch.
    texts = {}
    for name, waveform in waveforms.items():
        texts |= recognize(recognizer, {name: waveform}, failed)
    return texts


def _reason(error):
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
