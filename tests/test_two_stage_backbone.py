"""The backbone of two stages as YAML: knobs of the first reach the second."""

import pytest
import torch
from toy_backbones import COMPLEX_KNOBS, build, speech

from cmkt_plugin.visual.lips import Lips


def test_score_network_has_the_bins_of_the_first_stage(monkeypatch):
    toy = COMPLEX_KNOBS["audio_visual_score"]
    predictive = {**toy["predictive"], "n_fft": 126, "hop_length": 64}
    monkeypatch.setitem(
        COMPLEX_KNOBS, "audio_visual_score", {**toy, "predictive": predictive}
    )
    enhancer = build("audio_visual_score")["enhancer"].eval()
    lips = Lips(
        torch.randint(256, (1, 6, 96, 96), dtype=torch.uint8),
        torch.ones(1, 6, dtype=torch.uint8),
    )
    enhanced = enhancer(speech(1, 4000), torch.ones(1), lips=lips)
    assert enhanced.wav.shape == (1, 4000)
    assert enhanced.features.shape == (1, 63, 128)


@pytest.mark.parametrize("name", ["sgmse", "audio_visual_score"])
def test_sampler_calls_the_network_as_often_as_its_comment_says(name):
    enhancer, calls = build(name)["enhancer"].eval(), []
    enhancer.score_model.network.register_forward_hook(
        lambda *call: calls.append(call)
    )
    enhancer.steps.number = 3
    enhancer(speech(1, 2000), torch.ones(1))
    assert len(calls) == 3
