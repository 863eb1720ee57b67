"""Enhances recordings, batches and arrays with a trained model."""

from fractions import Fraction
from functools import cached_property, partial

import numpy as np
import torch
from speechbrain.inference.interfaces import Pretrained

from cmkt_plugin.any_rate import RateAndMix, in_groups
from cmkt_plugin.audio_stream import open_recording, read_blocks, write_like
from cmkt_plugin.enhancers import fit_length
from cmkt_plugin.full_float32 import full_float32
from cmkt_plugin.input_checks import (
    check_array,
    check_batch,
    check_dry_wet,
    check_enhanced,
    true_lengths,
)
from cmkt_plugin.loading.adapters import adapter_of, parts_of
from cmkt_plugin.loading.hub_snapshot import model_folder
from cmkt_plugin.loading.safe_folder import load_safe
from cmkt_plugin.overlap_add import OverlapAdd
from cmkt_plugin.streaming.recording import StreamedChannels, stream_recording
from cmkt_plugin.streaming.stream import EnhancementStream


class CMKTEnhancement(Pretrained):
    """Ready-to-use enhancer of any backbone.

    The level of what goes in is kept: nothing is normalized. A recording
    longer than a window goes through a stream, as one pass with bounded
    memory, if the model can stream; if not, in windows that overlap, see
    ``OverlapAdd``.

    Arguments
    ---------
    modules : dict
        Those of an exported ``hyperparams.yaml``, or one ``enhancer`` of
        ``cmkt_plugin.enhancers``.
    hparams : dict
        With ``sample_rate`` (Hz) and what the modules need beside them.
    run_opts : dict
        Options of SpeechBrain's interfaces, such as ``{"device": "cuda"}``.
    freeze_params : bool
        Whether to switch off gradients and dropout.
    windows : OverlapAdd or None
        How long recordings are cut; None takes its defaults.

    Attributes
    ----------
    listeners : list of callable
        Called with all that the model is about to enhance (signals, time),
        in the thread that asked for it. What they raise ends that.

    Example
    -------
    >>> from speechbrain.lobes.models.EnhanceResnet import EnhanceResnet
    >>> net = EnhanceResnet(channel_counts=[2], dense_count=1, dense_nodes=4)
    >>> model = CMKTEnhancement({"enhance_model": net}, {"sample_rate": 16000})
    >>> noisy = np.random.randn(44100, 2).astype("float32")
    >>> model.enhance_array(noisy, 44100).shape
    (44100, 2)
    """

    HPARAMS_NEEDED = ["sample_rate"]

    def __init__(
        self,
        modules=None,
        hparams=None,
        run_opts=None,
        freeze_params=True,
        windows=None,
    ):
        super().__init__(modules, hparams, run_opts, freeze_params)
        self.enhancer = adapter_of(self.mods, self.hparams)
        self.sample_rate = self.hparams.sample_rate
        self.windows = OverlapAdd() if windows is None else windows
        self.listeners = []

    @classmethod
    def from_safe(
        cls, source, savedir=None, revision=None, run_opts=None, windows=None
    ):
        """Loads an export without running or unpickling anything of it.

        Only classes of ``cmkt_plugin.loading.allowed_classes`` are built.

        Arguments
        ---------
        source : str or pathlib.Path
            A folder with ``config.json`` and ``model.safetensors``, or the
            name of such a model on the hub, ``user/name``.
        savedir : str or pathlib.Path or None
            Where a model of the hub is put; None: into the hub's cache.
        revision : str or None
            Of a model of the hub: branch, tag or commit.
        run_opts : dict
            Options of SpeechBrain's interfaces, such as a ``device``.
        windows : OverlapAdd or None
            How long recordings are cut; None: the default.

        Returns
        -------
        CMKTEnhancement

        Raises
        ------
        FileNotFoundError
            If there is no such model, or it was not exported for this.
        ValueError
            If the model names a class that is not on the list, or is damaged.
        """
        folder = model_folder(source, savedir, revision)
        modules, hparams = parts_of(*load_safe(folder, source))
        return cls(modules, hparams, run_opts, windows=windows)

    def enhance_batch(self, noisy, lengths=None):
        """Enhances a batch, each item as if it were alone.

        Arguments
        ---------
        noisy : torch.Tensor
            Waveforms (batch, time) at the model's rate.
        lengths : torch.Tensor
            Relative lengths (batch,), above 0 and up to 1; None for items that
            all have the full length.

        Returns
        -------
        torch.Tensor
            Enhanced waveforms (batch, time) on the model's device; zeros after
            the end of an item.

        Raises
        ------
        TypeError, ValueError
            If a shape, a type or a value is not as expected.
        """
        check_batch(noisy)
        samples = true_lengths(noisy, lengths)
        enhanced = torch.zeros(noisy.shape, device=self.device)
        for length in set(samples):
            items = [i for i, own in enumerate(samples) if own == length]
            group = noisy[items, :length].detach().float().cpu().numpy().T
            # All at once, if in one window: the caller chose the batch.
            pieces = self._pieces(
                [group], length, self.sample_rate, "noisy", batch=len(items)
            )
            wav = torch.from_numpy(np.concatenate(list(pieces)).T)
            enhanced[items, :length] = wav.to(enhanced.device)
        return enhanced

    def enhance_array(
        self, noisy, sample_rate, dry_wet=1.0, keep_high_band=False
    ):
        """Enhances an array.

        Arguments
        ---------
        noisy : numpy.ndarray
            Floating-point samples (time,) or (time, channels).
        sample_rate : int
            Their rate (Hz).
        dry_wet : float
            Share of the enhanced signal in what is returned, 0 to 1; the rest
            is the noisy one.
        keep_high_band : bool
            What is above the band of the model: True leaves it as it is in the
            input, False drops it. Of a rate below the model's, all is kept.

        Returns
        -------
        numpy.ndarray
            Enhanced samples of the same shape and rate, in float32.

        Raises
        ------
        TypeError, ValueError
            If the array or an option is not as expected.
        """
        noisy = np.asarray(noisy)
        check_array(noisy, sample_rate)
        channels = noisy.reshape(len(noisy), -1).astype("float32")
        pieces = self._pieces(
            [channels],
            len(noisy),
            sample_rate,
            "noisy",
            dry_wet,
            keep_high_band,
        )
        return np.concatenate(list(pieces)).reshape(noisy.shape)

    def enhance_file(
        self,
        filename,
        output_filename=None,
        dry_wet=1.0,
        keep_high_band=False,
    ):
        """Enhances a recording of any rate, format and number of channels.

        Arguments
        ---------
        filename : str or pathlib.Path
            The recording.
        output_filename : str or pathlib.Path or None
            The file to write, with rate, channels, length, format and subtype
            of the recording; may be the recording itself. The memory this
            takes does not depend on the length.
        dry_wet, keep_high_band
            See ``enhance_array``.

        Returns
        -------
        pathlib.Path or torch.Tensor
            The file written; without one, the enhanced samples (time,) or
            (time, channels) at the recording's rate.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it cannot be read or written, or an option is not as expected.
        """
        with open_recording(filename) as recording:
            pieces = self._pieces(
                read_blocks(recording),
                recording.frames,
                recording.samplerate,
                filename,
                dry_wet,
                keep_high_band,
            )
            if output_filename is not None:
                return write_like(recording, output_filename, pieces)
            wav = torch.from_numpy(np.concatenate(list(pieces)))
            return wav[:, 0] if recording.channels == 1 else wav

    @cached_property
    def streams(self):
        """Whether the model can stream, found by opening a stream.

        Set to False, it makes long recordings go in windows all the same.
        """
        try:
            self.stream()
        except ValueError:
            return False
        return True

    def stream(self, channels=None):
        """Opens a stream for real time; see ``EnhancementStream``.

        Every stream has a state of its own. It takes samples at
        ``sample_rate`` only: those of another rate are for the caller to
        convert, with a resampler that keeps its state between pieces.

        Arguments
        ---------
        channels : int or None
            Channels of what is pushed (channels, time); None for (time,).

        Returns
        -------
        EnhancementStream
            ``push(samples)`` and ``flush()`` return enhanced samples, those
            of one pass over the whole; ``latency_ms`` later at most.

        Raises
        ------
        ValueError
            If the model is not causal. It names the layer and the difference
            to one pass that it makes.
        """
        return EnhancementStream(self.enhancer, self.device, channels)

    def _pieces(
        self,
        blocks,
        samples,
        rate,
        name,
        dry_wet=1.0,
        keep_high_band=False,
        batch=1,
    ):
        """Enhances blocks (time, channels) to pieces (time, channels)."""
        check_dry_wet(dry_wet)
        batch = max(batch, self.windows.batch)
        between = RateAndMix(rate, self.sample_rate, dry_wet, keep_high_band)
        if self.windows.in_one(samples, rate) or not self.streams:
            enhance = partial(self._enhance_signals, name=name)
            enhance = partial(between.enhance, enhance=enhance)
            enhance = partial(in_groups, size=batch, enhance=enhance)
            hop = Fraction(self.enhancer.hop_length * rate, self.sample_rate)
            return self.windows(blocks, samples, rate, hop, enhance)
        size = round(self.windows.window * rate)
        open_channels = partial(self._open_channels, between=between, name=name)
        return stream_recording(blocks, size, batch, open_channels)

    def _open_channels(self, channels, between, name):
        stream = EnhancementStream(
            self.enhancer, self.device, channels, check=False
        )
        return StreamedChannels(stream, between, name, self._listen)

    def _listen(self, signals):
        for listener in self.listeners:
            listener(signals)

    @torch.no_grad()
    @full_float32
    def _enhance_signals(self, noisy, name, enhancer=None):
        """Enhances signals (time, signals) at the model's rate.

        ``enhancer`` stands in for the model's own, with the same call.
        """
        samples = len(noisy)
        signals = torch.from_numpy(np.ascontiguousarray(noisy.T))
        self._listen(signals)
        if samples < self.sample_rate:
            signals = fit_length(signals, max(samples, self.shortest))
        signals = signals.to(self.device)
        lengths = torch.ones(len(signals), device=signals.device)
        enhancer = enhancer or self.enhancer
        enhanced = enhancer(signals, lengths).wav.cpu()[:, :samples]
        check_enhanced(enhanced, signals, name)
        return enhanced.numpy().T

    @cached_property
    def shortest(self):
        """Samples that the model needs, found by trying.

        Convolutions that pad by reflection need more frames than they add, and
        which there are is known to the net alone.
        """
        # Doubled, so at times more than needed. It begins at 1: a stream pads
        # nothing, and one pass has to give the same.
        samples = 1
        while True:
            silence = torch.zeros(1, samples, device=self.device)
            try:
                self.enhancer(silence, torch.ones(1, device=self.device))
            except RuntimeError:
                if samples > self.sample_rate:
                    raise
                samples *= 2
            else:
                return samples
