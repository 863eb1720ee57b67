"""Video that is missing in training: the score stage learns of it as well."""

import torch
from toy_backbones import build

from cmkt_plugin.visual.lips import Lips


def test_the_score_stage_learns_from_clips_without_video_too():
    enhancer = build("audio_visual_score")["enhancer"].train()
    enhancer.visual_dropout.clip = 1.0
    # The finished first stage loses nothing: it learns no more.
    assert not enhancer.predictive.net.visual_dropout.training
    shown = []
    encoder = enhancer.predictive.net.lip_encoder
    encoder.register_forward_pre_hook(
        lambda _, given: shown.append(given[0].present.float().mean().item())
    )
    noisy, lengths = torch.randn(2, 4000), torch.ones(2)
    pixels = torch.randint(256, (2, 7, 96, 96), dtype=torch.uint8)
    lips = Lips(pixels, torch.ones(2, 7, dtype=torch.uint8))
    enhancer(noisy, lengths, need_wav=False, clean=noisy / 2, lips=lips)
    enhancer.eval()(noisy, lengths, need_wav=False, clean=noisy / 2, lips=lips)
    assert shown == [0.0, 1.0]
    enhancer.train()(noisy, lengths, need_wav=False, clean=noisy / 2)
    assert shown[-1] == 0.0
