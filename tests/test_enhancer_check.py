"""Tests of opening models whose parts do not fit together: named at once."""

import copy

import pytest
from test_safe_config import FEATURES, mask_by

from cmkt_plugin.loading.config_check import RATES, make_config
from cmkt_plugin.loading.safe_config import build

LAYERS = "speechbrain.lobes.models."
STFT = {"new": f"{FEATURES}STFT", "kwargs": {"sample_rate": 16000}}
SIGMOID = {"new": "torch.nn.Sigmoid"}


def mapping(features=None, **changes):
    """The config of a separator; ``changes`` are those of its parts."""
    parts = {
        "encoder": {
            "new": f"{LAYERS}dual_path.Encoder",
            "kwargs": {"kernel_size": 16, "out_channels": 8},
        },
        "masknet": {
            "new": f"{LAYERS}conv_tasnet.MaskNet",
            "kwargs": dict(N=8, B=4, H=4, P=3, X=2, R=1, C=1),
        },
        "decoder": {
            "new": f"{LAYERS}dual_path.Decoder",
            "args": [8, 1],
            "kwargs": {"kernel_size": 16, "stride": 8, "bias": False},
        },
    }
    parts = {**copy.deepcopy(parts), **changes, "features": features}
    adapter = {"new": "cmkt_plugin.enhancers.WaveformMapping", "kwargs": parts}
    return make_config(16000, adapter)


def mask_with(part, **settings):
    """The config of a mask, with other settings of a transform."""
    config = mask_by(SIGMOID)
    config["enhancer"]["kwargs"][part]["kwargs"].update(settings)
    return config


def at_rate(rate, config):
    return {**config, "sample_rate": rate}


def test_parts_that_fit_are_built():
    assert build(mask_by(SIGMOID)).hop_length == 256
    assert build(mapping()).hop_length == 8
    features = {"new": "cmkt_plugin.features.LogMagnitude", "args": [STFT]}
    assert build(mapping(features)).features.stft.hop_length == 160
    for rate in (RATES[0], RATES[-1]):
        build(at_rate(rate, mapping()))


@pytest.mark.parametrize(
    "config, message",
    [
        (
            at_rate(8000, mask_by(SIGMOID)),
            "STFT has sample_rate 16000, the model 8000",
        ),
        (
            mask_with("istft", sample_rate=8000),
            "its ISTFT has sample_rate 8000, the model 16000",
        ),
        (
            at_rate(
                8000,
                mapping(
                    {"new": "cmkt_plugin.features.LogMagnitude", "args": [STFT]}
                ),
            ),
            "STFT has sample_rate 16000, the model 8000",
        ),
        (mask_with("stft", hop_length=0), "STFT has hop_length 0, its ISTFT"),
        (mask_with("istft", win_length=20), "win_length 512, its ISTFT 320"),
        (mask_with("istft", center=False), "center True, its ISTFT False"),
        (mapping(SIGMOID), "features are a Sigmoid, expected a LogMagnitude"),
        (mapping(encoder=5), "TypeError: .*not callable"),
        (mapping(decoder=SIGMOID), "its hop_length is None, expected one"),
        (mapping(masknet=SIGMOID), "the separator gives 2 sources"),
        (mask_by(5), "AttributeError: 'int' object has no attribute 'forward'"),
        (
            mask_by({"new": "torch.nn.Linear", "args": [200, 257]}),
            "RuntimeError: mat1 and mat2",
        ),
        (
            mask_by({"new": "torch.nn.Linear", "args": [257, 1]}),
            r"ValueError: the mask of Linear is \(2, 32, 1\)",
        ),
        (
            mask_by({"new": "torch.nn.Linear", "args": [10**9, 10**9]}),
            "config.json: RuntimeError: ",
        ),
    ],
)
def test_parts_that_do_not_fit_are_named_when_it_is_opened(config, message):
    with pytest.raises(ValueError, match=message) as error:
        build(config)
    assert str(error.value).startswith("config.json: ")


def test_a_hop_of_nothing_is_named():
    config = mask_with("istft", hop_length=0.01)
    config["enhancer"]["kwargs"]["stft"]["kwargs"]["hop_length"] = 0.01
    with pytest.raises(ValueError, match="its hop_length is 0, expected"):
        build(config)


def test_a_waveform_of_another_shape_is_refused():
    """A decoder of two channels gives two waveforms."""
    config = mapping()
    config["enhancer"]["kwargs"]["decoder"]["args"] = [8, 2]
    with pytest.raises(ValueError, match="of 2 x 8000 samples it makes"):
        build(config)
