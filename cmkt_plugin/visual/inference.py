"""Enhances speech that is heard and seen with a trained model."""

import copy
from fractions import Fraction
from functools import partial
from math import lcm
from pathlib import Path
from threading import Lock

import numpy as np
import torch
from speechbrain.utils.logger import get_logger

from cmkt_plugin.any_rate import RateAndMix, in_groups
from cmkt_plugin.audio_stream import read_blocks, write_like
from cmkt_plugin.enhancing.sampling import sampled, set_sampling
from cmkt_plugin.file_tree import is_recording
from cmkt_plugin.inference import CMKTEnhancement
from cmkt_plugin.input_checks import check_array, check_dry_wet
from cmkt_plugin.loading.adapters import parts_of
from cmkt_plugin.loading.model_source import open_model
from cmkt_plugin.visual.face_detector import CascadeDetector
from cmkt_plugin.visual.lip_track import LipTrack, WindowLips
from cmkt_plugin.visual.lips import FRAME_RATE, has_use_for_lips
from cmkt_plugin.visual.media import load_cv2
from cmkt_plugin.visual.mux import check_mux, mux
from cmkt_plugin.visual.sound_track import opened_sound
from cmkt_plugin.visual.unusable_clip import NO_PICTURE, UnusableClip
from cmkt_plugin.visual.video_files import SOUNDS
from cmkt_plugin.visual.video_lips import VideoLips

logger = get_logger(__name__)

INSTEAD = ": enhanced from the sound alone"
APART = 0.5  # s, by which sound and picture may differ without a word
# OpenCV's own way of being imported gives a second thread half of it.
_IMPORT = Lock()


class AudioVisualEnhancement(CMKTEnhancement):
    """Ready-to-use enhancer of videos, or of sounds with lips beside them.

    It loads what ``CMKTEnhancement`` loads, in the same ways and by ``open``,
    and does all that it does: models that only listen may enhance videos, and
    models that look may enhance sounds. Of several channels each is enhanced
    with the same lips.

    Long recordings go in windows, see ``OverlapAdd``. They begin where a
    frame of the model and a picture begin, so that a model that sees no
    further than the context gives what it gives in one pass. Of a model that
    draws its result each window is drawn from the same seed.

    Example
    -------
    >>> from speechbrain.lobes.models.EnhanceResnet import EnhanceResnet
    >>> net = EnhanceResnet(channel_counts=[2], dense_count=1, dense_nodes=4)
    >>> model = AudioVisualEnhancement(
    ...     {"enhance_model": net}, {"sample_rate": 16000}
    ... )
    >>> noisy = np.random.randn(44100, 2).astype("float32")
    >>> pixels = np.zeros((25, 96, 96), np.uint8)
    >>> model.enhance_pair(noisy, 44100, pixels).shape
    (44100, 2)
    """

    @classmethod
    def open(cls, source, device=None, windows=None, **options):
        """Opens a run, an export or a model of the hub.

        Arguments
        ---------
        source, device, **options
            As for ``cmkt_plugin.loading.model_source.open_model``.
        windows : OverlapAdd or None
            How long recordings are cut; None: the default.

        Returns
        -------
        AudioVisualEnhancement

        Raises
        ------
        FileNotFoundError, ValueError
            As ``open_model``.
        """
        model = open_model(source, device, **options)
        return cls(
            *parts_of(model.enhancer, model.sample_rate),
            run_opts={"device": model.device},
            windows=windows,
        )

    @property
    def looks(self):
        """Whether the model has a use for lips."""
        return has_use_for_lips(self.enhancer)

    @property
    def steps(self):
        """Steps of the sampler, of a model that has one; may be set.

        Raises
        ------
        ValueError
            If the model has no sampler, or the number is none.
        """
        return sampled(self.enhancer).score_model.sampler.steps.number

    @steps.setter
    def steps(self, number):
        set_sampling(self.enhancer, steps=number)

    @property
    def seed(self):
        """Seed of what the sampler draws; may be set."""
        return sampled(self.enhancer).seed

    @seed.setter
    def seed(self, seed):
        set_sampling(self.enhancer, seed=seed)

    def enhance_pair(
        self,
        noisy,
        sample_rate,
        pixels=None,
        present=None,
        seed=None,
        dry_wet=1.0,
        keep_high_band=False,
    ):
        """Enhances a sound with the lips that belong to it.

        Arguments
        ---------
        noisy : numpy.ndarray
            Floating-point samples (time,) or (time, channels).
        sample_rate : int
            Their rate (Hz).
        pixels : numpy.ndarray or None
            Grey crops of the mouth (frames, 96, 96), uint8, at 25 frames/s,
            the first shown with the first sample; as ``cmkt lips`` makes
            them. It may be mapped from a file. None: none is seen.
        present : numpy.ndarray or None
            Whether a face was found in each frame (frames,); None: in all.
        seed : int or None
            Of what a diffusion model draws: with the same, the same samples
            come out. None: the model's own.
        dry_wet, keep_high_band
            See ``enhance_array``.

        Returns
        -------
        numpy.ndarray
            Enhanced samples of the same shape and rate, in float32.

        Raises
        ------
        TypeError, ValueError
            If the arrays or an option are not as expected.
        """
        noisy = np.asarray(noisy)
        check_array(noisy, sample_rate)
        track = None if pixels is None else LipTrack(pixels, present)
        channels = noisy.reshape(len(noisy), -1).astype("float32")
        if track is not None:
            _compare_lengths(track, len(noisy) / sample_rate, "noisy")
        pieces = self._pieces_seen(
            *([channels], channels.shape, sample_rate, "noisy"),
            *(track, seed, dry_wet, keep_high_band),
        )
        return np.concatenate(list(pieces)).reshape(noisy.shape)

    def enhance_video(
        self,
        filename,
        output_filename=None,
        seed=None,
        dry_wet=1.0,
        keep_high_band=False,
        offset_ms=0.0,
    ):
        """Enhances the sound of a video, its lips read.

        Where the video has no picture, or no face is found in it, the sound
        alone is enhanced and a warning says so. Sound files are such a case.

        Arguments
        ---------
        filename : str or pathlib.Path
            The video.
        output_filename : str or pathlib.Path or None
            The file to write: ``.wav`` or ``.flac`` for the sound, with its
            rate and channels; the suffix of a video for that, with the
            picture copied bit for bit and the sound at its time. It is
            written under a temporary name until it is complete.
        seed : int or None
            See ``enhance_pair``.
        dry_wet, keep_high_band
            See ``enhance_array``.
        offset_ms : float
            By how much the sound is late against the picture (ms), as for
            ``cmkt lips``; below 0: early. It stays where it is: only the lips
            are looked for at another time.

        Returns
        -------
        pathlib.Path or torch.Tensor
            The file written; without one, the enhanced samples (time,) or
            (time, channels) at the video's rate.

        Raises
        ------
        FileNotFoundError
            If there is no such video.
        ValueError
            If it cannot be read, has no sound, the output cannot be written,
            or an option is not as expected.
        """
        if output_filename is not None:
            check_output(filename, output_filename)
        with opened_sound(filename) as (recording, start):
            lag = Fraction(str(offset_ms)) / 1000
            track = self._lips(filename, start - lag)
            shape = recording.frames, recording.channels
            pieces = self._pieces_seen(
                *(read_blocks(recording), shape, recording.samplerate),
                *(filename, track, seed, dry_wet, keep_high_band),
            )
            if output_filename is None:
                wav = torch.from_numpy(np.concatenate(list(pieces)))
                return wav[:, 0] if recording.channels == 1 else wav
            if _is_sound(output_filename):
                return write_like(recording, output_filename, pieces)
            return mux(filename, output_filename, pieces, start)

    def _pieces_seen(
        self,
        blocks,
        shape,
        rate,
        name,
        track,
        seed=None,
        dry_wet=1.0,
        keep_high_band=False,
    ):
        """Enhances blocks (time, channels) to pieces, with lips beside them."""
        enhancer = self._seeded(seed)
        if enhancer is self.enhancer and not (track and self.looks):
            return self._pieces(
                blocks, shape[0], rate, name, dry_wet, keep_high_band
            )
        check_dry_wet(dry_wet)
        hop = self._common_hop(rate)
        if track and self.looks:
            spans = self.windows.spans(shape[0], rate, hop)
            times = [(start / rate, stop / rate) for start, stop in spans]
            enhancer = WindowLips(enhancer, track, times, shape[1])
        between = RateAndMix(rate, self.sample_rate, dry_wet, keep_high_band)
        enhance = partial(self._enhance_signals, name=name, enhancer=enhancer)
        enhance = partial(between.enhance, enhance=enhance)
        enhance = partial(in_groups, size=self.windows.batch, enhance=enhance)
        return self.windows(blocks, shape[0], rate, hop, enhance)

    def _common_hop(self, rate):
        """Samples after which frames and pictures begin together again."""
        hop = self.enhancer.hop_length
        if self.sample_rate % FRAME_RATE == 0:
            hop = lcm(hop, self.sample_rate // FRAME_RATE)
        return Fraction(hop * rate, self.sample_rate)

    def _seeded(self, seed):
        """The enhancer with another seed: its weights, not a copy of them."""
        if seed is None:
            return self.enhancer
        # Not set for a while: other threads may be enhancing.
        seeded = copy.copy(sampled(self.enhancer))
        seeded.seed = int(seed)
        return seeded

    def _lips(self, path, start):
        """The lips of a video on the clock of its sound; None for none."""
        if not self.looks:
            return None
        try:
            # Of sounds that FFmpeg does not know this is all to be said.
            track = None
            if not is_recording(path):
                track = VideoLips(path, start, self._detector())
        except UnusableClip as error:
            if error.fault != NO_PICTURE:
                raise
            track = None
        if track is None:
            logger.warning(f"{path}: there is no picture{INSTEAD}")
            return None
        if not track.present.any():
            frames = len(track.present)
            logger.warning(
                f"{path}: no face in any of its {frames} frames{INSTEAD}"
            )
            return None
        return track

    def _detector(self):
        """Finds faces, unless a listener ends the work on the way."""
        with _IMPORT:
            load_cv2()
        detector, nothing = CascadeDetector(), torch.zeros(0)

        def detect(image):
            self._listen(nothing)
            return detector(image)

        return detect


def check_output(filename, output):
    """Refuses an output before the work is done.

    Arguments
    ---------
    filename, output : str or pathlib.Path
        As for ``enhance_video``.

    Raises
    ------
    ValueError
        If the output is neither a sound nor a video that can be written.
    """
    if not _is_sound(output):
        check_mux(filename, output)


def _is_sound(output):
    return Path(output).suffix.lower() in SOUNDS


def _compare_lengths(track, seconds, name):
    shown = len(track.pixels) / FRAME_RATE
    if abs(shown - seconds) > APART:
        logger.warning(
            f"{name}: {shown:.2f} s of lips at {FRAME_RATE} frames/s "
            f"beside {seconds:.2f} s of sound: what is missing is not seen"
        )
