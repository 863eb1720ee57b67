"""How each adapter's enhancer is written for SpeechBrain's interfaces.

The templates name classes of SpeechBrain and torch only, but for the one of
``CUSTOM``; nodes tagged ``!part`` are taken from the backbone of the run that
is exported.
"""

from typing import NamedTuple


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
