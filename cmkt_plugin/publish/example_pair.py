"""One recording before and after, and the picture of both."""

import importlib.util
import json
from math import log10
from pathlib import Path

import soundfile
from speechbrain.dataio.dataio import read_audio

from cmkt_plugin.loading.model_source import open_model
from cmkt_plugin.loading.run_config import HYPERPARAMS
from cmkt_plugin.loading.safe_folder import CONFIG
from cmkt_plugin.loading.yaml_nodes import children, compose
from cmkt_plugin.mixing.entries import fill
from cmkt_plugin.mixing.pairs import fixed_pair
from cmkt_plugin.wav_file import write_wav

SECONDS = (2.0, 10.0)  # what a visitor listens to
WINDOW = 0.032  # seconds: shows the harmonics of a voice
RANGE = 80  # dB that the colours cover
INSTALL = "pip install 'cmkt_plugin[plot]', or leave it out: --no-example"
WAY_OUT = "Name another recording with --example, or none: --no-example"


def median_example(run_folder, scores):
    """Chooses the test recording whose gain is the usual one.

    Neither the best nor the worst: the file of 2 to 10 s whose PESQ gain is
    nearest to the median of all files.

    Arguments
    ---------
    run_folder : str or pathlib.Path
        Output folder of ``train.py``.
    scores : cmkt_plugin.run_scores.RunScores
        Its scores, with those of the noisy input by utterance.

    Returns
    -------
    utterance : str
        Its id.
    text : str
        Why this one, for the card.

    Raises
    ------
    ValueError
        If no recording has a score before and after.
    """
    ours, theirs = scores.scores["pesq"], scores.noisy.get("pesq", {})
    gains = {name: ours[name] - theirs[name] for name in ours if name in theirs}
    if not gains:
        raise ValueError(
            f"{run_folder} has no PESQ of the noisy and the enhanced files: "
            f"no example can be chosen. {WAY_OUT}"
        )
    ordered = sorted(gains.values())
    median = ordered[(len(ordered) - 1) // 2]
    entries = _test_entries(run_folder)
    low, high = SECONDS
    handy = [n for n in gains if low <= float(entries[n]["length"]) <= high]
    name = min(sorted(handy or gains), key=lambda n: abs(gains[n] - median))
    return name, (
        f"`{name}` of the test set: of {len(gains)} files the one of "
        f"{low:g} to {high:g} s whose PESQ gain ({gains[name]:+.2f}) is nearest "
        f"to the median of all ({median:+.2f}), neither the best nor the worst."
    )


def _test_entries(run_folder):
    path = Path(run_folder) / "save" / "test.json"
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing: it lists the test recordings. {WAY_OUT}"
        )
    return json.loads(path.read_text(encoding="utf-8"))


def read_noisy(run_folder, utterance):
    """Noisy side of a test utterance, recorded or a fixed mixture.

    Arguments
    ---------
    run_folder : str or pathlib.Path
        Output folder of ``train.py``.
    utterance : str
        Id in its ``save/test.json``.

    Returns
    -------
    samples : numpy.ndarray
        float32 (time,).
    sample_rate : int
        In Hz.

    Raises
    ------
    FileNotFoundError
        If the data are not on this machine any more.
    ValueError
        If the noisy side is drawn anew each time.
    """
    entry = fill(_test_entries(run_folder)[utterance], _roots(run_folder))
    source = entry.get("noisy_wav", entry["clean_wav"])
    if not Path(source).is_file():
        raise FileNotFoundError(
            f"{source}: the recording of {utterance} is not there. {WAY_OUT}"
        )
    rate = soundfile.info(source).samplerate
    if "noisy_wav" in entry:
        return read_audio(source).numpy(), rate
    if "mixture" not in entry:
        raise ValueError(f"{utterance} has no fixed noisy side. {WAY_OUT}")
    return fixed_pair(source, entry["mixture"])[0].numpy(), rate


def _roots(run_folder):
    """The folders that names in the test annotation stand for."""
    run = children(compose(Path(run_folder) / HYPERPARAMS))
    sampler = children(children(run.get("mixing")).get("test"))
    nodes = {
        "data_root": run.get("data_folder"),
        "noise_root": children(sampler.get("noise")).get("folder"),
        "rir_root": children(sampler.get("rirs")).get("folder"),
    }
    return {name: node.value for name, node in nodes.items() if node}


def write_example(folder, samples, sample_rate):
    """Writes the pair, enhanced with the exported model, and its picture.

    Arguments
    ---------
    folder : pathlib.Path
        An export; gets ``example_noisy.wav``, ``example_enhanced.wav`` and
        ``example.png``.
    samples : numpy.ndarray
        Noisy recording, float32 (time,) or (time, channels); what is beyond
        ten seconds is cut off.
    sample_rate : int
        Its rate (Hz).
    """
    samples = samples[: round(SECONDS[1] * sample_rate)]
    noisy = folder / "example_noisy.wav"
    enhanced = folder / "example_enhanced.wav"
    write_wav(noisy, samples, sample_rate)
    # As a visitor opens it; what was just made here may be trusted.
    safe = (folder / CONFIG).is_file()
    open_model(folder, "cpu", trust=not safe).enhance_file(noisy, enhanced)
    draw_pair(noisy, enhanced, folder / "example.png")


def check_plot():
    """Refuses early what `draw_pair` could not draw.

    Raises
    ------
    ImportError
        If matplotlib is not installed; says how to install it.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise ImportError(f"the example's picture needs matplotlib: {INSTALL}")


def draw_pair(noisy, enhanced, picture):
    """Draws both spectrograms on one scale of loudness, time and frequency.

    Arguments
    ---------
    noisy, enhanced : pathlib.Path
        Recordings of equal length and rate.
    picture : pathlib.Path
        The png to write.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), dpi=100, layout="constrained")
    panels = figure.subplots(2, sharex=True)
    loudest = None
    for axes, path in zip(panels, (noisy, enhanced)):
        samples, rate = soundfile.read(path, always_2d=True)
        window = round(WINDOW * rate)
        power, _, _, image = axes.specgram(
            # Of silence too there is a picture: its logarithm is bounded.
            samples.mean(axis=1) + 1e-9,
            NFFT=window,
            Fs=rate,
            noverlap=window * 3 // 4,
            cmap="magma",
            scale="dB",
        )
        loudest = loudest or 10 * log10(power.max())
        image.set_clim(loudest - RANGE, loudest)
        axes.set_title(path.stem.partition("_")[2], loc="left")
        axes.set_ylabel("Frequency (Hz)")
    panels[1].set_xlabel("Time (s)")
    figure.colorbar(image, ax=panels, label="Power density (dB)", pad=0.02)
    figure.savefig(picture, metadata={"Software": None})
