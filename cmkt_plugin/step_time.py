"""What the transfer costs while training: time of a step, embedding rate."""

import statistics
import time
from pathlib import Path

import speechbrain as sb
import torch
from hyperpyyaml import load_hyperpyyaml

from cmkt_plugin.dataset import training_batches
from cmkt_plugin.experiment import make_brain, make_datasets

WARM_UP = 5  # steps left out: first calls allocate and choose kernels


def measure(baseline, cmkt, steps=50, run_opts=None):
    """Time training steps of two finished runs on the same batches.

    The two take turns, so that whatever else the machine does hits both.

    Arguments
    ---------
    baseline, cmkt : str or Path
        Folders of finished runs with one backbone and one data set.
    steps : int
        Steps that count, of each.
    run_opts : dict, optional
        SpeechBrain's run options: device, precision.

    Returns
    -------
    dict
        ``baseline`` and ``cmkt``, median seconds a step; ``ratio``, their
        quotient; ``ratio_quartiles`` of the quotients of paired steps;
        ``embedding_rate`` of the teacher in sentences per second, and the
        number of ``sentences``.
    """
    hparams = [load_run(folder) for folder in (baseline, cmkt)]
    seconds = ([], [])
    runs = [start(part, run_opts) for part in hparams]
    for number, batches in enumerate(zip(*(batch for _, batch in runs))):
        if number == steps + WARM_UP:
            break
        for (brain, _), batch, taken in zip(runs, batches, seconds):
            taken.append(time_step(brain, batch))
    seconds = [taken[WARM_UP:] for taken in seconds]
    ratios = [two / one for one, two in zip(*seconds)]
    one, two = (statistics.median(taken) for taken in seconds)
    lower, _, upper = statistics.quantiles(ratios, n=4)
    return {
        "steps": len(ratios),
        "baseline": one,
        "cmkt": two,
        "ratio": two / one,
        "ratio_quartiles": [lower, upper],
        **embedding_rate(hparams[1]),
    }


def load_run(folder):
    """The YAML of a finished run, its objects made anew."""
    with open(Path(folder) / "hyperparams.yaml", encoding="utf-8") as file:
        return load_hyperpyyaml(file)


def start(hparams, run_opts):
    """The Brain of a run, ready to train, and its batches."""
    dataset = make_datasets(hparams)["train"]
    brain = make_brain(hparams, run_opts)
    brain.on_fit_start()
    brain.on_stage_start(sb.Stage.TRAIN, epoch=1)
    brain.modules.train()
    batches = training_batches(
        dataset,
        hparams["batch_seconds"],
        hparams["num_buckets"],
        hparams["seed"],
    )
    loader = sb.dataio.dataloader.make_dataloader(
        dataset, batch_sampler=batches
    )
    return brain, loader


def time_step(brain, batch):
    """Seconds of one training step."""
    batch = batch.to(brain.device)
    synchronize(brain.device)
    begin = time.perf_counter()
    brain.step += 1
    brain.fit_batch(batch)
    synchronize(brain.device)
    return time.perf_counter() - begin


def synchronize(device):
    """Wait for a GPU, whose calls return before the work is done."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)


def embedding_rate(hparams):
    """Sentences per second that the teacher embeds, model already loaded."""
    teacher = hparams["transfer"].teacher
    dataset = make_datasets({**hparams, "transfer": None})["train"]
    texts = [item["words"] for item in dataset.data.values()]
    teacher.embed(texts[:1])  # loads the model
    begin = time.perf_counter()
    teacher.embed(texts)
    seconds = time.perf_counter() - begin
    return {
        "sentences": len(texts),
        "embedding_rate": len(texts) / seconds,
    }


def markdown(measured, made):
    """The measurement as a Markdown table.

    Arguments
    ---------
    measured : dict
        From ``measure``.
    made : dict
        From ``cmkt_plugin.provenance.record``.

    Returns
    -------
    str
    """
    lower, upper = measured["ratio_quartiles"]
    rows = [
        ("step without transfer, median", f"{measured['baseline']:.4f} s"),
        ("step with transfer, median", f"{measured['cmkt']:.4f} s"),
        (
            "ratio (quartiles of paired steps)",
            f"{measured['ratio']:.3f} ({lower:.3f} to {upper:.3f})",
        ),
        (
            "teacher's embedding rate, once before training",
            f"{measured['embedding_rate']:.0f} sentences/s",
        ),
    ]
    lines = ["# Training cost of the transfer", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in rows]
    lines += ["", f"{measured['steps']} steps each, taking turns."]
    lines += [f"- {key}: {value}" for key, value in made.items()]
    return "\n".join(lines) + "\n"
