"""Tests of the compressed spectrogram against SpeechBrain's."""

from types import SimpleNamespace

import pytest
import torch
from speechbrain.inference.enhancement import SGMSEEnhancement

from cmkt_plugin.diffusion.compressed_stft import CompressedSTFT


def stock(window, exponent):
    """SpeechBrain's transform, without a model around it."""
    enhancement = SGMSEEnhancement.__new__(SGMSEEnhancement)
    torch.nn.Module.__init__(enhancement)
    enhancement.device = "cpu"
    enhancement.hparams = SimpleNamespace(
        n_fft=510,
        hop_length=128,
        window_type=window,
        transform_type="exponent",
        spec_factor=0.15,
        spec_abs_exponent=exponent,
    )
    enhancement._ensure_stft_setup()
    return enhancement


@pytest.mark.parametrize("window", ["hann", "sqrthann"])
@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.5])
def test_it_is_speechbrains_transform_and_its_inverse(window, exponent):
    torch.manual_seed(0)
    wav = torch.randn(2, 3001) * torch.linspace(0, 1, 3001) ** 8  # faint too
    theirs = stock(window, exponent)
    ours = CompressedSTFT(exponent=exponent, window=window)
    spectrum = theirs._spec_fwd(theirs._stft(wav))
    torch.testing.assert_close(ours(wav), spectrum, rtol=1e-4, atol=1e-5)

    other = torch.randn(2, 256, 24, dtype=torch.complex64)
    expected = theirs._istft(theirs._spec_back(other), length=3001)
    torch.testing.assert_close(
        ours.inverse(other, 3001),
        expected,
        rtol=1e-4,
        atol=1e-5 * expected.abs().max().item(),
    )


@pytest.mark.parametrize("samples", [1, 100, 255, 256, 4000])
def test_the_inverse_gives_back_the_waveform_however_short(samples):
    torch.manual_seed(0)
    wav = torch.randn(2, samples, dtype=torch.float64)
    transform = CompressedSTFT()
    back = transform.inverse(transform(wav), samples)
    torch.testing.assert_close(back, wav, atol=1e-5, rtol=0)


def test_silence_stays_silence_with_finite_gradients():
    wav = torch.zeros(1, 2000, requires_grad=True)
    transform = CompressedSTFT()
    spectrum = transform(wav / transform.peak(wav.detach()))
    back = transform.inverse(spectrum, 2000)
    assert not spectrum.abs().any() and not back.any()
    (transform.features(spectrum).sum() + back.sum()).backward()
    assert wav.grad.isfinite().all()

    silent = torch.zeros(1, 256, 17, dtype=torch.complex64, requires_grad=True)
    (transform.inverse(silent, 2000) + 1).square().sum().backward()
    assert torch.view_as_real(silent.grad).isfinite().all()


def test_gradients_are_those_of_finite_differences():
    torch.manual_seed(0)
    transform = CompressedSTFT(n_fft=16, hop_length=4)
    wav = torch.randn(1, 24, dtype=torch.float64, requires_grad=True)

    def both_ways(wav):
        spectrum = transform(wav)
        return transform.features(spectrum), transform.inverse(
            spectrum * spectrum.abs(), 24
        )

    assert torch.autograd.gradcheck(both_ways, wav)


def test_features_are_real_parts_then_imaginary_ones():
    spectrum = torch.randn(2, 256, 5, dtype=torch.complex64)
    features = CompressedSTFT().features(spectrum)
    assert torch.equal(features[1, 3, :256], spectrum[1, :, 3].real)
    assert torch.equal(features[1, 3, 256:], spectrum[1, :, 3].imag)


def test_the_peak_is_of_each_item_and_never_zero():
    noisy = torch.tensor([[0.5, -2.0], [0.0, 0.0]])
    peak = CompressedSTFT().peak(noisy)
    assert torch.equal(peak, torch.tensor([[2.0], [1e-8]]))


def test_nothing_of_it_is_saved():
    transform = CompressedSTFT()
    assert not transform.state_dict() and not list(transform.parameters())


@pytest.mark.parametrize(
    "options", [{"window": "hamming"}, {"exponent": 0.0}, {"factor": -1.0}]
)
def test_what_cannot_be_is_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        CompressedSTFT(**options)
