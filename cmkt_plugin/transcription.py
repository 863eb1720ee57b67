"""Transcribes the utterances of an annotation; can be killed at any time."""

import hashlib
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from cmkt_plugin import __version__
from cmkt_plugin.annotated_speech import read_side
from cmkt_plugin.batch_recognition import longest_first, read, recognize
from cmkt_plugin.partial_transcripts import PartialTranscripts
from cmkt_plugin.recognizers import SAMPLE_RATE
from cmkt_plugin.transcript_file import transcript_line, write_transcripts


class Transcription(NamedTuple):
    """What came out.

    Arguments
    ---------
    texts : dict
        Utterance id to transcript, in the annotation's order.
    empty : list of str
        Ids of those whose text is empty.
    failed : dict
        Id of those without a text to the reason.
    """

    texts: dict
    empty: list
    failed: dict


def transcribe(
    annotation,
    replacements,
    side,
    recognizer,
    output,
    batch_seconds=60.0,
    batch_size=32,
):
    """Write transcripts of an annotation's utterances.

    Called again after a kill it goes on; called again after some utterances
    failed it tries these.

    Arguments
    ---------
    annotation : str or pathlib.Path
        JSON file, as `cmkt_plugin.dataset.make_dataset` reads it.
    replacements : dict
        What ``{data_root}`` and the other names in the annotation stand for.
    side : str
        ``clean`` or ``noisy``; a fixed mixture is rendered.
    recognizer : cmkt_plugin.recognizers.SpeechBrainASR or TransformersASR
        Or any object with ``transcribe``, ``name``, ``revision`` and
        ``interface``.
    output : str or pathlib.Path
        File of the transcripts, see `cmkt_plugin.transcript_file`. Until it is
        whole, what is done is in a file beside it that ends in ``.partial``.
    batch_seconds : float
        Audio in a batch, padding included.
    batch_size : int
        Utterances in a batch, at the most.

    Returns
    -------
    Transcription

    Raises
    ------
    FileExistsError
        If the output is there already, and whole.
    ValueError
        If there is no such side, what is done was made otherwise, or no
        utterance has a text.
    """
    partial_path = refuse_finished(output)
    dataset = read_side(annotation, side, replacements, SAMPLE_RATE)
    for name in dataset.data_ids:
        transcript_line(name, "")  # refuse odd ids now, not when all is done
    made_with = _identity(annotation, side, recognizer)
    partial = PartialTranscripts(partial_path, made_with)
    failed = _transcribe_missing(
        dataset, recognizer, partial, batch_seconds, batch_size
    )
    texts = {name: partial.texts.get(name) for name in dataset.data_ids}
    texts = {name: text for name, text in texts.items() if text is not None}
    done = Transcription(texts, [n for n in texts if not texts[n]], failed)
    _refuse_useless(done, recognizer, partial)
    write_transcripts(output, texts, made_with | _outcome(done))
    if not failed:
        partial.remove()
    return done


def refuse_finished(output):
    """Refuse an output that is there, unless its partial file is too.

    Arguments
    ---------
    output : str or pathlib.Path
        File of the transcripts.

    Returns
    -------
    pathlib.Path
        The partial file.

    Raises
    ------
    FileExistsError
        If there is nothing to go on with.
    """
    output = Path(output)
    partial = output.with_name(f"{output.name}.partial")
    if output.exists() and not partial.exists():
        raise FileExistsError(
            f"{output} exists and is whole: delete it or name another file"
        )
    return partial


def _identity(annotation, side, recognizer):
    content = hashlib.sha256(Path(annotation).read_bytes()).hexdigest()
    return {
        "model": recognizer.name,
        "revision": recognizer.revision,
        "interface": recognizer.interface,
        "side": side,
        "sample_rate": str(SAMPLE_RATE),
        "annotation": f"{Path(annotation).name} sha256:{content}",
    }


def _outcome(done):
    return {
        "cmkt_plugin": __version__,
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "utterances": len(done.texts),
        "empty": len(done.empty),
        "failed": len(done.failed),
    }


def _transcribe_missing(dataset, recognizer, partial, seconds, size):
    """Transcribes what has no text yet; returns what failed, and why."""
    failed = {}
    index = {name: number for number, name in enumerate(dataset.data_ids)}
    lengths = {name: dataset.data[name]["length"] for name in index}
    with _progress_bar(lengths, partial.texts) as bar:
        # Of all utterances, so that a resumed run has the same batches.
        for batch in longest_first(lengths, seconds, size):
            batch = [name for name in batch if name not in partial.texts]
            if not batch:
                continue
            waveforms = read(dataset, {n: index[n] for n in batch}, failed)
            partial.add(recognize(recognizer, waveforms, failed))
            bar.set_postfix(failed=len(failed), refresh=False)
            bar.update(sum(_milliseconds(lengths[name]) for name in batch))
    return failed


def _progress_bar(lengths, done):
    """A bar over the audio: the first batches take longest."""
    parts = {name: _milliseconds(length) for name, length in lengths.items()}
    return tqdm(
        total=sum(parts.values()),
        initial=sum(part for name, part in parts.items() if name in done),
        unit_scale=0.001,
        bar_format="{l_bar}{bar}| {n:.0f}/{total:.0f} s of speech "
        "[{elapsed}<{remaining}{postfix}]",
    )


def _milliseconds(seconds):
    return round(1000 * seconds)


def _refuse_useless(done, recognizer, partial):
    """Raises an error where no utterance has a text; begins anew then."""
    if len(done.empty) < len(done.texts):
        return
    partial.remove()
    for name, reason in done.failed.items():
        raise ValueError(
            f"{recognizer.name}: no text for any utterance; {len(done.failed)} "
            f"failed, {len(done.empty)} texts are empty. First failure: {name}: "
            f"{reason}"
        )
    raise ValueError(
        f"{recognizer.name} gave an empty text for all of {len(done.texts)} "
        "utterances. Expected a recognizer for this language and sample rate "
        f"({SAMPLE_RATE} Hz): listen to one of them and try another model."
    )
