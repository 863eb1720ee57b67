"""The adapter for what a model's files hold, and back."""

import torch
from speechbrain.dataio.preprocess import AudioNormalizer

from cmkt_plugin.diffusion.compressed_stft import CompressedSTFT
from cmkt_plugin.diffusion.enhancer import DiffusionEnhancer
from cmkt_plugin.diffusion.score_model import ScoreModel
from cmkt_plugin.diffusion.stock_samplers import stock_sampler
from cmkt_plugin.enhancers import SpectralMask, WaveformMapping, WaveformMask
from cmkt_plugin.features import LogMagnitude


def adapter_of(modules, hparams):
    """The adapter for what a ``hyperparams.yaml`` holds.

    Arguments
    ---------
    modules : torch.nn.ModuleDict
        Those of a stock interface, or an ``enhancer`` that is an adapter.
    hparams : types.SimpleNamespace
        The hyperparameters beside them.

    Returns
    -------
    torch.nn.Module
        One of ``cmkt_plugin.enhancers``, or a ``DiffusionEnhancer``.

    Raises
    ------
    ValueError
        If the modules are those of no interface that is known, or the
        features are not those of ``LogMagnitude``.
    """
    if "enhancer" in modules:
        return modules["enhancer"]
    separator = ("encoder", "masknet", "decoder")
    if all(name in modules for name in separator):
        return WaveformMapping(*(modules[name] for name in separator), None)
    if "score_model" in modules:
        return _diffusion_enhancer(modules["score_model"], hparams)
    if "enhance_model" not in modules:
        raise ValueError(
            f"the model has the modules {', '.join(modules) or 'none'}: "
            "expected an 'enhancer', or those of SpeechBrain's "
            "SpectralMaskEnhancement or WaveformEnhancement (enhance_model), "
            "SGMSEEnhancement (score_model) or SepformerSeparation (encoder, "
            "masknet, decoder)"
        )
    net = modules["enhance_model"]
    if hasattr(hparams, "compute_stft"):
        _check_magnitude(hparams)
        return SpectralMask(net, hparams.compute_stft, _istft_of(hparams))
    if not hasattr(net, "stft"):
        raise ValueError(
            f"the enhance_model is a {type(net).__name__}: expected a net with "
            "an 'stft' of its own (EnhanceResnet), or 'compute_stft' and "
            "'compute_istft' beside the modules (SpectralMaskEnhancement)"
        )
    return WaveformMask(net, LogMagnitude(net.stft))


def _diffusion_enhancer(score_model, hparams):
    """What ``SGMSEEnhancement`` does with a score model."""
    if not isinstance(score_model, ScoreModel):
        raise ValueError(
            f"the score_model is a {type(score_model).__name__}, expected a "
            "cmkt_plugin.diffusion.score_model.ScoreModel: enhance with "
            "SpeechBrain's SGMSEEnhancement"
        )
    if hparams.transform_type != "exponent":
        raise ValueError(
            f"the model's 'transform_type' is '{hparams.transform_type}', "
            "expected 'exponent': enhance with SpeechBrain's SGMSEEnhancement"
        )
    transform = CompressedSTFT(
        n_fft=hparams.n_fft,
        hop_length=hparams.hop_length,
        exponent=getattr(hparams, "spec_abs_exponent", 1.0),
        factor=hparams.spec_factor,
        window=hparams.window_type,
    )
    score_model.sampler = stock_sampler(score_model.sampler, **hparams.sampling)
    enhancer = DiffusionEnhancer(transform, score_model)
    device = next(score_model.parameters()).device
    return enhancer.to(device).train(score_model.training)


def _check_magnitude(hparams):
    """Refuses features that ``LogMagnitude`` does not compute."""
    magnitude = getattr(hparams, "spectral_magnitude", None)
    if magnitude is None:
        return
    # Tried, not read: it may be any function.
    found = magnitude(torch.tensor([[[[3.0, 4.0]]]])).item()
    if abs(found - 5) > 1e-3:
        power = getattr(magnitude, "keywords", {}).get("power", "not given")
        raise ValueError(
            f"the model's 'spectral_magnitude' (power: {power}) gives "
            f"{found:g} for 3+4j, expected 5, as 'power: 0.5' gives: of other "
            "features cmkt_plugin makes another sound. Enhance with "
            "SpeechBrain's SpectralMaskEnhancement"
        )


def _istft_of(hparams):
    """The inverse transform, which older models name in ``resynth`` only."""
    keywords = getattr(getattr(hparams, "resynth", None), "keywords", {})
    istft = getattr(hparams, "compute_istft", keywords.get("istft"))
    if istft is None:
        raise ValueError(
            "the model has a 'compute_stft' and neither a 'compute_istft' nor "
            "a 'resynth' with an 'istft': add one to its hyperparams.yaml"
        )
    return istft


def parts_of(enhancer, sample_rate):
    """What ``adapter_of`` makes the adapter of, for an interface without YAML.

    Arguments
    ---------
    enhancer : torch.nn.Module
        One of ``cmkt_plugin.enhancers``.
    sample_rate : int
        Of its waveforms, in Hz.

    Returns
    -------
    dict
        The modules of a ``Pretrained`` interface.
    dict
        Its hyperparameters.
    """
    hparams = {
        "sample_rate": sample_rate,
        "audio_normalizer": AudioNormalizer(sample_rate),
    }
    return {"enhancer": enhancer}, hparams
