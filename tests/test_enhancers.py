"""Tests of the adapters, the features and the backbones' YAML."""

import copy

import pytest
import torch
from hyperpyyaml import load_hyperpyyaml
from speechbrain import parse_arguments
from speechbrain.inference.enhancement import SpectralMaskEnhancement
from speechbrain.nnet.losses import mse_loss
from speechbrain.processing.features import STFT, spectral_magnitude
from toy_backbones import COMPLEX_KNOBS, FOLDER, KNOBS, build, speech

from cmkt_plugin.enhancers import SpectralMask, WaveformMapping, WaveformMask
from cmkt_plugin.features import LogMagnitude
from cmkt_plugin.latent import LatentTap

every_backbone = pytest.mark.parametrize("name", KNOBS)


def test_every_backbone_has_a_toy_size():
    toys = {**KNOBS, **COMPLEX_KNOBS}
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(toys)


@every_backbone
@pytest.mark.parametrize("samples", [8000, 8191, 9001])
def test_wav_is_as_long_as_the_input(name, samples):
    enhancer = build(name)["enhancer"]
    wav, features, _ = enhancer(speech(2, samples), torch.ones(2))
    assert wav.shape == (2, samples)
    assert features.shape == (2, samples // 256 + 1, 257)


@every_backbone
def test_every_parameter_learns_from_waveform_and_features(name):
    enhancer = build(name)["enhancer"]
    noisy = speech(2, 8001)
    noisy[0] = 0.0  # silence: the root of the power has no slope at zero
    wav, features, _ = enhancer(noisy, torch.tensor([1.0, 0.7]))
    target = enhancer.features(speech(2, 8001))
    (enhancer.features(wav) - target).abs().mean().backward(retain_graph=True)
    (features - target).abs().mean().backward()
    for key, parameter in enhancer.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.isfinite().all(), key
    grads = [p.grad.abs().sum() for p in enhancer.parameters()]
    assert sum(grad > 0 for grad in grads) > len(grads) / 2


@every_backbone
def test_state_dict_and_copies_give_the_same(name):
    enhancer, other = build(name)["enhancer"], build(name)["enhancer"]
    torch.nn.init.normal_(next(other.parameters()))
    other.load_state_dict(enhancer.state_dict())
    noisy, lengths = speech(2, 8001), torch.ones(2)
    expected = enhancer.eval()(noisy, lengths).wav
    for twin in (other, copy.deepcopy(enhancer)):
        assert torch.equal(twin.eval()(noisy, lengths).wav, expected)


@every_backbone
def test_half_precision_leaves_the_losses_in_float32(name):
    enhancer = build(name)["enhancer"]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        wav, features, _ = enhancer(speech(2, 8001), torch.ones(2))
        assert enhancer.features(wav.bfloat16()).dtype == torch.float32
    assert wav.dtype == features.dtype == torch.float32
    (wav.abs().mean() + features.mean()).backward()
    assert all(p.grad.isfinite().all() for p in enhancer.parameters())


@pytest.mark.parametrize("name", ["cnn_transformer", "blstm"])
def test_lengths_keep_the_model_from_looking_at_padding(name):
    enhancer = build(name)["enhancer"].eval()
    noisy, lengths = speech(2, 16000), torch.tensor([1.0, 0.5])
    noisy[1, 8000:] = 0.0
    changed = noisy.clone()
    changed[1, 10000:] = speech(1, 6000)  # beyond the reach of convolutions
    inside = slice(0, 7000)
    before = enhancer(noisy, lengths).wav[1, inside]
    after = enhancer(changed, lengths).wav[1, inside]
    assert torch.allclose(before, after, atol=1e-6)
    after = enhancer(changed, torch.ones(2)).wav[1, inside]
    assert not torch.allclose(before, after, atol=1e-6)


def test_level_is_left_alone():
    class Pass(torch.nn.Module):
        def forward(self, features):
            return torch.ones_like(features)

    backbone = build("blstm")
    enhancer = SpectralMask(Pass(), backbone["stft"], backbone["istft"])
    noisy = speech(2, 8001)
    wav = enhancer(noisy, torch.ones(2)).wav
    assert torch.allclose(wav, noisy, atol=1e-5)


def test_mask_of_another_shape_is_refused():
    class Unsqueezed(torch.nn.Module):
        def forward(self, features):
            return features.unsqueeze(2)

    backbone = build("blstm")
    enhancer = SpectralMask(Unsqueezed(), backbone["stft"], backbone["istft"])
    with pytest.raises(ValueError, match="Flatten"):
        enhancer(speech(1, 4000), torch.ones(1))


def test_two_sources_are_refused():
    backbone = build("conv_tasnet")
    masknet = backbone["masknet"]

    def two(code):
        return torch.cat([masknet(code)] * 2)

    enhancer = backbone["enhancer"]
    broken = WaveformMapping(
        enhancer.encoder,
        torch.nn.Identity(),
        enhancer.decoder,
        enhancer.features,
    )
    broken.masknet.forward = two
    with pytest.raises(ValueError, match="gives 2 sources"):
        broken(speech(1, 4000), torch.ones(1))


def test_target_features_of_another_transform_are_refused():
    features = LogMagnitude(STFT(16000, win_length=32, hop_length=8, n_fft=512))
    with pytest.raises(ValueError, match="hop_length"):
        WaveformMask(build("enhance_resnet")["net"], features)


def test_features_are_those_of_the_stock_interface():
    stft = build("blstm")["stft"]
    stock = SpectralMaskEnhancement(
        modules={"enhance_model": torch.nn.Identity()},
        hparams={
            "compute_stft": stft,
            "spectral_magnitude": lambda x: spectral_magnitude(x, power=0.5),
            "resynth": None,
        },
        run_opts={"device": "cpu"},
    )
    noisy = speech(2, 8001)
    ours = LogMagnitude(stft)(noisy)
    assert torch.equal(ours, stock.compute_features(noisy))


def test_silence_has_a_finite_gradient():
    silence = torch.zeros(1, 4000, requires_grad=True)
    features = build("blstm")["features"]
    features(silence).sum().backward()
    assert silence.grad.isfinite().all()
    assert torch.equal(features(silence.half()), features(silence))


MAIN = """\
backbone: !include:{folder}/cnn_transformer.yaml
    base_channels: 32
    num_blocks: 2
    nhead: 2
modules:
    enhancer: !ref <backbone[enhancer]>
"""


@pytest.mark.parametrize(
    "flag, net, width",
    [
        ("{{base_channels: 64}}", "CNNTransformerSE", 16),
        (
            "!include:{folder}/blstm.yaml [[hidden_size, 3], [n_neurons, 4]]",
            "LengthsCapableSequential",
            6,
        ),
    ],
)
def test_backbone_varies_by_a_flag(tmp_path, flag, net, width):
    path = tmp_path / "main.yaml"
    path.write_text(MAIN.format(folder=FOLDER))
    words = [str(path), "--backbone", flag.format(folder=FOLDER)]
    _, _, overrides = parse_arguments(words)
    with open(path, encoding="utf-8") as stream:
        hparams = load_hyperpyyaml(stream, overrides)
    enhancer = hparams["modules"]["enhancer"]
    assert enhancer is hparams["backbone"]["enhancer"]
    assert type(enhancer.net).__name__ == net
    tap = LatentTap(enhancer, hparams["backbone"]["latent"])
    assert tap.measure() == width


def test_padding_does_not_enter_the_loss():
    """What lies beyond the lengths, noisy or clean, changes no loss.

    With the BLSTM, whose container passes the lengths on: a convolution
    looks a few frames over the border, whatever the loss does.
    """
    enhancer = build("blstm")["enhancer"].eval()
    # Short of the border's frame, whose window reaches beyond it.
    lengths, border = torch.tensor([1.0, 0.5]), torch.tensor([0.0, 0.05])
    losses = []
    for padding in (0.0, 0.3):
        noisy, clean = speech(2, 8192), 0.5 * speech(2, 8192)
        noisy[1, 4096:], clean[1, 4096:] = padding, -padding
        features = enhancer(noisy, lengths - border).features
        target = enhancer.features(clean)
        losses.append(
            mse_loss(features, target, lengths - border, reduction="batch")
        )
    assert torch.allclose(*losses, atol=1e-7)
