"""The predictive stage on waveforms: its YAML, its level, what it learns."""

from pathlib import Path

import pytest
import torch
from hyperpyyaml import load_hyperpyyaml

from cmkt_plugin.diffusion.compressed_stft import CompressedSTFT
from cmkt_plugin.knobs import check_knobs
from cmkt_plugin.latent import LatentTap
from cmkt_plugin.visual.audio_visual_net import AudioVisualNet
from cmkt_plugin.visual.blstm import BLSTM
from cmkt_plugin.visual.fusion import GatedAddition
from cmkt_plugin.visual.lip_encoder import LipEncoder
from cmkt_plugin.visual.lips import Lips
from cmkt_plugin.visual.predictive_enhancer import PredictiveEnhancer

BACKBONE = Path(__file__).parents[1] / "hparams/backbones/audio_visual.yaml"


def built(**knobs):
    return load_hyperpyyaml(BACKBONE.read_text(), overrides=knobs)


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def test_the_backbone_is_small_and_has_a_latent():
    backbone = built()
    enhancer = backbone["enhancer"]
    tap = LatentTap(enhancer, backbone["latent"], backbone["latent_frames_dim"])
    assert tap.measure() == backbone["width"]
    visual = parameters(enhancer.net.lip_encoder)
    assert parameters(enhancer) - visual < 1_000_000
    assert enhancer.hop_length == 128


def test_one_knob_makes_it_audio_only(tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(f"backbone: !include:{BACKBONE}\n    lip_encoder: null\n")
    check_knobs(str(recipe), "")
    with open(recipe) as stream:
        net = load_hyperpyyaml(stream)["backbone"]["enhancer"].net
    assert net.lip_encoder is None and net.fusion is None
    trained = {name.split(".")[0] for name, _ in net.named_parameters()}
    assert trained == {"audio", "temporal", "mask"}


@pytest.fixture
def enhancer():
    torch.manual_seed(0)
    net = AudioVisualNet(256, 8, BLSTM(8, 4), mapping=True)
    return PredictiveEnhancer(CompressedSTFT(), net).eval()


def test_the_level_of_the_input_is_kept(enhancer):
    noisy = torch.randn(2, 8000)
    one = enhancer(noisy, torch.ones(2))
    other = enhancer(0.01 * noisy, torch.ones(2))
    torch.testing.assert_close(0.01 * one.wav, other.wav, rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(one.features, other.features)


def test_the_target_is_what_the_estimate_should_be(enhancer):
    """A net that gives the noisy spectrum is right about noise-free speech."""
    enhancer.net.forward = lambda spectrum, *rest: (spectrum, None)
    clean = 0.3 * torch.randn(2, 8000)
    enhanced = enhancer(clean, torch.ones(2), clean=clean)
    torch.testing.assert_close(enhanced.features, enhanced.target)
    torch.testing.assert_close(enhanced.wav, clean, rtol=0, atol=1e-5)
    noisy = torch.cat([clean[:, :4000], 4 * clean[:, 4000:]], dim=1)
    enhanced = enhancer(noisy, torch.ones(2), clean=clean)
    torch.testing.assert_close(
        enhanced.features[:, :25], enhanced.target[:, :25]
    )


def test_no_waveform_is_made_that_nobody_needs(enhancer, monkeypatch):
    monkeypatch.delattr(CompressedSTFT, "inverse")
    enhanced = enhancer(torch.randn(1, 8000), torch.ones(1), need_wav=False)
    assert enhanced.wav is None and enhanced.target is None
    with pytest.raises(AttributeError):
        enhancer(torch.randn(1, 8000), torch.ones(1))


def test_silence_gives_no_nan(enhancer):
    assert enhancer(torch.zeros(1, 8000), torch.ones(1)).wav.isfinite().all()


def test_the_net_is_told_lengths_and_time(enhancer):
    told = []

    def forward(spectrum, *rest):
        told.append(rest)
        return spectrum, None

    enhancer.net.forward = forward
    lengths, lips = torch.tensor([1.0, 0.5]), object()
    enhancer(torch.randn(2, 8000), lengths, lips=lips)
    enhancer.estimate(torch.randn(2, 256, 5, dtype=torch.complex64), lips)
    assert told == [(0.008, lips, lengths), (0.008, lips, None)]
    enhancer.sample_rate = 8000
    enhancer(torch.randn(1, 8000), torch.ones(1))
    assert told[-1][0] == 0.016


def test_padding_hardly_changes_an_item(enhancer):
    noisy = torch.randn(2, 12800)
    noisy[1, 6400:] = 0
    batch = enhancer(noisy, torch.tensor([1.0, 0.5])).wav[1, :6400]
    alone = enhancer(noisy[1:, :6400], torch.ones(1)).wav[0]
    # The frames at the end see mirrored samples in one case, zeros else.
    inside = slice(0, 6400 - 3 * 256)
    assert (batch[inside] - alone[inside]).abs().max() < 0.02 * alone.std()


def tones(batch, generator):
    """Two tones take turns; one is the speech, the lips open as it sounds."""
    seconds, rate = 0.8, 16000
    time = torch.arange(int(seconds * rate)) / rate
    turns = torch.rand(batch, 10, generator=generator) < 0.5
    sounding = turns.repeat_interleave(2, dim=1)  # video frames of 40 ms
    envelope = sounding.float().repeat_interleave(rate // 25, dim=1)
    swapped = torch.rand(batch, 1, generator=generator) < 0.5
    pitch = torch.where(swapped, 2000.0, 500.0)  # Hz
    clean = envelope * torch.sin(2 * torch.pi * pitch * time)
    other = (1 - envelope) * torch.sin(2 * torch.pi * (2500 - pitch) * time)
    pixels = (60 + 120 * sounding).to(torch.uint8)
    pixels = pixels[..., None, None].expand(-1, -1, 96, 96)
    present = torch.ones(batch, 20, dtype=torch.uint8)
    return clean + other, clean, Lips(pixels, present)


def loss(enhancer, noisy, clean, lips):
    lengths = torch.ones(len(noisy))
    enhanced = enhancer(noisy, lengths, need_wav=False, clean=clean, lips=lips)
    return (enhanced.features - enhanced.target).square().mean()


def trained_losses(lip_encoder, steps=25):
    """Losses on new clips: before, after, and after with another's lips."""
    generator = torch.Generator().manual_seed(1)
    net = AudioVisualNet(
        *(256, 16, BLSTM(16, 8)),
        lip_encoder=lip_encoder,
        fusion=GatedAddition(16),
    )
    enhancer = PredictiveEnhancer(CompressedSTFT(), net)
    optimizer = torch.optim.Adam(enhancer.parameters(), lr=1e-2)
    noisy, clean, lips = tones(16, torch.Generator().manual_seed(2))
    with torch.no_grad():
        before = loss(enhancer.eval(), noisy, clean, lips)
    enhancer.train()
    for _ in range(steps):
        optimizer.zero_grad()
        loss(enhancer, *tones(8, generator)).backward()
        optimizer.step()
    enhancer.eval()
    others = Lips(lips.pixels.roll(1, dims=0), lips.present)
    with torch.no_grad():
        after = loss(enhancer, noisy, clean, lips)
        shuffled = loss(enhancer, noisy, clean, others)
    return before.item(), after.item(), shuffled.item()


def test_training_listens_and_looks():
    """Lips tell which tone is the speech; the sound alone cannot."""
    torch.manual_seed(0)
    before, audio_only, _ = trained_losses(None)
    encoder = LipEncoder(16, BLSTM(16, 8), channels=2, shrink=4)
    _, audio_visual, shuffled = trained_losses(encoder)
    assert audio_only < 0.7 * before
    assert audio_visual < 0.6 * audio_only
    assert shuffled > 2 * audio_visual
