"""Draws what each utterance is mixed with, anew each epoch."""

import random

import torch

from cmkt_plugin.mixing.draws import between, level_between, pick
from cmkt_plugin.mixing.mixer import Mixer
from cmkt_plugin.mixing.mixture import Mixture
from cmkt_plugin.mixing.noise import SilentNoise
from cmkt_plugin.mixing.ranges import (
    require_counts,
    require_positive,
    require_probability,
    require_range,
    require_speeds,
)
from cmkt_plugin.mixing.rates import length_at_speed
from cmkt_plugin.mixing.talkers import Talkers

# Draws of one item before its noise is taken to be silence altogether.
ATTEMPTS = 10


class MixtureSampler:
    """Draws mixtures that depend on seed, epoch and utterance alone.

    No generator has a state: workers, their number, the order of the items
    and a resumed run change nothing. Recordings of noise are drawn with equal
    probability, whatever their duration.

    Arguments
    ---------
    noise : NoiseFolder or None
        Recorded noise; None, or of no folder, where all is babble.
    snr : tuple of float
        Lowest and highest SNR (dB).
    sample_rate : int
        Rate of the clean recordings (Hz).
    rirs : RIRFolder or None
        Room impulse responses, at that rate; None, or of no folder, where
        nothing is heard in a room.
    rir_probability : float
        Of being heard in a room.
    early_ms : float
        Milliseconds of the response after the direct sound in the target.
    babble_probability : float
        Of babble in place of recorded noise.
    babble_talkers : tuple of int
        Fewest and most voices of a babble.
    speed : list of float
        Factors in whole hundredths, drawn with equal probability.
    level : tuple of float or None
        Lowest and highest level of the noisy file (dB below full scale);
        None keeps the speech as loud as it was recorded.
    seed : int
        Seed of all draws.
    snr_step : float or None
        From one SNR (dB) that is drawn to the next, the lowest being the
        first: 5 and (-10, 5) give -10, -5, 0 and 5. None draws any.

    Raises
    ------
    ValueError
        If a knob is out of its range.

    Example
    -------
    >>> import soundfile
    >>> from cmkt_plugin.mixing.audio_folder import NoiseFolder
    >>> folder = getfixture("tmp_path")
    >>> soundfile.write(folder / "hum.wav", [0.5] * 32000, 16000)
    >>> sampler = MixtureSampler(NoiseFolder(folder), snr=(0, 5), seed=7)
    >>> entry = {"clean_wav": "a.wav", "speaker": "a", "length": 1.0}
    >>> first = sampler.draw("a_001", entry, epoch=1)
    >>> 0 <= first.snr <= 5 and first.offset <= 16000
    True
    >>> first == sampler.draw("a_001", entry, epoch=2)
    False
    """

    def __init__(
        self,
        noise,
        snr=(-5, 10),
        sample_rate=16000,
        rirs=None,
        rir_probability=0.0,
        early_ms=50.0,
        babble_probability=0.0,
        babble_talkers=(3, 6),
        speed=(1.0,),
        level=None,
        seed=0,
        snr_step=None,
    ):
        self.noise, self.rirs = _or_none(noise), _or_none(rirs)
        self.snr = require_range("snr", snr)
        if snr_step is not None:
            require_positive("snr_step", snr_step)
        self.snr_step = snr_step
        self.level = None if level is None else require_range("level", level)
        self.speed = require_speeds(speed)
        require_probability("rir_probability", rir_probability)
        require_probability("babble_probability", babble_probability)
        self.rir_probability = rir_probability
        self.babble_probability = babble_probability
        self.babble_talkers = require_counts("babble_talkers", babble_talkers)
        self.early_ms = require_positive("early_ms", early_ms)
        self.seed = seed
        self.mixer = Mixer(sample_rate)
        self.talkers = None
        # Shared memory: workers that live through all epochs see it change.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()

    @property
    def sample_rate(self):
        """Rate of the clean recordings (Hz)."""
        return self.mixer.sample_rate

    @property
    def epoch(self):
        """The epoch that ``pair`` draws for."""
        return int(self._epoch)

    def set_epoch(self, epoch):
        """Draw for another epoch, in worker processes too.

        Arguments
        ---------
        epoch : int
            Its number. Set it before the epoch's first batch is asked for.
        """
        self._epoch.fill_(epoch)

    def bind(self, entries):
        """Takes the set whose utterances are mixed, and checks all folders.

        Arguments
        ---------
        entries : dict
            Utterance to ``clean_wav``, ``speaker`` and ``length`` (s): the
            babble's talkers are drawn from them.

        Returns
        -------
        MixtureSampler
            This one.

        Raises
        ------
        ValueError, FileNotFoundError
            If there is too little noise, an RIR of another rate, or too few
            speakers for a babble.
        """
        if self.babble_probability > 0:
            talkers = Talkers(entries, self.sample_rate)
            talkers.require(self.babble_talkers[1])
            self.talkers = talkers
        self.check_folders()
        return self

    def check_folders(self):
        """Refuses folders of noise or rooms in which there is nothing to use.

        Raises
        ------
        ValueError, FileNotFoundError
            If there is too little noise, or an RIR of another rate.
        """
        if self.babble_probability < 1:
            _require("noise", self.noise, "a NoiseFolder").list_files()
        if self.rir_probability > 0:
            rirs = _require("rirs", self.rirs, "an RIRFolder")
            rirs.require_rate(self.sample_rate)

    def draw(self, utterance_id, entry, epoch, attempt=0):
        """Draws a mixture.

        Arguments
        ---------
        utterance_id : str
            The utterance.
        entry : dict
            Its ``speaker`` and ``length`` (s).
        epoch : int
            The epoch.
        attempt : int
            Another number gives another draw.

        Returns
        -------
        Mixture
        """
        # A text is hashed to a seed in the same way by every Python.
        source = random.Random(f"{self.seed}/{epoch}/{attempt}/{utterance_id}")
        mixture = Mixture(
            snr=level_between(source, self.snr, self.snr_step),
            level=None if self.level is None else between(source, self.level),
            speed=pick(source, self.speed),
            rir=self._draw_rir(source),
            early_ms=self.early_ms,
        )
        if source.random() < self.babble_probability:
            talkers = self._draw_talkers(source, entry["speaker"])
            return mixture._replace(talkers=talkers)
        samples = round(entry["length"] * self.sample_rate)
        length = length_at_speed(samples, mixture.speed)
        noise, offset = self.noise.draw(source, length, self.sample_rate)
        return mixture._replace(noise=noise, offset=offset)

    def pair(self, id, clean_wav, speaker, length):
        """Draws and renders a training pair of the current epoch.

        Arguments
        ---------
        id : str
            The utterance.
        clean_wav : str
            Its clean recording.
        speaker : str
            Its speaker.
        length : float
            Its duration (s).

        Returns
        -------
        noisy, clean : torch.Tensor
            float32 (time,).
        """
        entry = {"speaker": speaker, "length": length}
        _, pair = self.draw_audible(
            id,
            entry,
            self.epoch,
            lambda mixture: self.mixer.render(clean_wav, mixture),
        )
        return pair

    def draw_audible(self, utterance_id, entry, epoch, render):
        """Draws and renders, again where the span of noise is silent.

        Arguments
        ---------
        utterance_id, entry, epoch
            As in ``draw``.
        render : callable
            Takes the mixture.

        Returns
        -------
        Mixture, object
            What was drawn and what ``render`` returned.

        Raises
        ------
        SilentNoise
            If ten draws in a row are silent.
        """
        for attempt in range(ATTEMPTS):
            mixture = self.draw(utterance_id, entry, epoch, attempt)
            try:
                return mixture, render(mixture)
            except SilentNoise as error:
                silent = error
        raise silent

    def _draw_rir(self, source):
        if source.random() >= self.rir_probability:
            return None
        return self.rirs.path(pick(source, self.rirs.list_files()))

    def _draw_talkers(self, source, speaker):
        if self.talkers is None:
            raise ValueError(
                "babble_probability is not 0 and no set is bound: call "
                "bind(entries) before drawing, so that there are talkers"
            )
        low, high = self.babble_talkers
        count = low + int(source.random() * (high - low + 1))
        return self.talkers.draw(source, speaker, count)


def _or_none(folder):
    """YAML cannot leave an object out: one of no folder counts as none."""
    return None if folder is None or folder.folder is None else folder


def _require(knob, folder, kind):
    if folder is None:
        raise ValueError(
            f"{knob} is None, expected {kind}: name a folder, or set the "
            "probability of what needs it to 0"
        )
    return folder
