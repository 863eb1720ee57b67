"""Tests of the adapter of a score model: learning, drawing, two stages."""

import copy

import pytest
import torch
from toy_backbones import build, speech

from cmkt_plugin.diffusion.compressed_stft import CompressedSTFT
from cmkt_plugin.diffusion.correctors import NoCorrector
from cmkt_plugin.diffusion.enhancer import DiffusionEnhancer
from cmkt_plugin.diffusion.frames import random_crop, reflected
from cmkt_plugin.diffusion.parameterizations import CleanPrediction
from cmkt_plugin.diffusion.predictors import DDIM
from cmkt_plugin.diffusion.samplers import PredictorCorrector
from cmkt_plugin.diffusion.score_model import ScoreModel
from cmkt_plugin.diffusion.score_network import ScoreUNet
from cmkt_plugin.diffusion.sde import OUVESDE
from cmkt_plugin.diffusion.step_schedules import UniformSteps
from cmkt_plugin.inference import CMKTEnhancement
from cmkt_plugin.latent import LatentTap
from cmkt_plugin.overlap_add import OverlapAdd

ONE, TWO = torch.ones(1), torch.ones(2)


def enhancer():
    """The toy model with weights that are not those it begins with."""
    model = build("sgmse")["enhancer"]
    generator = torch.Generator().manual_seed(0)
    for weight in model.parameters():
        weight.data += 0.05 * torch.randn(weight.shape, generator=generator)
    return model


class Halving(torch.nn.Module):
    """A first stage that halves, and sees lips of a width of 3."""

    hop_length = 31

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(0.5))
        self.dropout = torch.nn.Dropout(0.5)

    def estimate(self, spectrum, lips=None, lengths=None):
        self.seen = lips, lengths
        estimate = self.scale * self.dropout(spectrum.real) + 0j
        visual = None
        if lips is not None:
            visual = torch.ones(len(spectrum), spectrum.shape[2], 3)
        return estimate, visual


def two_stages(**options):
    transform = CompressedSTFT(n_fft=62, hop_length=31)
    network = ScoreUNet(
        bins=32,
        conditions=2,
        visual_width=3,
        model_channels=8,
        channel_mult=[1, 1],
    )
    sde = OUVESDE()
    sampler = PredictorCorrector(sde, DDIM(), NoCorrector(), UniformSteps(1))
    model = ScoreModel(network, sde, sampler, CleanPrediction(spread=0.1))
    return DiffusionEnhancer(transform, model, Halving(), **options)


def test_learns_with_every_weight():
    model = enhancer()
    noisy, clean = speech(2, 3000), 0.5 * speech(2, 3000)
    _, features, target = model(noisy, TWO, need_wav=False, clean=clean)
    assert features.shape == target.shape == (2, 97, 64)
    torch.nn.functional.mse_loss(features, target).backward()
    assert all(p.grad.abs().max() > 0 for p in model.parameters())


def test_training_draws_anew_and_evaluation_the_same_times_again():
    model = enhancer()
    noisy, clean = speech(2, 3000), 0.5 * speech(2, 3000)

    def learned_from():
        with torch.no_grad():
            return [
                model(noisy, TWO, need_wav=False, clean=clean).features
                for _ in range(2)
            ]

    first, second = learned_from()
    assert not torch.equal(first, second)
    model.eval()
    first, second = learned_from()
    # One time for all batches would measure the loss at this time only.
    assert not torch.equal(first, second)
    model.train()
    learned_from()
    again = (model.eval(), learned_from())[1]
    assert torch.equal(first, again[0]) and torch.equal(second, again[1])


def test_times_are_spread_from_t_eps_to_the_end():
    model = enhancer()
    clean = torch.zeros(2000, 1, 1, dtype=torch.complex64)
    for mode in (True, False):
        t, noise = model.train(mode)._draws(clean)
        assert 0.03 <= t.min() < 0.04 and 0.99 < t.max() <= 1
        assert t.mean() == pytest.approx(0.515, abs=0.03)
        assert noise.abs().square().mean() == pytest.approx(1, abs=0.1)


def test_loss_is_of_speech_at_the_scale_of_the_noisy_peak():
    """Louder noisy and clean speech make the same problem."""
    model = enhancer().eval()
    noisy, clean = speech(1, 3000), 0.5 * speech(1, 3000)
    with torch.no_grad():
        one = model(noisy, ONE, need_wav=False, clean=clean)
        model.eval()
        loud = model(8 * noisy, ONE, need_wav=False, clean=8 * clean)
        wav, loud_wav = model(noisy, ONE).wav, model(8 * noisy, ONE).wav
    assert torch.allclose(one.features, loud.features, atol=1e-5)
    assert torch.allclose(8 * wav, loud_wav, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("samples", [1, 31, 700, 3001])
def test_waveform_is_as_long_as_the_input_and_comes_again(samples):
    model = enhancer().eval()
    wav = model(speech(1, samples), ONE).wav
    assert wav.shape == (1, samples) and wav.isfinite().all()
    torch.manual_seed(5)
    assert torch.equal(wav, model(speech(1, samples), ONE).wav)


def test_every_item_of_a_batch_gets_what_it_would_get_alone():
    model, noisy = enhancer().eval(), speech(3, 3000)
    together = model(noisy, torch.ones(3)).wav
    for item, wav in zip(noisy, together):
        alone = model(item[None], ONE).wav[0]
        assert torch.allclose(wav, alone, rtol=1e-3, atol=1e-4)


def test_seed_chooses_what_is_drawn():
    model, noisy = enhancer().eval(), speech(1, 3000)
    before = model(noisy, ONE).wav
    model.seed = 1
    assert not torch.allclose(before, model(noisy, ONE).wav, rtol=0.01)


def test_features_of_a_drawn_waveform_are_its_spectrum():
    model, noisy = enhancer().eval(), speech(1, 3000)
    wav, features, target = model(noisy, ONE)
    spectrum = torch.complex(*features.mT.chunk(2, dim=1))
    peak = model.transform.peak(noisy)
    assert target is None
    assert torch.allclose(peak * model.transform.inverse(spectrum, 3000), wav)


def test_without_need_wav_nothing_is_drawn_and_the_latent_has_a_gradient():
    model, calls = enhancer(), []
    model.score_model.sampler = calls.append
    tap = LatentTap(model, "middle_block", frames_dim=3, first_call=True)
    assert tap.measure() == 8 * 16 and not calls
    with tap:
        model(speech(2, 3000), TWO, need_wav=False)
    assert tap.latent.shape == (2, 49, 8 * 16) and tap.latent.requires_grad


def test_first_call_of_the_network_is_that_of_the_loss():
    model = enhancer().eval()
    noisy = speech(1, 3000)
    tap = LatentTap(model, "middle_block", frames_dim=3, first_call=True)
    with tap:
        model(noisy, ONE, clean=0.5 * noisy)
    found = tap.latent
    model.eval()
    with tap:
        model(noisy, ONE, need_wav=False, clean=0.5 * noisy)
    assert torch.equal(found, tap.latent)


def test_waveform_losses_are_refused():
    with pytest.raises(ValueError, match="'features' alone"):
        enhancer()(speech(1, 3000), ONE, clean=speech(1, 3000))


def test_crops_are_of_training_only():
    model = enhancer()
    model.crop_frames = 24
    noisy = speech(2, 3000)

    def frames():
        found = model(noisy, TWO, need_wav=False, clean=noisy)
        return {part.shape[1] for part in (found.features, found.target)}

    assert frames() == {24}
    assert (model.eval(), frames())[1] == {97}
    assert model(noisy, TWO).wav.shape == (2, 3000)


def test_crops_are_of_one_place_and_all_that_counts_is_reached():
    lengths = torch.tensor([1.0, 0.5, 0.1])
    x = torch.arange(30.0).expand(3, 2, 30)
    heard = [set(), set(), set()]  # frames that a loss looks at
    for _ in range(120):
        one, other = random_crop([x, 100 + x], lengths, 8)
        assert torch.equal(one + 100, other)
        for seen, item, count in zip(heard, one[:, 0], (8, 4, 1)):
            seen.update(item[:count].int().tolist())
    assert heard == [set(range(30)), set(range(15)), set(range(3))]
    assert random_crop([x], lengths, 30)[0] is x


def test_reflection_is_that_of_torch():
    x = torch.randn(2, 3, 50)
    expected = torch.nn.functional.pad(x, (0, 14), mode="reflect")
    assert torch.equal(reflected(x, 64), expected)
    assert reflected(x[..., :1], 64).eq(x[..., :1]).all()
    assert reflected(x, 25) is not None and reflected(x, 25).shape == x.shape


def test_first_stage_is_where_the_drift_goes_and_learns_nothing():
    model = two_stages()
    noisy = speech(2, 3000)
    assert not model.predictive.training and model.training
    model.train()
    assert not model.predictive.training
    found = model(noisy, TWO, need_wav=False, clean=noisy, lips="lips")
    found.features.square().mean().backward()
    assert model.predictive.scale.grad is None
    assert not model.predictive.scale.requires_grad  # nor any optimizer's
    assert model.predictive.seen == ("lips", TWO)
    # The network, untrained, predicts no difference to the first estimate.
    spectrum = model.transform(noisy / model.transform.peak(noisy))
    expected = model.predictive.estimate(spectrum)[0]
    wanted = model.transform.features(spectrum - expected) / 0.1
    assert torch.allclose(found.target, wanted, atol=1e-5)
    drawn = model.eval()(noisy, TWO).features
    assert torch.allclose(drawn, model.transform.features(expected), atol=1e-5)


def test_lips_reach_the_network_filled_up_and_cropped_with_the_frames():
    model = two_stages(crop_frames=24)
    with torch.no_grad():
        for weight in model.score_model.parameters():
            weight += 0.05
    seen = []
    model.score_model.network.register_forward_pre_hook(
        lambda module, inputs: seen.append((inputs[0], inputs[3]))
    )
    noisy = speech(2, 3000)
    model(noisy, TWO, need_wav=False, clean=noisy, lips="lips")
    model.eval()(noisy, TWO, lips="lips")
    model(noisy, TWO)
    shapes = [(x.shape[-1], v and tuple(v.shape)) for x, v in seen[2:]]
    assert seen[0][1].shape == (2, 24, 3) and seen[0][0].shape[-1] == 24
    assert seen[1][1].shape == (2, 128, 3) and seen[1][0].shape[-1] == 128
    assert shapes == [(128, None)]


def test_stages_of_other_frames_are_refused():
    model = two_stages()
    model.predictive.hop_length = 64
    with pytest.raises(ValueError, match="hop_length of 64.*score model 31"):
        DiffusionEnhancer(model.transform, model.score_model, model.predictive)


def test_copies_and_states_give_the_same():
    model, noisy = enhancer().eval(), speech(1, 3000)
    other = build("sgmse")["enhancer"].eval()
    other.load_state_dict(model.state_dict())
    for same in (copy.deepcopy(model), other):
        assert torch.equal(same(noisy, ONE).wav, model(noisy, ONE).wav)


def test_long_recordings_go_through_windows():
    """Attention grows with the square of the length; a window bounds it."""
    model = enhancer().eval()
    frames = []
    model.score_model.network.register_forward_pre_hook(
        lambda module, inputs: frames.append(inputs[0].shape[-1])
    )
    windows = OverlapAdd(window=0.3, context=0.05, fade=0.02, batch=2)
    with_windows = CMKTEnhancement(
        {"enhancer": model}, {"sample_rate": 16000}, windows=windows
    )
    noisy = speech(1, 16000)[0].numpy()
    enhanced = with_windows.enhance_array(noisy, 16000)
    assert enhanced.shape == noisy.shape
    assert max(frames) == 192  # 0.3 s: 155 frames, filled up to 64
