"""Noisy and clean waveforms of a manifest's entries."""

import soundfile

from cmkt_plugin.mixing.mixer import Mixer
from cmkt_plugin.mixing.mixture import Mixture


def fixed_pair(clean_wav, mixture, sample_rate=None):
    """Renders an entry of a manifest.

    Arguments
    ---------
    clean_wav : str
        The clean recording.
    mixture : dict
        As from ``Mixture.to_json``, with paths that exist.
    sample_rate : int or None
        The model's rate (Hz): a clean recording of another one is refused.
        None takes the recording's.

    Returns
    -------
    noisy, clean : torch.Tensor
        float32 (time,).

    Raises
    ------
    ValueError
        If the mixture is not one, or a file is not what it should be.

    Example
    -------
    >>> path = str(getfixture("tmp_path") / "a.wav")
    >>> soundfile.write(path, [0.125, 0.25], 16000)
    >>> noisy, clean = fixed_pair(path, {"snr": 0.0, "noise": path})
    >>> noisy, clean
    (tensor([0.2500, 0.5000]), tensor([0.1250, 0.2500]))
    """
    rate = sample_rate or soundfile.info(clean_wav).samplerate
    return Mixer(rate).render(clean_wav, Mixture.from_json(mixture))
