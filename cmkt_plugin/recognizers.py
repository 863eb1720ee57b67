"""Speech recognizers behind one call: SpeechBrain's and transformers'."""

from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch
from huggingface_hub import hf_hub_download
from speechbrain.inference import ASR
from speechbrain.utils.data_utils import batch_pad_right
from speechbrain.utils.distributed import infer_device
from speechbrain.utils.fetching import FetchConfig

from cmkt_plugin.file_hash import hash_files

SAMPLE_RATE = 16000  # Hz, of the waveforms that a recognizer gets


class SpeechBrainASR:
    """A model behind one of SpeechBrain's interfaces for ASR.

    Loading it runs what the model's YAML names: use models you trust only.
    With WhisperASR the loudest of a batch sets the floor of all log-mel
    spectra: where texts must not depend on neighbours, batches of one.

    Arguments
    ---------
    interface : type
        Class of ``speechbrain.inference.ASR`` that the model is made for.
    source : str
        Folder, or name of a model on the hub.
    revision : str or None
        Branch, tag or commit on the hub.
    device : str or None
        None takes an accelerator where there is one.
    max_seconds : float or None
        What the interface hears of a waveform; it drops the rest unsaid.
        Longer ones are cut in pieces, as its ``transcribe_file`` does.

    Raises
    ------
    ValueError
        If it cannot be loaded.
    """

    def __init__(
        self, interface, source, revision=None, device=None, max_seconds=None
    ):
        self.interface = interface.__name__
        with _explained(source, self.interface):
            self.name, self.revision = identify(
                source, revision, "hyperparams.yaml"
            )
            self.model = interface.from_hparams(
                source=str(source),
                run_opts={"device": device or infer_device()},
                fetch_config=FetchConfig(revision=revision),
            )
        # WhisperASR 1.1.2 reads it but does not list it as needed.
        vars(self.model.hparams).setdefault("normalized_transcripts", False)
        self.max_samples = max_seconds and int(max_seconds * SAMPLE_RATE)

    @torch.no_grad()
    def transcribe(self, waveforms):
        """Transcribe a batch.

        Arguments
        ---------
        waveforms : list of torch.Tensor
            Each (time,), at 16 kHz; the model's own rate is made of it.

        Returns
        -------
        list of str
        """
        pieces = [w.split(self.max_samples or len(w)) for w in waveforms]
        normalize = self.model.audio_normalizer
        batch, lengths = batch_pad_right(
            [normalize(piece, SAMPLE_RATE) for cut in pieces for piece in cut]
        )
        found, _ = self.model.transcribe_batch(batch, lengths)
        # WhisperASR gives lists of words where it normalizes transcripts.
        texts = iter(t if isinstance(t, str) else " ".join(t) for t in found)
        return [" ".join(next(texts) for _ in cut) for cut in pieces]


class TransformersASR:
    """A model of `transformers` in its pipeline for speech recognition.

    Arguments
    ---------
    source : str
        Folder, or name of a model on the hub.
    revision : str or None
        Branch, tag or commit on the hub.
    device : str or None
        None takes an accelerator where there is one.

    Raises
    ------
    ValueError
        If it cannot be loaded.
    """

    interface = "pipeline"

    def __init__(self, source, revision=None, device=None):
        from transformers import pipeline

        with _explained(source, self.interface):
            self.name, self.revision = identify(source, revision, "config.json")
            self.pipeline = pipeline(
                "automatic-speech-recognition",
                model=str(source),
                revision=None if Path(source).is_dir() else self.revision,
                device=device or infer_device(),
            )

    def transcribe(self, waveforms):
        """Transcribe a batch.

        Arguments
        ---------
        waveforms : list of torch.Tensor
            Each (time,), at 16 kHz; the model's own rate is made of it.

        Returns
        -------
        list of str
        """
        long = any(map(self._is_beyond_whisper, waveforms))
        if long and len(waveforms) > 1:  # its spectra do not fit in a batch
            return [text for w in waveforms for text in self.transcribe([w])]
        given = {"sampling_rate": SAMPLE_RATE}
        if self.pipeline.type == "ctc":
            given["stride"] = (0, 0)  # without, it decodes the padding too
        # Whisper goes through long speech from time stamp to time stamp.
        options = {"return_timestamps": True} if long else {}
        found = self.pipeline(
            [{**given, "raw": waveform.numpy()} for waveform in waveforms],
            batch_size=len(waveforms),
            **options,
        )
        return [result["text"] for result in found]

    def _is_beyond_whisper(self, waveform):
        if self.pipeline.type != "seq2seq_whisper":
            return False
        heard = self.pipeline.feature_extractor
        seconds = len(waveform) / SAMPLE_RATE
        return seconds > heard.n_samples / heard.sampling_rate


# What `cmkt transcribe --interface` offers: (source, revision, device).
RECOGNIZERS = {
    "EncoderASR": partial(SpeechBrainASR, ASR.EncoderASR),
    "EncoderDecoderASR": partial(SpeechBrainASR, ASR.EncoderDecoderASR),
    "WhisperASR": partial(SpeechBrainASR, ASR.WhisperASR, max_seconds=30),
    "pipeline": TransformersASR,
}


@contextmanager
def _explained(source, interface):
    """Says which model did not load, whatever the loader's error was."""
    try:
        yield
    except Exception as error:  # a YAML may run, and raise, anything
        raise ValueError(
            f"The recognizer {source!r} could not be loaded as {interface} "
            f"({type(error).__name__}: {error}). Expected a folder, or a model "
            "of the Hugging Face hub, made for this interface: hyperparams.yaml "
            "and checkpoints for SpeechBrain's EncoderASR, EncoderDecoderASR "
            "and WhisperASR, config.json and weights for pipeline. Without "
            "access to the hub: `hf download NAME --local-dir DIR` elsewhere, "
            "copy DIR here and name it."
        ) from error


def identify(source, revision, described_in):
    """Name and revision of a model, the same on every machine.

    Arguments
    ---------
    source : str
        Folder, or name of a model on the hub.
    revision : str or None
        Branch, tag or commit on the hub.
    described_in : str
        A file that every model of this kind has.

    Returns
    -------
    name : str
        On the hub, or of the folder, without its path.
    revision : str
        Commit on the hub, or ``sha256:`` and a hash of the folder's files.

    Raises
    ------
    FileNotFoundError
        If the model has no such file.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> _ = (folder / "config.json").write_text("{}")
    >>> name, revision = identify(folder, None, "config.json")
    >>> name == folder.name, len(revision.removeprefix("sha256:"))
    (True, 64)
    """
    if not Path(source).is_dir():
        path = hf_hub_download(str(source), described_in, revision=revision)
        # .../snapshots/<commit>/<file>
        return str(source), Path(path).parent.name
    folder = Path(source).resolve()
    if not (folder / described_in).is_file():
        raise FileNotFoundError(f"{folder} has no {described_in}")
    # Hidden ones are marks of downloads, with their dates.
    files = [
        path
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.name.startswith(".")
    ]
    return folder.name, f"sha256:{hash_files(files)}"
