"""Enhances a recording while it is made: samples in, samples out."""

import numpy as np
import torch

from cmkt_plugin.enhancers import SpectralMask
from cmkt_plugin.features import LogMagnitude
from cmkt_plugin.streaming.net import StreamedNet
from cmkt_plugin.streaming.transform import StreamedTransform

TOLERANCE = 1e-5  # of the peak of the enhanced waveform


class EnhancementStream:
    """Enhances one channel piece by piece, with bounded state.

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
        If the enhancer cannot stream: on opening, a second of noise is
        streamed and compared with one pass.

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

    def __init__(self, enhancer, device="cpu"):
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
        self._transform = StreamedTransform(stft, device)
        self._compress = LogMagnitude(torch.nn.Identity())  # of a spectrum
        self._net = StreamedNet(enhancer.net)
        self.reset()
        self._check(enhancer)

    def reset(self):
        """Forgets the recording so far; the next push begins another."""
        self._transform.reset()
        self._net.reset()
        self._caller_device = "cpu"  # None where it uses numpy

    @torch.no_grad()
    def push(self, samples):
        """Takes the next samples and returns those that are final now.

        Arguments
        ---------
        samples : torch.Tensor or numpy.ndarray
            Float32 samples (time,) at ``sample_rate``, any number of them.

        Returns
        -------
        torch.Tensor or numpy.ndarray
            Enhanced samples (time,), of the type that came in. They go on
            where those of the last call ended.

        Raises
        ------
        ValueError
            If the samples are of another type or shape, or not finite. The
            stream stays as it was.
        """
        new = _checked(samples).to(self._transform.device)
        as_numpy = isinstance(samples, np.ndarray)
        self._caller_device = None if as_numpy else samples.device
        spectrum = self._enhanced(self._transform.analyse(new))
        return self._as_given(self._transform.synthesise(spectrum))

    @torch.no_grad()
    def flush(self):
        """Ends the recording; the next push begins another.

        Returns
        -------
        torch.Tensor or numpy.ndarray
            The samples that are left (time,): with them, as many have come
            out as went in. Of the type of the last push.
        """
        spectrum = self._enhanced(self._transform.analyse_rest())
        rest = self._as_given(self._transform.synthesise_rest(spectrum))
        self.reset()
        return rest

    def _enhanced(self, spectrum):
        """Masks a spectrum (1, frames, bins, 2) and keeps its phase."""
        if not spectrum.shape[1]:
            return spectrum
        features = self._compress(spectrum)
        magnitude = torch.expm1(self._net(features) * features)
        phase = torch.view_as_complex(spectrum).angle()
        return torch.view_as_real(torch.polar(magnitude, phase))

    def _as_given(self, samples):
        """The samples as the type that the caller uses."""
        if self._caller_device is None:
            return samples.cpu().numpy()
        return samples.to(self._caller_device)

    def _check(self, enhancer):
        """Streams a second of noise and compares it with one pass."""
        # This length ends as far behind the last frame as any can.
        samples = (self.sample_rate // self.hop_length + 1) * self.hop_length
        generator = torch.Generator().manual_seed(0)
        noise = 0.1 * torch.randn(1, samples - 1, generator=generator)
        noise = noise.to(self._transform.device)
        with torch.no_grad():
            self._net.check(enhancer.features(noise))
            whole = enhancer(noise, torch.ones(1, device=noise.device)).wav[0]
        parts = [self.push(part) for part in noise[0].split(self.hop_length)]
        streamed = torch.cat([*parts, self.flush()])
        difference, peak = (streamed - whole).abs().max(), whole.abs().max()
        if not difference <= TOLERANCE * peak:
            raise ValueError(
                f"the stream is {difference / peak:.2g} of the peak away from "
                f"one pass, expected at most {TOLERANCE}: the STFT and ISTFT "
                "need equal windows, center: True and pad_mode: constant"
            )


def _checked(samples):
    """A push as a tensor."""
    if isinstance(samples, np.ndarray):
        # Torch takes neither numpy's reversed nor its read-only arrays.
        samples = torch.from_numpy(samples.copy())
    if samples.ndim != 1:
        raise ValueError(
            f"a push is {tuple(samples.shape)}, expected one channel (time,): "
            "open one stream for each channel"
        )
    if samples.dtype != torch.float32:
        raise ValueError(
            f"a push is {samples.dtype}, expected float32 samples between -1 "
            "and 1: convert them, 16-bit integers by dividing by 32768"
        )
    finite = samples.isfinite()
    if not finite.all():
        # One of them would stay in the net's state for ever.
        raise ValueError(
            f"sample {int(finite.int().argmin())} of a push is "
            f"{samples[~finite][0]}, expected finite ones: replace it, for "
            "example by 0"
        )
    return samples
