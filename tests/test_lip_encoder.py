"""Lip encoder: absent frames, augmentation, public weights."""

import textwrap

import pytest
import torch
from hyperpyyaml import load_hyperpyyaml
from speechbrain.lobes.models.transformer.Transformer import (
    PositionalEncoding,
    TransformerEncoder,
)
from speechbrain.nnet.RNN import LSTM

from cmkt_plugin.experiment import load_pretrained
from cmkt_plugin.visual import lip_checkpoint
from cmkt_plugin.visual.blstm import BLSTM
from cmkt_plugin.visual.lip_augmentation import RandomCrop
from cmkt_plugin.visual.lip_checkpoint import load_lip_checkpoint
from cmkt_plugin.visual.lip_encoder import LipEncoder
from cmkt_plugin.visual.lips import Lips
from cmkt_plugin.visual.temporal import Temporal
from cmkt_plugin.visual.visual_dropout import VisualDropout

WIDTH = 6


def encoder(temporal=None, **options):
    torch.manual_seed(0)
    temporal = temporal or BLSTM(WIDTH, WIDTH // 2)
    options = {"channels": 2, "shrink": 2, **options}
    lip_encoder = LipEncoder(WIDTH, temporal, **options)
    torch.nn.init.normal_(lip_encoder.absent)
    return lip_encoder


def clips(present, seed=1):
    generator = torch.Generator().manual_seed(seed)
    present = torch.tensor(present, dtype=torch.uint8)
    size = (*present.shape, 96, 96)
    pixels = torch.randint(256, size, dtype=torch.uint8, generator=generator)
    return Lips(pixels, present)


def test_pixels_of_absent_frames_change_nothing():
    """Neither the output nor the statistics of the batch normalisation."""
    outputs, statistics = [], []
    for pixel in (0, 255):
        lip_encoder = encoder()
        lips = clips([[1, 1, 0, 1, 0], [0, 0, 0, 0, 0], [1, 0, 0, 0, 1]])
        lips.pixels[lips.present == 0] = pixel
        torch.manual_seed(3)
        outputs.append(lip_encoder.train()(lips))
        statistics.append(list(lip_encoder.buffers()))
    assert torch.equal(*outputs)
    for one, other in zip(*statistics):
        assert torch.equal(one, other)


def test_present_pixels_do_change_something():
    lip_encoder = encoder().eval()
    one = lip_encoder(clips([[1, 1, 0]], seed=1))
    other = lip_encoder(clips([[1, 1, 0]], seed=2))
    assert (one - other).abs().max() > 1e-3


def test_statistics_are_those_of_the_frames_there_are():
    """A batch with absent frames normalises as the others alone do."""
    lips = clips([[1, 1, 1, 0], [0, 0, 0, 0]])
    fewer = Lips(lips.pixels[:1, :3], lips.present[:1, :3])
    whole, alone = encoder(), encoder()
    for lip_encoder, seen in ((whole, lips), (alone, fewer)):
        torch.manual_seed(3)
        lip_encoder.train()(seen)
    for one, other in zip(whole.buffers(), alone.buffers()):
        torch.testing.assert_close(one, other)


def test_a_clip_in_a_padded_batch_is_as_it_is_alone():
    lip_encoder = encoder().eval()
    lips = clips([[1, 1, 1, 1, 1], [1, 0, 1, 0, 0]])
    batch = lip_encoder(lips, torch.tensor([5, 3]))
    alone = lip_encoder(Lips(lips.pixels[1:, :3], lips.present[1:, :3]))
    torch.testing.assert_close(batch[1:, :3], alone, atol=1e-6, rtol=0)


def test_without_any_face_all_parameters_get_a_gradient():
    """Distributed training waits for every gradient."""
    lip_encoder = encoder()
    lip_encoder(clips([[0, 0, 0]])).sum().backward()
    assert all(p.grad is not None for p in lip_encoder.parameters())
    assert lip_encoder.trunk.layer1[0].conv1.weight.grad.eq(0).all()
    assert lip_encoder.absent.grad.abs().sum() > 0


def test_other_temporal_models():
    transformer = TransformerEncoder(1, 2, 8, d_model=WIDTH)
    lips = clips([[1, 1, 1, 1], [1, 1, 0, 0]])
    for temporal, position in (
        (transformer, PositionalEncoding(WIDTH)),
        (torch.nn.Identity(), None),
        (LSTM(WIDTH, input_size=WIDTH), None),
    ):
        lip_encoder = encoder(temporal, position=position).eval()
        batch = lip_encoder(lips, torch.tensor([4, 2]))
        alone = lip_encoder(Lips(lips.pixels[1:, :2], lips.present[1:, :2]))
        torch.testing.assert_close(batch[1:, :2], alone, atol=1e-5, rtol=0)


def test_a_temporal_model_of_another_width_is_refused():
    temporal = Temporal(torch.nn.Linear(4, 5))
    with pytest.raises(ValueError, match="Linear makes .*5.* of .*4"):
        temporal(torch.zeros(1, 3, 4), torch.tensor([3]))


def test_blstm_is_speechbrains():
    """On a padded batch it computes what the packed one does."""
    blstm = BLSTM(input_size=4, hidden_size=3, num_layers=2)
    packed = LSTM(3, input_size=4, num_layers=2, bidirectional=True)
    weights = {
        f"rnn.{name[:-1]}{layer}{end}": weight
        for layer in range(2)
        for part, end in ((blstm.onward, ""), (blstm.inverse, "_reverse"))
        for name, weight in part[layer].rnn.named_parameters()
    }
    packed.load_state_dict(weights)
    sequence = torch.randn(3, 8, 4)
    lengths = torch.tensor([1.0, 0.625, 0.25])
    one, (other, _) = (
        blstm(sequence, lengths),
        packed(sequence, lengths=lengths),
    )
    for item, count in enumerate((8, 5, 2)):
        torch.testing.assert_close(one[item, :count], other[item, :count])


def test_one_crop_for_all_frames_of_a_clip():
    torch.manual_seed(0)
    row = torch.arange(96, dtype=torch.uint8)
    pixels = (row + torch.zeros(96, 1, dtype=torch.uint8)).expand(20, 3, -1, -1)
    crops = RandomCrop(size=88, flip=0.5)(pixels)
    assert torch.equal(crops[:, 0], crops[:, 1])
    left, right = crops[:, 0, 0, 0].long(), crops[:, 0, 0, -1].long()
    mirrored = left > right
    assert 0 < mirrored.sum() < 20
    corners = torch.minimum(left, right)
    assert corners.max() <= 8 and len(corners.unique()) > 3
    assert RandomCrop(size=88).eval()(pixels)[0, 0, 0, 0] == 4


def test_pictures_too_small_are_refused():
    with pytest.raises(ValueError, match="expected 88 at least"):
        RandomCrop()(torch.zeros(1, 1, 64, 96))


def test_visual_dropout_drops_as_often_as_told():
    torch.manual_seed(0)
    present = torch.ones(4000, 40, dtype=torch.uint8)
    lips = Lips(torch.zeros(4000, 40, 1, 1), present)
    dropout = VisualDropout(clip=0.25, run=0.5, longest=10)
    kept = dropout(lips).present
    whole = (kept == 0).all(dim=1)
    assert 0.22 < whole.float().mean() < 0.28
    steps = kept[~whole].long().diff(dim=1)
    # One run at most: its frames are left once and come back once.
    assert (steps == -1).sum(dim=1).max() == 1
    some = (kept[~whole] == 0).any(dim=1).float().mean()
    assert 0.42 < some <= 0.52
    assert torch.equal(dropout.eval()(lips).present, present)


def test_visual_dropout_adds_no_frames():
    lips = clips([[1, 0, 1, 0]])
    kept = VisualDropout(clip=0.0, run=0.0)(lips).present
    assert torch.equal(kept, lips.present)


@pytest.mark.parametrize(
    "options", [{"clip": 1.1}, {"run": -0.1}, {"longest": 0}]
)
def test_visual_dropout_refuses_what_cannot_be(options):
    with pytest.raises(ValueError, match="expected"):
        VisualDropout(**options)


def public_weights(prefix="", channels=2, older=False):
    """Weights by the names that published lip readers have."""
    generator = torch.Generator().manual_seed(7)
    state = {}

    def add(name, *shape):
        state[prefix + name] = torch.rand(shape, generator=generator)

    def add_norm(name, width):
        for part in ("weight", "bias", "running_mean", "running_var"):
            add(f"{name}.{part}", width)
        if not older:
            state[f"{prefix}{name}.num_batches_tracked"] = torch.tensor(5)

    add("frontend3D.0.weight", channels, 1, 5, 7, 7)
    add_norm("frontend3D.1", channels)
    add("frontend3D.2.weight", channels)
    before = channels
    for layer, width in enumerate(channels * 2**k for k in range(4)):
        for block in range(2):
            name = f"trunk.layer{layer + 1}.{block}"
            add(f"{name}.conv1.weight", width, before, 3, 3)
            add_norm(f"{name}.bn1", width)
            add(f"{name}.relu1.weight", width)
            add(f"{name}.conv2.weight", width, width, 3, 3)
            add_norm(f"{name}.bn2", width)
            add(f"{name}.relu2.weight", width)
            if before != width:
                add(f"{name}.downsample.0.weight", width, before, 1, 1)
                add_norm(f"{name}.downsample.1", width)
            before = width
    return state


TCN = {"tcn.tcn_output.weight": torch.ones(500, 4)}
HUBERT = "feature_extractor_video.resnet."
AUDIO = {"audio_frontend.trunk.layer1.0.conv1.weight": torch.ones(1)}


@pytest.mark.parametrize(
    "content, prefix",
    [
        ({"model_state_dict": {**public_weights(), **TCN}}, ""),
        ({"model": {**public_weights(HUBERT), **TCN}}, HUBERT),
        ({**AUDIO, **public_weights("module.", older=True)}, "module."),
    ],
    ids=["tcn", "av-hubert", "older, with an audio branch"],
)
def test_public_weights_are_taken(tmp_path, content, prefix):
    torch.save(content, tmp_path / "lips.pth")
    lip_encoder = encoder()
    drawn = lip_encoder.projection.weight.clone()
    weights = load_lip_checkpoint(lip_encoder, tmp_path / "lips.pth")
    state = next(iter(content.values()))
    state = state if isinstance(state, dict) else content
    wanted = state[f"{prefix}trunk.layer3.1.bn2.running_var"]
    assert torch.equal(lip_encoder.trunk.layer3[1].bn2.running_var, wanted)
    wanted = state[f"{prefix}frontend3D.0.weight"]
    assert torch.equal(lip_encoder.stem[0].weight, wanted)
    assert torch.equal(lip_encoder.projection.weight, drawn)
    assert set(weights.left) == set(state) & {*TCN, *AUDIO}
    assert sorted(weights.taken + weights.left) == sorted(state)
    kept = [name for name in weights.kept if "num_batches" not in name]
    assert {name.split(".")[0] for name in kept} == {
        *("absent", "projection", "temporal")
    }


def test_public_weights_as_the_recipe_names_them(tmp_path):
    """The YAML of the documentation, with a small lip encoder."""
    torch.save(public_weights(), tmp_path / "lips.pth")
    text = textwrap.dedent(lip_checkpoint.__doc__.split("::\n\n")[1])
    part = "cmkt_plugin.visual.lip_encoder.LipEncoder"
    text += f"""
backbone:
    lip_encoder: !new:{part}
        width: 4
        temporal: !new:torch.nn.Identity
        channels: 2
"""
    knobs = {"lip_checkpoint": str(tmp_path / "lips.pth")}
    hparams = load_hyperpyyaml(text, knobs)
    load_pretrained(hparams["pretrainer"])
    wanted = public_weights()["frontend3D.2.weight"]
    lip_encoder = hparams["backbone"]["lip_encoder"]
    assert torch.equal(lip_encoder.stem[2].weight, wanted)


def without(name):
    return {k: v for k, v in public_weights().items() if not k.endswith(name)}


class Settings:
    """What files of AV-HuBERT hold beside the weights."""


@pytest.mark.parametrize(
    "content, message",
    [
        (public_weights(channels=4), r"is \(4, 1, 5, 7, 7\).*set its channels"),
        (without("layer1.0.relu1.weight"), "lacks trunk.layer1.0.relu1"),
        (without("running_var"), "lacks frontend3D.1.running_var.* 15 more"),
        ({"encoder.weight": torch.ones(1)}, "has 0 weights .*encoder.weight"),
        ([torch.ones(1)], "holds a list"),
        ({"cfg": Settings(), "model": public_weights()}, "nothing but tensors"),
    ],
    ids=["channels", "activation", "statistics", "other", "list", "settings"],
)
def test_other_checkpoints_are_refused(tmp_path, content, message):
    torch.save(content, tmp_path / "lips.pth")
    lip_encoder = encoder()
    before = {k: v.clone() for k, v in lip_encoder.state_dict().items()}
    with pytest.raises(ValueError, match=message):
        load_lip_checkpoint(lip_encoder, tmp_path / "lips.pth")
    for name, weight in lip_encoder.state_dict().items():
        assert torch.equal(weight, before[name])


def test_files_that_are_no_checkpoint_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="lips.pth"):
        load_lip_checkpoint(encoder(), tmp_path / "lips.pth")
    for text in ("", "no checkpoint"):
        (tmp_path / "lips.pth").write_text(text)
        with pytest.raises(ValueError, match="lips.pth is no checkpoint"):
            load_lip_checkpoint(encoder(), tmp_path / "lips.pth")
