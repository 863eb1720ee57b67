"""Adapters that give SpeechBrain's enhancement models one call.

The models are used as they are; an adapter holds only what differs between
them. Every adapter maps noisy waveforms and their relative lengths to an
``Enhanced``, has the target features of the enhancement loss as ``features``
and no parameter of its own.
"""

import inspect
from typing import NamedTuple, Optional

import torch
from speechbrain.processing.signal_processing import resynthesize

from cmkt_plugin.features import LogMagnitude


class Enhanced(NamedTuple):
    """What an enhancer returns.

    Arguments
    ---------
    wav : torch.Tensor or None
        Enhanced waveforms (batch, time), as long as the input; None if it
        was not asked for.
    features : torch.Tensor
        What the loss compares (batch, frames, width): mostly their compressed
        log-magnitude.
    target : torch.Tensor or None
        What the features should be, where the enhancer alone knows it, such as
        the noise that it drew; None: the features of the clean speech.
    """

    wav: Optional[torch.Tensor]
    features: torch.Tensor
    target: Optional[torch.Tensor] = None


def frame_lengths(lengths, frames):
    """Number of frames that belong to each item, at least one.

    Arguments
    ---------
    lengths : torch.Tensor
        Relative lengths (batch,) between 0 and 1.
    frames : int
        Number of frames of the padded batch.

    Returns
    -------
    torch.Tensor
        Integer lengths (batch,).

    Example
    -------
    >>> frame_lengths(torch.tensor([1.0, 0.52, 0.0]), 10)
    tensor([10,  5,  1])
    """
    return (lengths * frames).round().long().clamp(1, frames)


def fit_length(wav, samples):
    """Cuts waveforms, or fills them up with zeros, to a number of samples.

    Arguments
    ---------
    wav : torch.Tensor
        Waveforms (batch, time).
    samples : int
        Length wanted.

    Returns
    -------
    torch.Tensor
        Waveforms (batch, samples).

    Example
    -------
    >>> fit_length(torch.ones(1, 3), 4)
    tensor([[1., 1., 1., 0.]])
    """
    return torch.nn.functional.pad(wav, (0, samples - wav.shape[1]))


class SpectralMask(torch.nn.Module):
    """Real mask on the compressed log-magnitude, noisy phase.

    Gives what ``speechbrain.inference.enhancement.SpectralMaskEnhancement``
    gives with ``normalize_wavs: False``: the level of the input is kept.

    Arguments
    ---------
    net : torch.nn.Module
        Maps features (batch, frames, bins) to a mask of the same shape. Gets
        the relative ``lengths``, or a ``src_key_padding_mask`` that is True
        at padded frames, if its ``forward`` takes one of them.
    stft : torch.nn.Module
        ``speechbrain.processing.features.STFT``.
    istft : torch.nn.Module
        ``speechbrain.processing.features.ISTFT`` with the same settings.

    Example
    -------
    >>> from speechbrain.processing.features import ISTFT, STFT
    >>> windows = {"sample_rate": 16000, "win_length": 32, "hop_length": 16}
    >>> stft, istft = STFT(n_fft=512, **windows), ISTFT(**windows)
    >>> net = torch.nn.Sequential(torch.nn.Linear(257, 257), torch.nn.Sigmoid())
    >>> enhancer = SpectralMask(net, stft, istft)
    >>> enhanced = enhancer(torch.randn(2, 8001), torch.ones(2))
    >>> enhanced.wav.shape, enhanced.features.shape
    (torch.Size([2, 8001]), torch.Size([2, 32, 257]))
    """

    def __init__(self, net, stft, istft):
        super().__init__()
        self.net = net
        self.istft = istft
        self.features = LogMagnitude(stft)
        self.net_arguments = frozenset(
            inspect.signature(net.forward).parameters
        )

    @property
    def hop_length(self):
        """Samples between the model's frames."""
        return self.features.stft.hop_length

    def forward(self, noisy, lengths, need_wav=True):
        """Enhances a batch.

        Arguments
        ---------
        noisy : torch.Tensor
            Noisy waveforms (batch, time).
        lengths : torch.Tensor
            Relative lengths (batch,).
        need_wav : bool
            False leaves out the resynthesis, a quarter of a training step of
            a small net whose loss looks at the features only.

        Returns
        -------
        Enhanced
            Waveforms (batch, time) and features (batch, frames, bins).
        """
        features = self.features(noisy)
        features = self._mask(features, lengths) * features
        if not need_wav:
            return Enhanced(None, features)
        wav = resynthesize(
            torch.expm1(features),
            noisy,
            self.features.stft,
            self.istft,
            normalize_wavs=False,
        )
        return Enhanced(wav, features)

    def _mask(self, features, lengths):
        if "lengths" in self.net_arguments:
            mask = self.net(features, lengths=lengths)
        elif "src_key_padding_mask" in self.net_arguments:
            frames = torch.arange(features.shape[1], device=features.device)
            real = frame_lengths(lengths, len(frames)).unsqueeze(1)
            mask = self.net(features, src_key_padding_mask=frames >= real)
        else:
            mask = self.net(features)
        # A mask of another shape could broadcast into a wrong result.
        if mask.shape != features.shape:
            raise ValueError(
                f"the mask of {type(self.net).__name__} is {tuple(mask.shape)}"
                f", expected that of the features {tuple(features.shape)}; "
                "end the net with a layer that brings it there, for example "
                "torch.nn.Flatten(start_dim=2) for an extra dimension of 1"
            )
        return mask


class WaveformMask(torch.nn.Module):
    """Model that goes from waveform to waveform and computes its features.

    Made for ``speechbrain.lobes.models.EnhanceResnet.EnhanceResnet`` (a real
    mask on the complex spectrum). Its waveform ends at the last whole hop;
    what is missing at the end, less than a hop, is filled up with zeros.

    Arguments
    ---------
    net : torch.nn.Module
        Maps waveforms (batch, time) to (waveforms, features).
    features : LogMagnitude
        The features of the target: of the same transform as the net's.

    Raises
    ------
    ValueError
        If the two transforms differ.

    Example
    -------
    >>> from speechbrain.lobes.models.EnhanceResnet import EnhanceResnet
    >>> net = EnhanceResnet(channel_counts=[2], dense_count=1, dense_nodes=4)
    >>> enhancer = WaveformMask(net, LogMagnitude(net.stft))
    >>> enhanced = enhancer(torch.randn(2, 8001), torch.ones(2))
    >>> enhanced.wav.shape, enhanced.features.shape
    (torch.Size([2, 8001]), torch.Size([2, 32, 257]))
    """

    def __init__(self, net, features):
        super().__init__()
        for setting in ("sample_rate", "n_fft", "win_length", "hop_length"):
            own = getattr(net.stft, setting)
            target = getattr(features.stft, setting)
            if own != target:
                raise ValueError(
                    f"the net's STFT has {setting} {own}, that of the target "
                    f"features {target}: give both the same"
                )
        self.net = net
        self.features = features

    @property
    def hop_length(self):
        """Samples between the model's frames."""
        return self.features.stft.hop_length

    def forward(self, noisy, lengths, need_wav=True):
        """Enhances a batch; the arguments are those of ``SpectralMask``."""
        wav, features = self.net(noisy)
        return Enhanced(fit_length(wav, noisy.shape[1]), features)


class WaveformMapping(torch.nn.Module):
    """Separator of one source: encoder, mask on the code, decoder.

    The computation of SpeechBrain's separation recipes and of its
    ``SepformerSeparation``, with ``num_spks: 1``.

    Arguments
    ---------
    encoder : torch.nn.Module
        Maps waveforms (batch, time) to a code (batch, channels, frames).
    masknet : torch.nn.Module
        Maps the code to masks (1, batch, channels, frames).
    decoder : torch.nn.Module
        Maps a code back to waveforms (batch, time).
    features : LogMagnitude or None
        Computes the features of the enhanced waveform; None leaves them out.

    Example
    -------
    >>> from speechbrain.lobes.models.conv_tasnet import MaskNet
    >>> from speechbrain.lobes.models.dual_path import Decoder, Encoder
    >>> from speechbrain.processing.features import STFT
    >>> enhancer = WaveformMapping(
    ...     Encoder(kernel_size=16, out_channels=8),
    ...     MaskNet(N=8, B=4, H=4, P=3, X=2, R=1, C=1),
    ...     Decoder(8, 1, kernel_size=16, stride=8, bias=False),
    ...     LogMagnitude(STFT(16000, 32, 16, 512)),
    ... )
    >>> enhanced = enhancer(torch.randn(2, 8001), torch.ones(2))
    >>> enhanced.wav.shape, enhanced.features.shape
    (torch.Size([2, 8001]), torch.Size([2, 32, 257]))
    """

    def __init__(self, encoder, masknet, decoder, features):
        super().__init__()
        self.encoder = encoder
        self.masknet = masknet
        self.decoder = decoder
        self.features = features

    @property
    def hop_length(self):
        """Samples between the model's frames."""
        return self.decoder.stride[0]

    def forward(self, noisy, lengths, need_wav=True):
        """Enhances a batch; the arguments are those of ``SpectralMask``."""
        code = self.encoder(noisy)
        masks = self.masknet(code)
        if len(masks) != 1:
            raise ValueError(
                f"the separator gives {len(masks)} sources, expected 1: set "
                "its number of speakers (num_spks, or C of conv_tasnet) to 1"
            )
        # Under autocast the decoder returns half precision: no type for a loss.
        wav = self.decoder(code * masks[0]).float()
        wav = fit_length(wav, noisy.shape[1])
        # An exported model has no features: only the loss needs them.
        return Enhanced(wav, self.features and self.features(wav))
