"""What the button of the web page does, without the page."""

import time
from pathlib import Path
from typing import NamedTuple

import soundfile

from cmkt_plugin.audio_stream import open_recording, read_blocks, rounded
from cmkt_plugin.recordings import read_header
from cmkt_plugin.web.picture import draw


class Comparison(NamedTuple):
    """A recording before and after: to hear, to see, to take away."""

    before: Path
    after: Path
    before_picture: Path
    after_picture: Path
    enhanced: Path
    summary: str


def compare(
    model, recording, folder, dry_wet=1.0, keep_high_band=False, limit=600
):
    """Enhances a recording and makes what is shown of it.

    Arguments
    ---------
    model : CMKTEnhancement
        Enhances the file.
    recording : str or Path
        A file of any format that libsndfile reads.
    folder : Path
        Empty; takes all files of the comparison.
    dry_wet : float
        Share of the enhanced signal in the mixture with the input.
    keep_high_band : bool
        Whether to keep what lies above the model's band, at its level.
    limit : float
        The longest recording taken (s).

    Returns
    -------
    Comparison
        The enhanced file has the input's format, rate, channels and length;
        what is played is a 16-bit wav, which every browser can decode.

    Raises
    ------
    ValueError
        If the recording cannot be read, is too long or has a fault.
    """
    recording = Path(recording)
    seconds, rate = _check(recording, limit)
    enhanced = folder / f"{recording.stem}_enhanced{recording.suffix}"
    started = time.perf_counter()
    model.enhance_file(recording, enhanced, dry_wet, keep_high_band)
    elapsed = time.perf_counter() - started
    before, after = folder / "before.wav", folder / "after.wav"
    _write_playable(recording, before)
    _write_playable(enhanced, after)
    pictures = before.with_suffix(".png"), after.with_suffix(".png")
    draw({recording: pictures[0], enhanced: pictures[1]})
    summary = _summary(recording.name, seconds, elapsed)
    if rate > model.sample_rate:
        summary += _band_note(model.sample_rate, keep_high_band)
    return Comparison(before, after, *pictures, enhanced, summary)


def _check(recording, limit):
    """Seconds and rate of a recording; refuses what cannot be enhanced."""
    header = read_header(recording, channels=None)
    if header.fault:
        raise ValueError(f"{recording.name}: {header.fault}.")
    seconds = header.frames / header.rate
    if seconds > limit:
        raise ValueError(
            f"{recording.name}: {seconds:.0f} s long, expected at most "
            f"{limit:g} s: cut it, enhance it with `cmkt enhance`, or start "
            "`cmkt serve` with a larger --max-seconds."
        )
    return seconds, header.rate


def _write_playable(path, wav):
    # Block by block, and at its own level: Gradio's conversion normalizes.
    with open_recording(path) as recording:
        layout = recording.samplerate, recording.channels, "PCM_16"
        with soundfile.SoundFile(str(wav), "w", *layout) as copy:
            for block in read_blocks(recording):
                copy.write(rounded(block, 16))


def _summary(name, seconds, elapsed):
    factor = elapsed / seconds
    return (
        f"{name}: {seconds:.2f} s enhanced in {elapsed:.2f} s "
        f"(real-time factor {factor:.3f}, {1 / factor:.0f} times real time)."
    )


def _band_note(sample_rate, kept):
    fate = "kept as in the input" if kept else "dropped"
    return (
        f" The model works below {sample_rate / 2000:g} kHz; "
        f"what is above is {fate}."
    )
