"""Renders a mixture, to the same bytes on every machine.

What is exact, on any machine and with any version of the libraries: reading
wav and flac, babble, the room, energies and gains (whole numbers and correctly
rounded decimals), multiplying, adding and rounding (IEEE 754, one operation
at a time). What is exact but for less than 1e-10 a sample: noise of another
rate and changed speed, whose float64 sums may differ in their last bit before
they are rounded to 16 bits. Lossy formats (ogg, mp3) are as exact as
their decoder: to publish a test set, keep its noise in wav or flac.

SpeechBrain's ``Resample`` changes the speed. Its ``AddNoise``, ``AddReverb``
and ``AddBabble`` are not used: they draw for a batch, from the global
generator, so an item would depend on its neighbours and on the workers.
"""

import numpy as np
import torch

from cmkt_plugin.mixing.level import energy, gain
from cmkt_plugin.mixing.noise import babble, recorded
from cmkt_plugin.mixing.pcm import FULL_SCALE, integers, read_whole
from cmkt_plugin.mixing.rates import change_speed
from cmkt_plugin.mixing.room import reverberate


class Mixer:
    """Makes the noisy and the target waveform that a mixture describes.

    Never clips: if either would exceed full scale, both are turned down
    together. A silent clean file gets its noise as loud as it was recorded.

    Arguments
    ---------
    sample_rate : int
        Rate of the clean files and of what comes out (Hz).

    Example
    -------
    >>> import soundfile
    >>> from cmkt_plugin.mixing.mixture import Mixture
    >>> folder = getfixture("tmp_path")
    >>> clean, noise = str(folder / "clean.wav"), str(folder / "noise.wav")
    >>> soundfile.write(clean, [0.5, -0.5, 0.5], 16000)
    >>> soundfile.write(noise, [0.25, 0.25, -0.25], 16000)
    >>> noisy, target = Mixer(16000).render(clean, Mixture(20.0, noise))
    >>> target
    tensor([ 0.5000, -0.5000,  0.5000])
    >>> noisy
    tensor([ 0.5500, -0.4500,  0.4500])
    """

    def __init__(self, sample_rate):
        self.sample_rate = sample_rate

    def render(self, clean_path, mixture):
        """Renders a mixture as waveforms.

        Arguments
        ---------
        clean_path : str
            The clean recording; its first channel counts.
        mixture : Mixture
            What is mixed with it.

        Returns
        -------
        noisy, clean : torch.Tensor
            float32 (time,), multiples of 2**-15.

        Raises
        ------
        SilentNoise
            If the span of noise is silent.
        ValueError
            If a file is empty, holds no audio or has another rate.
        """
        return tuple(
            torch.from_numpy(pcm.astype(np.float32) / FULL_SCALE)
            for pcm in self.render_pcm(clean_path, mixture)
        )

    def render_pcm(self, clean_path, mixture):
        """As ``render``, in 16-bit steps: int16 (time,)."""
        dry = read_whole(clean_path, self.sample_rate, "clean speech")
        target = change_speed(integers(dry, clean_path), mixture.speed)
        speech = target
        if mixture.rir is not None:
            speech, target = reverberate(
                target, mixture.rir, self.sample_rate, mixture.early_ms
            )
        noise = self._noise(mixture, len(speech))
        noisy = speech + noise * _noise_gain(speech, noise, mixture.snr)
        factor = _common_factor(noisy, target, mixture.level)
        return _quantise(noisy * factor), _quantise(target * factor)

    def _noise(self, mixture, length):
        if mixture.talkers:
            return babble(mixture.talkers, length, self.sample_rate)
        return recorded(mixture.noise, mixture.offset, length, self.sample_rate)


def _noise_gain(speech, noise, snr):
    """The noise's factor; 1 for silent speech, which has no SNR."""
    wanted = energy(speech)
    return gain(wanted, energy(noise), -snr) if wanted else 1.0


def _common_factor(noisy, target, level):
    """What brings the noisy file to its level, less where it would clip."""
    factor = 1.0
    if level is not None:
        found = energy(np.rint(noisy).astype(np.int64))
        full = len(noisy) * FULL_SCALE**2
        factor = gain(full, found, level) if found else 1.0
    peak = max(np.abs(noisy).max(), np.abs(target).max()) * factor
    highest = FULL_SCALE - 1
    return factor * (highest / peak) if peak > highest else factor


def _quantise(samples):
    return np.rint(samples).astype(np.int16)
