"""How each adapter's enhancer is written for SpeechBrain's interfaces.

The templates name classes of SpeechBrain and torch only, but for the one of
``CUSTOM``; nodes tagged ``!part`` are taken from the backbone of the run that
is exported, by a name or by several, each within the one before.
"""

from typing import NamedTuple

from cmkt_plugin.loading.yaml_nodes import children

STOCK = ("speechbrain.", "torch.")


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
    packages : tuple of str
        How the names of classes may begin that it finds where it is loaded.
    fixed : dict
        Arguments of the adapter that it has no place for, and what they have
        to be, as YAML has it.
    needs : str
        What the README says of what must be installed.
    """

    hyperparams: str
    prefixes: dict
    usage: str
    packages: tuple = STOCK
    fixed: dict = {}
    needs: str = "Stock SpeechBrain; cmkt_plugin need not be installed."


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

# "own": with the predictor, the corrector and the steps that it brings.
_SCORE_MODEL = """\
interface: speechbrain.inference.enhancement.SGMSEEnhancement
sample_rate: !part sample_rate
n_fft: !part transform.n_fft
hop_length: !part transform.hop_length
window_type: !part transform.window
transform_type: exponent
spec_abs_exponent: !part transform.exponent
spec_factor: !part transform.factor
sampling:
    sampler_type: own
    N: !part score_model.sampler.steps.number
modules:
    score_model: !part score_model
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
    "!new:cmkt_plugin.diffusion.enhancer.DiffusionEnhancer": StockInterface(
        _SCORE_MODEL + _LOADING,
        {"score_model": "score_model."},
        _ENHANCE_FILE,
        (*STOCK, "cmkt_plugin.diffusion."),
        {"predictive": ("null", ""), "seed": ("0",)},
        "Stock SpeechBrain has the interface; the score model is of\n"
        "cmkt_plugin, which must be installed.",
    ),
}

# For what stock SpeechBrain has no class for: CMKTEnhancement runs it.
CUSTOM = StockInterface(_CUSTOM + _LOADING, {"enhancer": ""}, _ENHANCE_FILE)


def interface_of(enhancer):
    """How an adapter is written, as far as its arguments tell.

    Arguments
    ---------
    enhancer : yaml.Node
        The adapter.

    Returns
    -------
    StockInterface
        ``CUSTOM`` where there is no other.

    Example
    -------
    >>> import yaml
    >>> mine = yaml.compose("!new:mine.Adapter {}")
    >>> interface_of(mine) is CUSTOM
    True
    """
    found = STOCK_INTERFACES.get(enhancer.tag, CUSTOM)
    given = children(enhancer)
    for name, allowed in found.fixed.items():
        if name in given and given[name].value not in allowed:
            return CUSTOM
    return found
