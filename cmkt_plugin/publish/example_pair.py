"""One recording before and after, and the picture of both."""

from cmkt_plugin.loading.model_source import open_model
from cmkt_plugin.loading.safe_folder import CONFIG
from cmkt_plugin.spectrogram import paint, read_spectrogram
from cmkt_plugin.visual.lips import has_use_for_lips
from cmkt_plugin.wav_file import write_wav

SECONDS = (2.0, 10.0)  # what a visitor listens to
UNSEEN = (
    " It is enhanced from the sound alone, though the model can look at lips."
)
WAY_OUT = "Name another recording with --example, or none: --no-example"


def median_example(lengths, scores):
    """Chooses the test recording whose gain is the usual one.

    Neither the best nor the worst: the file of 2 to 10 s whose PESQ gain is
    nearest to the median of all files.

    Arguments
    ---------
    lengths : dict
        Utterance to seconds.
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
            "the run has no PESQ of the noisy and the enhanced files: no "
            f"example can be chosen. {WAY_OUT}"
        )
    ordered = sorted(gains.values())
    median = ordered[(len(ordered) - 1) // 2]
    low, high = SECONDS
    handy = [n for n in gains if low <= lengths.get(n, 0) <= high]
    name = min(sorted(handy or gains), key=lambda n: abs(gains[n] - median))
    return name, (
        f"`{name}` of the test set: of {len(gains)} files the one of "
        f"{low:g} to {high:g} s whose PESQ gain ({gains[name]:+.2f}) is nearest "
        f"to the median of all ({median:+.2f}), neither the best nor the worst."
    )


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

    Returns
    -------
    str
        What is to be said of how it was enhanced; "" if nothing is.
    """
    samples = samples[: round(SECONDS[1] * sample_rate)]
    noisy = folder / "example_noisy.wav"
    enhanced = folder / "example_enhanced.wav"
    write_wav(noisy, samples, sample_rate)
    # As a visitor opens it; what was just made here may be trusted.
    safe = (folder / CONFIG).is_file()
    model = open_model(folder, "cpu", trust=not safe)
    model.enhance_file(noisy, enhanced)
    draw_pair(noisy, enhanced, folder / "example.png")
    return UNSEEN if has_use_for_lips(model.enhancer) else ""


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
    found = [read_spectrogram(path) for path in (noisy, enhanced)]
    for axes, drawn, title in zip(panels, found, ("noisy", "enhanced")):
        image = paint(axes, drawn, found[0].loudest)
        axes.set_title(title, loc="left")
    panels[1].set_xlabel("Time (s)")
    figure.colorbar(image, ax=panels, label="Level (dB)", pad=0.02)
    figure.savefig(picture, metadata={"Software": None})
