"""Reads one side of an annotation's utterances, at the rate that is asked."""

from speechbrain.dataio.dataio import read_audio_info
from speechbrain.dataio.dataset import DynamicItemDataset
from speechbrain.utils.data_pipeline import provides, takes
from torchaudio.functional import resample

from cmkt_plugin.dataset import make_dataset, read_clean

SPEECH = "speech"  # the output of the dataset


def read_side(annotation, side, replacements, sample_rate):
    """One side of an annotation's utterances.

    Arguments
    ---------
    annotation : str or pathlib.Path
        JSON file.
    side : str
        ``clean`` or ``noisy``; a fixed mixture is rendered.
    replacements : dict
        What ``{data_root}`` and the other names in the annotation stand for.
    sample_rate : int
        Rate (Hz) of what comes out; recordings of another are resampled.

    Returns
    -------
    speechbrain.dataio.dataset.DynamicItemDataset
        Its output ``speech`` is one waveform (time,). Reading an item raises
        a ValueError where its recording is not `require_speech`.

    Raises
    ------
    ValueError
        If there is no such side, or no utterance.
    """
    if side not in ("clean", "noisy"):
        raise ValueError(f"side: expected clean or noisy, found {side!r}")
    source = "clean_wav"
    try:
        if side == "noisy":
            dataset = make_dataset(str(annotation), replacements)
            if all("noisy_wav" in entry for entry in dataset.data.values()):
                source = "noisy_wav"  # else a mixture, at the clean one's rate
        else:
            # The recording itself: a mixture's clean side is rendered.
            dataset = DynamicItemDataset.from_json(annotation, replacements)
            dataset.add_dynamic_item(read_clean)
    except IndexError as error:  # SpeechBrain looks at the first
        raise ValueError(f"{annotation} has no utterance") from error
    dataset.add_dynamic_item(_at_rate(sample_rate, f"{side}_sig", source))
    dataset.set_output_keys([SPEECH])
    return dataset


def _at_rate(sample_rate, signal, source):
    """Pipeline from a signal and the path that tells its rate."""

    @takes(signal, source)
    @provides(SPEECH)
    def speech(waveform, path):
        require_speech(waveform)
        return resample(
            waveform, read_audio_info(path).sample_rate, sample_rate
        )

    return speech


def require_speech(waveform):
    """Refuses what no recogniser and no feature can be computed of.

    Arguments
    ---------
    waveform : torch.Tensor
        What was read.

    Raises
    ------
    ValueError
        If it is not one channel of finite samples.

    Example
    -------
    >>> import torch
    >>> require_speech(torch.zeros(0))
    Traceback (most recent call last):
    ValueError: expected one channel with samples, found the shape (0,)
    """
    if waveform.dim() != 1 or not len(waveform):
        raise ValueError(
            "expected one channel with samples, found the shape "
            f"{tuple(waveform.shape)}"
        )
    if not waveform.isfinite().all():
        raise ValueError("it holds samples that are no finite numbers")
