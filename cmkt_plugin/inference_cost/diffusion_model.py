"""One size of a diffusion enhancer, timed in a process of its own."""

import torch
from hyperpyyaml import load_hyperpyyaml

from cmkt_plugin.scale.stopwatch import Stopwatch

SAMPLE_RATE = 16000  # Hz


def measure(backbone, knobs, seconds, number, threads):
    """Makes an untrained enhancer; enhances noise, or trains one step on it.

    Arguments
    ---------
    backbone : str
        YAML file with an ``enhancer``.
    knobs : str
        YAML that overrides it.
    seconds : float
        Length of the noise.
    number : int
        Sampling steps; 0 trains instead.
    threads : int
        Threads of torch.

    Returns
    -------
    dict
        ``parameters`` and ``steps``, as of ``Stopwatch``.
    """
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    with open(backbone, encoding="utf-8") as file:
        enhancer = load_hyperpyyaml(file, knobs)["enhancer"]
    noisy = 0.1 * torch.randn(1, round(seconds * SAMPLE_RATE))
    work = _train if number == 0 else _enhance
    work(enhancer, noisy[:, :SAMPLE_RATE], max(1, min(number, 1)))  # warm up
    watch = Stopwatch()
    work(enhancer, noisy, number)
    watch.lap("work")
    parameters = sum(p.numel() for p in enhancer.parameters())
    return {"parameters": parameters, "steps": watch.steps}


@torch.no_grad()
def _enhance(enhancer, noisy, number):
    enhancer.eval()
    enhancer.score_model.sampler.steps.number = number
    enhancer(noisy, torch.ones(1))


def _train(enhancer, noisy, number):
    enhancer.train()
    given = enhancer(noisy, torch.ones(1), need_wav=False, clean=noisy)
    torch.nn.functional.mse_loss(given.features, given.target).backward()
