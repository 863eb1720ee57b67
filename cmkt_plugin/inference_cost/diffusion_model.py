"""One size of a diffusion enhancer, timed in a process of its own."""

import torch
from hyperpyyaml import load_hyperpyyaml

from cmkt_plugin.diffusion.enhancer import DiffusionEnhancer
from cmkt_plugin.scale.stopwatch import Stopwatch
from cmkt_plugin.visual.lips import FRAME_RATE, SIZE, Lips

SAMPLE_RATE = 16000  # Hz


def open_enhancer(backbone, knobs):
    """An untrained diffusion enhancer.

    Arguments
    ---------
    backbone : str or pathlib.Path
        YAML file with an ``enhancer``.
    knobs : str
        YAML that overrides it.

    Returns
    -------
    cmkt_plugin.diffusion.enhancer.DiffusionEnhancer

    Raises
    ------
    ValueError
        If it is another enhancer, or there is none.
    """
    torch.manual_seed(0)
    with open(backbone, encoding="utf-8") as file:
        enhancer = load_hyperpyyaml(file, knobs).get("enhancer")
    if not isinstance(enhancer, DiffusionEnhancer):
        raise ValueError(
            f"{backbone}: enhancer is a {type(enhancer).__name__}, which takes "
            "no steps: expected a DiffusionEnhancer"
        )
    return enhancer


def measure(backbone, knobs, seconds, number, threads):
    """Makes an untrained enhancer; enhances noise, or trains one step on it.

    Arguments
    ---------
    backbone : str
        As for ``open_enhancer``.
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
    enhancer = open_enhancer(backbone, knobs)
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
    enhancer(noisy, torch.ones(1), lips=_lips(enhancer, noisy))


def _train(enhancer, noisy, number):
    enhancer.train()
    given = enhancer(
        noisy,
        torch.ones(1),
        need_wav=False,
        clean=noisy,
        lips=_lips(enhancer, noisy),
    )
    torch.nn.functional.mse_loss(given.features, given.target).backward()


def _lips(enhancer, noisy):
    """Lips as long as the audio, for a first stage to look at."""
    if enhancer.predictive is None:
        return None
    frames = round(noisy.shape[1] / SAMPLE_RATE * FRAME_RATE)
    pixels = torch.randint(256, (1, frames, SIZE, SIZE), dtype=torch.uint8)
    return Lips(pixels, torch.ones(1, frames, dtype=torch.uint8))
