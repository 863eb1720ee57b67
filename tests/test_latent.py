"""Tests of the latent tap."""

import copy

import pytest
import torch
from toy_backbones import KNOBS, build, speech

from cmkt_plugin.latent import LatentTap

WIDTHS = {
    "cnn_transformer": 8,
    "blstm": 12,
    "gru": 6,
    "fcn2d": 2 * 257,
    "enhance_resnet": 4 * 65,
    "conv_tasnet": 6,
    "sepformer": 8 * 20,
}


@pytest.mark.parametrize("name", KNOBS)
def test_default_latent_of_every_backbone(name):
    backbone = build(name)
    enhancer = backbone["enhancer"]
    tap = LatentTap(enhancer, backbone["latent"], backbone["latent_frames_dim"])
    with tap:
        enhancer(speech(2, 9001), torch.ones(2))
    batch, frames, width = tap.latent.shape
    assert (batch, width) == (2, WIDTHS[name])
    assert tap.measure(samples=4000) == width
    # The latent must learn, and only from the layers below it.
    with tap:
        enhancer(speech(2, 9001), torch.ones(2))
    tap.latent.sum().backward()
    learns = [p.grad is not None for p in enhancer.parameters()]
    assert any(learns) and not all(learns)


def test_frames_follow_the_waveform():
    backbone = build("conv_tasnet")
    tap = LatentTap(backbone["enhancer"], backbone["latent"])
    with tap:
        backbone["enhancer"](speech(2, 8000), torch.ones(2))
    frames = tap.latent.shape[1]
    lengths = tap.lengths(torch.tensor([1.0, 0.25, 1e-6]))
    assert lengths.tolist() == [frames, round(frames / 4), 1]


class Returns(torch.nn.Module):
    """Returns what it was built with, whatever comes in."""

    def __init__(self, output):
        super().__init__()
        self.layer = torch.nn.Identity()
        self.layer.forward = lambda _: output

    def forward(self, noisy, lengths=None):
        return self.layer(noisy)


class Sampler(torch.nn.Module):
    """Calls its net once for the loss, and to enhance many times more."""

    def __init__(self):
        super().__init__()
        self.net = torch.nn.Linear(1, 3)
        self.calls = 0

    def forward(self, noisy, lengths, need_wav=True):
        first = self.net(noisy.unsqueeze(2))
        with torch.no_grad():
            for _ in range(5 if need_wav else 0):
                self.calls += 1
                self.net(noisy.unsqueeze(2) * self.calls)
        return first


def test_first_call_is_the_one_of_the_loss():
    module, noisy = Sampler(), torch.randn(2, 7)
    tap = LatentTap(module, "net", first_call=True)
    with tap:
        output = module(noisy, torch.ones(2))
    assert torch.equal(tap.latent, output) and tap.latent.requires_grad
    plain = LatentTap(module, "net")
    with plain:
        module(noisy, torch.ones(2))
    with pytest.raises(ValueError, match="6 times.*first_call"):
        _ = plain.latent


def test_width_is_measured_without_sampling():
    module = Sampler()
    assert LatentTap(module, "net").measure() == 3
    assert module.calls == 0


def run(output, frames_dim=1):
    module = Returns(output)
    tap = LatentTap(module, "layer", frames_dim)
    with tap:
        module(None)
    return tap.latent


def test_frames_dimension_is_moved_and_the_rest_flattened():
    output = torch.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    latent = run(output, frames_dim=3)
    assert latent.shape == (2, 5, 12)
    assert torch.equal(latent[1, 2], output[1, :, :, 2].flatten())


def test_first_tensor_of_tuples_and_lists():
    hidden = torch.randn(2, 7, 3)
    other = torch.randn(1)
    assert torch.equal(run((hidden, [other])), hidden)
    assert torch.equal(run([None, (hidden, other)]), hidden)


@pytest.mark.parametrize("output", [None, {"a": 1}, torch.randn(2, 7)])
def test_output_without_a_sequence_is_refused(output):
    with pytest.raises(ValueError, match="'layer' returns"):
        run(output)


def test_submodule_not_called_or_called_twice_is_refused():
    module = Returns(torch.randn(2, 7, 3))
    tap = LatentTap(module, "layer")
    with tap:
        pass
    with pytest.raises(ValueError, match="called 0 times"):
        tap.lengths(torch.ones(2))
    with tap:
        module(None)
        module(None)
    with pytest.raises(ValueError, match="called 2 times"):
        tap.lengths(torch.ones(2))


def test_recording_ends_with_the_block():
    enhancer = build("blstm")["enhancer"]
    tap = LatentTap(enhancer, "lstm")
    with pytest.raises(RuntimeError):
        with tap:
            enhancer(speech(1, 4000), torch.ones(1))
            raise RuntimeError
    first = tap.latent
    enhancer(speech(1, 8000), torch.ones(1))
    assert tap.latent is not None and tap.latent.shape == first.shape
    with tap:
        enhancer(speech(1, 8000), torch.ones(1))
    assert tap.latent.shape[1] > first.shape[1]


def test_enhancer_can_be_copied_beside_a_tap():
    enhancer = build("blstm")["enhancer"]
    tap = LatentTap(enhancer, "lstm")
    keys = list(enhancer.state_dict())
    with tap:
        enhancer(speech(1, 4000), torch.ones(1))
    twin = copy.deepcopy(enhancer)
    assert list(twin.state_dict()) == keys
    assert not twin.net.lstm._forward_hooks


def test_measuring_leaves_no_trace():
    enhancer = build("fcn2d")["enhancer"].train()
    enhancer.net.BN2.eval()  # a frozen part stays frozen

    def draw(*_):
        torch.rand(1)

    enhancer.net.BN2.register_forward_hook(draw)
    before = copy.deepcopy(enhancer.state_dict())
    modes = [module.training for module in enhancer.modules()]
    state = torch.get_rng_state()
    LatentTap(enhancer, "net.act4").measure()
    assert torch.equal(torch.get_rng_state(), state)
    assert [module.training for module in enhancer.modules()] == modes
    for key, value in enhancer.state_dict().items():
        assert torch.equal(value, before[key]), key


def test_dropout_draws_the_same_after_measuring():
    draws = []
    for measure in (False, True):
        enhancer = build("cnn_transformer")["enhancer"]
        torch.manual_seed(5)
        if measure:
            LatentTap(enhancer, "encoder").measure()
        draws.append(enhancer(speech(1, 8000), torch.ones(1)).wav)
    assert torch.equal(*draws)


@pytest.mark.parametrize(
    "name, full",
    [
        ("net.encoder.layers.1", "net.encoder.layers.1"),
        ("encoder.layers.1", "net.encoder.layers.1"),
        ("encoder", "net.encoder"),
    ],
)
def test_names_may_be_relative_to_the_net(name, full):
    assert LatentTap(build("cnn_transformer")["enhancer"], name).name == full


def test_wrong_names_fail_and_list_the_names():
    enhancer = build("cnn_transformer")["enhancer"]
    with pytest.raises(ValueError) as error:
        LatentTap(enhancer, "encoder.layer.1")
    message = str(error.value)
    assert "'encoder.layer.1' is no submodule" in message
    closest = message.split("others:")[0]
    assert "net.encoder.layers.1" in closest
    assert "net.custom_emb_module.conv1" in message
    with pytest.raises(ValueError, match="is no submodule"):
        LatentTap(enhancer, "")
    with pytest.raises(ValueError, match="not unique.*layers.0.norm1.*layers"):
        LatentTap(enhancer, "norm1")


def test_a_latent_without_parameters_before_it_is_refused():
    backbone = build("cnn_transformer")
    tap = LatentTap(backbone["enhancer"], "features")
    with pytest.raises(ValueError, match="no trained parameter"):
        tap.measure()
