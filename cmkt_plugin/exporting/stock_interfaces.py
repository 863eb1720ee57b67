"""How each adapter's enhancer is written for SpeechBrain's interfaces.

The templates name classes of SpeechBrain and torch only, but for the one of
``CUSTOM``; nodes tagged ``!part`` are taken from the backbone of the run that
is exported.
"""

from typing import NamedTuple

from speechbrain.dataio.preprocess import AudioNormalizer

from cmkt_plugin.enhancers import SpectralMask, WaveformMapping, WaveformMask
from cmkt_plugin.features import LogMagnitude


class StockInterface(NamedTuple):
    """The interface that runs an adapter of ``cmkt_plugin.enhancers``.

    Arguments
    ---------
    hyperparams : str
        Template of the exported ``hyperparams.yaml``.
    prefixes : dict
        For each exported module, how the names of its parameters begin in
        the adapter's state dict.
    usage : str
        Python lines that enhance ``noisy.wav`` with a loaded ``model``.
    """

    hyperparams: str
    prefixes: dict
    usage: str


_LOADING = """\
audio_normalizer: !new:speechbrain.dataio.preprocess.AudioNormalizer
    sample_rate: !ref <sample_rate>
pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
    loadables: !ref <modules>
"""

# Its enhance_file passes lengths: the container accepts them for any net.
_SPECTRAL_MASK = """\
interface: speechbrain.inference.enhancement.SpectralMaskEnhancement
sample_rate: !part sample_rate
compute_stft: !part stft
compute_istft: !part istft
spectral_magnitude: !name:speechbrain.processing.features.spectral_magnitude
    power: 0.5
resynth: !name:speechbrain.processing.signal_processing.resynthesize
    stft: !ref <compute_stft>
    istft: !ref <compute_istft>
    normalize_wavs: False
modules:
    enhance_model: !new:speechbrain.nnet.containers.LengthsCapableSequential
        net: !part net
"""

_WAVEFORM_MASK = """\
interface: speechbrain.inference.enhancement.WaveformEnhancement
sample_rate: !part sample_rate
modules:
    enhance_model: !part net
"""

_WAVEFORM_MAPPING = """\
interface: speechbrain.inference.separation.SepformerSeparation
sample_rate: !part sample_rate
num_spks: 1
modules:
    encoder: !part encoder
    masknet: !part masknet
    decoder: !part decoder
"""

_CUSTOM = """\
interface: cmkt_plugin.inference.CMKTEnhancement
sample_rate: !part sample_rate
modules:
    enhancer: !part enhancer
"""

_ENHANCE_FILE = 'model.enhance_file("noisy.wav", "enhanced.wav")'

# Not separate_file: it brings the peak of every recording to 1.
_SEPARATE_BATCH = """\
noisy = model.load_audio("noisy.wav").unsqueeze(0)  # (batch, time)
enhanced = model.separate_batch(noisy)[..., 0]"""

# By the tag of the adapter: a user's own class may have one of these names.
STOCK_INTERFACES = {
    "!new:cmkt_plugin.enhancers.SpectralMask": StockInterface(
        _SPECTRAL_MASK + _LOADING, {"enhance_model": ""}, _ENHANCE_FILE
    ),
    "!new:cmkt_plugin.enhancers.WaveformMask": StockInterface(
        _WAVEFORM_MASK + _LOADING, {"enhance_model": "net."}, _ENHANCE_FILE
    ),
    "!new:cmkt_plugin.enhancers.WaveformMapping": StockInterface(
        _WAVEFORM_MAPPING + _LOADING,
        {name: f"{name}." for name in ("encoder", "masknet", "decoder")},
        _SEPARATE_BATCH,
    ),
}

# For what stock SpeechBrain has no class for: CMKTEnhancement runs it.
CUSTOM = StockInterface(_CUSTOM + _LOADING, {"enhancer": ""}, _ENHANCE_FILE)


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
        One of ``cmkt_plugin.enhancers``.

    Raises
    ------
    ValueError
        If the modules are those of no interface that is known.
    """
    if "enhancer" in modules:
        return modules["enhancer"]
    separator = ("encoder", "masknet", "decoder")
    if all(name in modules for name in separator):
        return WaveformMapping(*(modules[name] for name in separator), None)
    if "enhance_model" not in modules:
        raise ValueError(
            f"the model has the modules {', '.join(modules) or 'none'}: "
            "expected an 'enhancer', or those of SpeechBrain's "
            "SpectralMaskEnhancement or WaveformEnhancement (enhance_model) "
            "or SepformerSeparation (encoder, masknet, decoder)"
        )
    net = modules["enhance_model"]
    if hasattr(hparams, "compute_stft"):
        return SpectralMask(net, hparams.compute_stft, _istft_of(hparams))
    if not hasattr(net, "stft"):
        raise ValueError(
            f"the enhance_model is a {type(net).__name__}: expected a net with "
            "an 'stft' of its own (EnhanceResnet), or 'compute_stft' and "
            "'compute_istft' beside the modules (SpectralMaskEnhancement)"
        )
    return WaveformMask(net, LogMagnitude(net.stft))


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
