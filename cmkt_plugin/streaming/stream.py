"""Enhances a recording while it is made: samples in, samples out."""

import numpy as np
import torch

from cmkt_plugin.enhancers import SpectralMask
from cmkt_plugin.features import LogMagnitude
from cmkt_plugin.full_float32 import full_float32
from cmkt_plugin.input_checks import check_push
from cmkt_plugin.streaming.net import StreamedNet
from cmkt_plugin.streaming.transform import StreamedTransform

TOLERANCE = 1e-5  # of the peak of the enhanced waveform


class EnhancementStream:
    """Enhances a recording piece by piece, with bounded state.

    What comes out is what the enhancer gives for the whole recording, the
    edges included. Between two calls the stream keeps the samples of one
    window and the state of the net's layers; it shares nothing that changes
    with other streams of the same enhancer.

    Arguments
    ---------
    enhancer : SpectralMask
        Its net must be causal; see ``cmkt_plugin.streaming.net``.
    device : str or torch.device
        Where the enhancer is.
    channels : int or None
        Channels of the recording, each enhanced by itself; None for a stream
        of samples (time,) that have no such axis.
    check : bool
        Whether to compare with one pass on opening. False is for enhancers of
        which a stream was opened before.

    Attributes
    ----------
    sample_rate : int
        Of the samples, in Hz. Another rate is for the caller to convert.
    hop_length : int
        Samples from one frame to the next.
    latency_ms : float
        From the arrival of a sample to the moment when it is final, at
        worst, without the time to compute: one window. The last frame that
        covers a sample has to be complete; for the first sample of that
        frame, it is then a whole window old.

    Raises
    ------
    ValueError
        If the enhancer cannot stream: a second of noise is streamed and
        compared with one pass.

    Example
    -------
    >>> from speechbrain.nnet.containers import Sequential
    >>> from speechbrain.nnet.RNN import GRU
    >>> from speechbrain.processing.features import ISTFT, STFT
    >>> windows = {"sample_rate": 16000, "win_length": 32, "hop_length": 16}
    >>> stft, istft = STFT(n_fft=512, **windows), ISTFT(**windows)
    >>> net = Sequential(GRU(257, input_size=257), torch.nn.Sigmoid())
    >>> stream = EnhancementStream(SpectralMask(net, stft, istft).eval())
    >>> stream.latency_ms
    32.0
    >>> [len(stream.push(torch.zeros(n))) for n in (500, 100, 1, 1000)]
    [0, 256, 0, 1024]
    >>> len(stream.flush())
    321
    """

    def __init__(self, enhancer, device="cpu", channels=None, check=True):
        if not isinstance(enhancer, SpectralMask):
            net = getattr(enhancer, "net", enhancer)
            raise ValueError(
                f"{type(net).__name__} cannot run in real time: expected a "
                "SpectralMask with a causal net, found a "
                f"{type(enhancer).__name__}; hparams/backbones/gru.yaml is "
                "such a model"
            )
        stft = enhancer.features.stft
        self.sample_rate = stft.sample_rate
        self.hop_length = stft.hop_length
        self.latency_ms = 1000 * stft.win_length / stft.sample_rate
        self.channels = channels
        self._transform = StreamedTransform(stft, device, channels or 1)
        self._compress = LogMagnitude(torch.nn.Identity())  # of a spectrum
        self._net = StreamedNet(enhancer.net)
        self.reset()
        if check:
            self._check(enhancer)

    def reset(self):
        """Forgets the recording so far; the next push begins another."""
        self._transform.reset()
        self._net.reset()
        self._caller_device = "cpu"  # None where it uses numpy

    @torch.no_grad()
    @full_float32
    def push(self, samples):
        """Takes the next samples and returns those that are final now.

        Arguments
        ---------
        samples : torch.Tensor or numpy.ndarray
            Float32 samples (time,) at ``sample_rate``, any number of them;
            (channels, time) where the stream has channels.

        Returns
        -------
        torch.Tensor or numpy.ndarray
            Enhanced samples (time,) or (channels, time), of the type that
            came in. They go on where those of the last call ended.

        Raises
        ------
        TypeError
            If the samples are no tensor and no array.
        ValueError
            If they are of another type or shape, or not finite. The stream
            stays as it was.
        """
        new = check_push(samples, self.channels).to(self._transform.device)
        if self.channels is None:
            new = new.unsqueeze(0)
        as_numpy = isinstance(samples, np.ndarray)
        self._caller_device = None if as_numpy else samples.device
        spectrum = self._enhanced(self._transform.analyse(new))
        return self._as_given(self._transform.synthesise(spectrum))

    @torch.no_grad()
    @full_float32
    def flush(self):
        """Ends the recording; the next push begins another.

        Returns
        -------
        torch.Tensor or numpy.ndarray
            The samples that are left, (time,) or (channels, time): with
            them, as many have come out as went in. Of the type of the last
            push.
        """
        spectrum = self._enhanced(self._transform.analyse_rest())
        rest = self._as_given(self._transform.synthesise_rest(spectrum))
        self.reset()
        return rest

    def _enhanced(self, spectrum):
        """Masks a spectrum (channels, frames, bins, 2), keeps its phase."""
        if not spectrum.shape[1]:
            return spectrum
        features = self._compress(spectrum)
        magnitude = torch.expm1(self._net(features) * features)
        phase = torch.view_as_complex(spectrum).angle()
        return torch.view_as_real(torch.polar(magnitude, phase))

    def _as_given(self, samples):
        """The samples as the type and shape that the caller uses."""
        if self.channels is None:
            samples = samples[0]
        if self._caller_device is None:
            return samples.cpu().numpy()
        return samples.to(self._caller_device)

    @full_float32
    def _check(self, enhancer):
        """Streams a second of noise and compares it with one pass."""
        # This length ends as far behind the last frame as any can.
        samples = (self.sample_rate // self.hop_length + 1) * self.hop_length
        generator = torch.Generator().manual_seed(0)
        shape = self._transform.signals, samples - 1
        noise = 0.1 * torch.randn(shape, generator=generator)
        noise = noise.to(self._transform.device)
        lengths = torch.ones(len(noise), device=noise.device)
        with torch.no_grad():
            self._net.check(enhancer.features(noise))
            whole = enhancer(noise, lengths).wav
        given = noise if self.channels else noise[0]
        parts = [self.push(part) for part in given.split(self.hop_length, -1)]
        streamed = torch.cat([*parts, self.flush()], dim=-1)
        difference, peak = (streamed - whole).abs().max(), whole.abs().max()
        if not difference <= TOLERANCE * peak:
            raise ValueError(
                f"the stream is {difference / peak:.2g} of the peak away from "
                f"one pass, expected at most {TOLERANCE}: the STFT and ISTFT "
                "need equal windows, center: True and pad_mode: constant"
            )
