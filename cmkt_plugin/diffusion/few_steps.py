"""What fewer steps of a sampler cost in quality, and save in time."""

import time
from functools import partial

import torch

from cmkt_plugin.dataset import spread
from cmkt_plugin.evaluation.evaluate import NOISY
from cmkt_plugin.score_pool import ScorePool
from cmkt_plugin.visual.lips import Lips

PREDICTIVE = "predictive stage"
SAMPLE_RATE = 16000  # Hz


def measure(enhancer, dataset, steps, count, metrics, jobs=None, report=print):
    """Enhances the same utterances with samplers of several lengths.

    Arguments
    ---------
    enhancer : cmkt_plugin.diffusion.enhancer.DiffusionEnhancer
        The trained model.
    dataset : speechbrain.dataio.dataset.DynamicItemDataset
        With ``noisy_sig``, ``clean_sig`` and, where there is video, ``lips``
        and ``lips_present``; 16 kHz.
    steps : list of int
        Numbers of steps N; the others are compared with the first.
    count : int or None
        Utterances, spread over the lengths; None takes all.
    metrics : list of str
        Those of ``cmkt_plugin.metrics``.
    jobs : int or None
        Processes that score; None takes as many as there are cores.
    report : callable
        Told what is being done.

    Returns
    -------
    rows : dict
        ``N = 30`` and so on, ``predictive stage`` where there is one, and
        ``noisy input`` to rows of scores.
    seconds : dict
        The same names to seconds of computation per second of audio.
    """
    dataset = spread(dataset, count)
    systems = {f"N = {n}": _with_steps(enhancer, n) for n in steps}
    if enhancer.predictive is not None:
        systems[PREDICTIVE] = partial(_forward, enhancer.predictive)
    systems[NOISY] = lambda item: item["noisy_sig"]
    rows, seconds = {}, {}
    for name, system in systems.items():
        report(f"{name}: {len(dataset)} utterances")
        rows[name], seconds[name] = _enhance(system, dataset, metrics, jobs)
    return rows, seconds


def _enhance(system, dataset, metrics, jobs):
    """Scores of a system, and its seconds per second of audio."""
    pool = ScorePool(jobs, SAMPLE_RATE, metrics)
    taken, samples = 0.0, 0
    for index in range(len(dataset)):
        item = dataset[index]
        begin = time.perf_counter()
        enhanced = system(item).cpu()  # waits for a GPU
        taken += time.perf_counter() - begin
        samples += len(enhanced)
        pool.submit(
            item["id"],
            enhanced.numpy(),
            item["clean_sig"].numpy(),
            speaker=item["speaker"],
        )
    return pool.gather(), taken * SAMPLE_RATE / samples


def _with_steps(enhancer, number):
    """Enhances an item with another number of steps."""

    def enhance(item):
        steps = enhancer.score_model.sampler.steps
        before, steps.number = steps.number, number
        try:
            return _forward(enhancer, item)
        finally:
            steps.number = before

    return enhance


@torch.no_grad()
def _forward(enhancer, item):
    """One utterance enhanced (time,)."""
    device = next(enhancer.parameters()).device
    more = {}
    if "lips" in item:
        lips = (item["lips"], item["lips_present"])
        more["lips"] = Lips(*(part.unsqueeze(0).to(device) for part in lips))
    noisy = item["noisy_sig"].unsqueeze(0).to(device)
    return enhancer(noisy, torch.ones(1, device=device), **more).wav[0]
