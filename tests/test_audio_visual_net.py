"""Predictive stage: fusion, time, missing video, mask."""

import pytest
import torch

from cmkt_plugin.visual.audio_visual_net import AudioVisualNet
from cmkt_plugin.visual.blstm import BLSTM
from cmkt_plugin.visual.complex_mask import ComplexMask
from cmkt_plugin.visual.frame_rate import (
    fit_video,
    to_audio_frames,
    video_counts,
)
from cmkt_plugin.visual.fusion import (
    Concatenation,
    CrossAttention,
    GatedAddition,
)
from cmkt_plugin.visual.lip_encoder import LipEncoder
from cmkt_plugin.visual.lips import Lips
from cmkt_plugin.visual.visual_dropout import VisualDropout

BINS, WIDTH, HOP = 5, 8, 0.008
FUSIONS = [Concatenation, GatedAddition, CrossAttention]


def net(fusion=Concatenation, **options):
    """An untrained net whose every part does something."""
    torch.manual_seed(0)
    temporal = BLSTM(WIDTH, WIDTH // 2)
    lip_encoder = LipEncoder(
        *(WIDTH, BLSTM(WIDTH, WIDTH // 2)), channels=2, shrink=4
    )
    options = {"lip_encoder": lip_encoder, "fusion": fusion(WIDTH), **options}
    built = AudioVisualNet(BINS, WIDTH, temporal, **options)
    for parameter in built.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return built.eval()


def spectra(batch, frames, seed=1):
    generator = torch.Generator().manual_seed(seed)
    size = (batch, BINS, frames)
    return torch.randn(size, dtype=torch.complex64, generator=generator)


def lips(batch, frames, seed=1):
    generator = torch.Generator().manual_seed(seed)
    size = (batch, frames, 96, 96)
    pixels = torch.randint(256, size, dtype=torch.uint8, generator=generator)
    return Lips(pixels, torch.ones(batch, frames, dtype=torch.uint8))


def close(one, other):
    torch.testing.assert_close(one, other, atol=1e-5, rtol=0)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_a_clip_without_a_face_is_a_clip_without_video(fusion):
    enhance, noisy = net(fusion), spectra(2, 26)
    seen = lips(2, 6)
    seen.present[1] = 0
    estimate, visual = enhance(noisy, HOP, seen)
    deaf, blind = enhance(noisy, HOP, None)
    assert torch.equal(estimate[1], deaf[1])
    assert torch.equal(visual[1], blind[1])
    assert (estimate[0] - deaf[0]).abs().max() > 1e-3


def test_a_video_longer_than_the_audio_is_cut():
    enhance, noisy, seen = net(), spectra(1, 26), lips(1, 9)
    estimate, _ = enhance(noisy, HOP, seen)
    cut = Lips(seen.pixels[:, :6], seen.present[:, :6])
    assert torch.equal(estimate, enhance(noisy, HOP, cut)[0])


def test_beyond_the_end_of_a_video_nothing_is_present():
    enhance, noisy, seen = net(), spectra(1, 26), lips(1, 6)
    short = Lips(seen.pixels[:, :4], seen.present[:, :4])
    estimate, _ = enhance(noisy, HOP, short)
    seen.present[:, 4:] = 0
    assert torch.equal(estimate, enhance(noisy, HOP, seen)[0])


def test_another_number_of_videos_is_refused():
    with pytest.raises(ValueError, match="3 videos for 2 recordings"):
        net()(spectra(2, 26), HOP, lips(3, 6))


@pytest.mark.parametrize("fusion", FUSIONS)
def test_an_item_in_a_padded_batch_is_as_it_is_alone(fusion):
    enhance, noisy, seen = net(fusion), spectra(2, 50), lips(2, 10)
    seen.present[1, 2:4] = 0
    lengths = torch.tensor([1.0, 0.6])
    estimate, visual = enhance(noisy, HOP, seen, lengths)
    item = Lips(seen.pixels[1:], seen.present[1:])
    alone, alone_visual = enhance(noisy[1:, :, :30], HOP, item)
    close(estimate[1:, :, :30], alone)
    close(visual[1:, :30], alone_visual)


def test_video_is_brought_to_the_audio_by_time():
    """Interpolated times of video frames are the times of audio frames."""
    counts = video_counts(torch.tensor([100, 51]), HOP)
    times = (torch.arange(counts.max()) / 25).view(1, -1, 1).expand(2, -1, -1)
    found = to_audio_frames(times, counts, 100, HOP).squeeze(-1)
    wanted = torch.arange(100) * HOP
    close(found[0, :96], wanted[:96])
    close(found[1, :51], wanted[:51])
    # The last video frame that begins within the audio stays until its end.
    close(found[0, 96:], wanted[95:96].expand(4))


@pytest.mark.parametrize("hop", [0.008, 0.016, 0.01, 128 / 44100])
def test_no_video_frame_begins_after_the_audio(hop):
    counts = torch.arange(1, 2000)
    last = (counts - 1).double() * hop
    begun = (video_counts(counts, hop) - 1).double() / 25
    assert (begun <= last + 1e-6).all()
    assert (begun + 1 / 25 > last - 1e-6).all()


def test_fitting_keeps_what_was_absent():
    seen = lips(1, 4)
    seen.present[0, 1] = 0
    fitted = fit_video(seen, torch.tensor([6]))
    assert fitted.present.tolist() == [[1, 0, 1, 1, 0, 0]]
    assert torch.equal(fitted.pixels[:, :4], seen.pixels)
    assert fit_video(seen, torch.tensor([2])).present.tolist() == [[1, 0]]


@pytest.mark.parametrize("fusion", FUSIONS)
def test_fusion_lets_both_through(fusion):
    torch.manual_seed(0)
    fuse = fusion(WIDTH)
    audio = torch.randn(1, 7, WIDTH, requires_grad=True)
    visual = torch.randn(1, 7, WIDTH, requires_grad=True)
    fuse(audio, visual).square().sum().backward()
    assert audio.grad.abs().amax(dim=(0, 2)).min() > 1e-3
    assert visual.grad.abs().amax(dim=(0, 2)).min() > 1e-3


def test_attention_reaches_no_further_than_told():
    fuse = CrossAttention(WIDTH, nhead=2, reach=3)
    audio = torch.randn(1, 20, WIDTH)
    visual = torch.randn(1, 20, WIDTH, requires_grad=True)
    fuse(audio, visual)[0, 10].sum().backward()
    reached = visual.grad.abs().sum(dim=(0, 2)) > 0
    assert reached.nonzero().flatten().tolist() == list(range(7, 14))


def test_padding_has_something_to_look_at():
    """Frames beyond the reach of all real ones: not every kernel gives 0."""
    fuse = CrossAttention(WIDTH, nhead=2, reach=3)
    bias = fuse._bias(20, torch.tensor([5, 20]))
    assert bias.shape == (2, 2, 20, 20)
    assert bias.isfinite().any(dim=-1).all()


def test_attention_learns_a_distance():
    """A bias on one distance makes it look exactly there."""
    fuse = CrossAttention(WIDTH, nhead=2, reach=3)
    with torch.no_grad():
        fuse.distance_bias[:, 3 + 2] = 100.0  # two frames ahead
    audio, visual = torch.randn(2, 1, 20, WIDTH)
    value = fuse.key_value(visual).chunk(2, dim=-1)[1]
    wanted = audio[:, :18] + fuse.output(value[:, 2:])
    close(fuse(audio, visual)[:, :18], wanted)


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(ValueError, match="3 attention heads"):
        CrossAttention(WIDTH, nhead=3)


def test_the_mask_is_bounded():
    mask = ComplexMask(WIDTH, BINS, bound=1.5)
    noisy, latent = spectra(2, 9), 1e4 * torch.randn(2, 9, WIDTH)
    ratio = mask(latent, noisy).abs() / noisy.abs()
    assert 1.45 < ratio.max() < 1.5001


def test_without_training_the_noisy_spectrum_passes():
    mask = ComplexMask(WIDTH, BINS, bound=2.0, mapping=True)
    noisy = spectra(2, 9)
    estimate = mask(torch.zeros(2, 9, WIDTH), noisy)
    assert ((estimate - noisy).abs() / noisy.abs()).max() < 0.1


def test_the_gradient_is_finite_where_the_mask_is_zero():
    mask = ComplexMask(WIDTH, BINS)
    torch.nn.init.zeros_(mask.mask.weight)
    torch.nn.init.zeros_(mask.mask.bias)
    mask(torch.randn(1, 3, WIDTH), spectra(1, 3)).abs().sum().backward()
    assert all(
        p.grad.isfinite().all() for p in mask.parameters() if p.grad is not None
    )


def test_only_the_mapping_fills_what_is_silent():
    silence = torch.zeros(1, BINS, 9, dtype=torch.complex64)
    latent = torch.randn(1, 9, WIDTH)
    for mapping in (False, True):
        mask = ComplexMask(WIDTH, BINS, mapping=mapping)
        assert bool(mask(latent, silence).abs().sum() > 0) is mapping


def test_a_bound_that_lets_nothing_pass_is_refused():
    with pytest.raises(ValueError, match="expected more than 1"):
        ComplexMask(WIDTH, BINS, bound=1.0)


def test_dropout_takes_the_video_in_training_only():
    enhance = net(visual_dropout=VisualDropout(clip=1.0))
    noisy, seen = spectra(2, 26), lips(2, 6)
    estimate = enhance(noisy, HOP, seen)[0]
    blind = enhance(noisy, HOP)[0]
    assert (estimate - blind).abs().max() > 1e-3
    assert torch.equal(enhance.train()(noisy, HOP, seen)[0], blind)


def test_without_lip_encoder_there_is_no_fusion():
    deaf = net(lip_encoder=None, visual_dropout=VisualDropout())
    assert deaf.fusion is None
    estimate, visual = deaf(spectra(1, 26), HOP, lips(1, 6))
    assert visual is None
    assert torch.equal(estimate, deaf(spectra(1, 26), HOP)[0])


def test_a_lip_encoder_without_fusion_is_refused():
    with pytest.raises(ValueError, match="no fusion"):
        net(fusion=lambda width: None)
