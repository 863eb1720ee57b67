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
from speechbrain.nnet.RNN import GRU
from speechbrain.processing.features import InputNormalization

SAMPLE_RATE = 16000  # Hz
KERNEL = 5  # frames


class PhoneNet(torch.nn.Module):
    """Two convolutions and a bidirectional GRU, for a loss of CTC.

    Made of SpeechBrain's parts, and small: it learns from hours of speech in
    minutes on one core. Mean and deviation of each band are taken out of every
    utterance, so that neither level nor a fixed filter matters.

    Arguments
    ---------
    phones : list of str
        The phones it tells apart.
    bands : int
        Mel bands.
    width : int
        Of the convolutions, and of each direction of the GRU.
    layers : int
        Of the GRU.
    subsampling : int
        Frames of 10 ms that one output frame stands for.
    dropout : float
        Between layers.

    Example
    -------
    >>> net = PhoneNet(["a", "b"], width=8, layers=1)
    >>> net(torch.randn(2, 16000), torch.ones(2)).shape  # with the blank
    torch.Size([2, 34, 3])
    """

    def __init__(
        self,
        phones,
        bands=80,
        width=192,
        layers=2,
        subsampling=3,
        dropout=0.2,
    ):
        super().__init__()
        self.phones = list(phones)
        self.labels = CTCTextEncoder()
        self.labels.insert_blank(index=0)
        self.labels.update_from_iterable(phones, sequence_input=False)
        self.labels.expect_len(len(phones) + 1)
        self.bands = Fbank(sample_rate=SAMPLE_RATE, n_mels=bands)
        # Its floor keeps digital silence from becoming 0 / 0.
        self.normalize = InputNormalization(norm_type="sentence", epsilon=1e-3)
        convolution = {"kernel_size": KERNEL, "padding_mode": "constant"}
        self.convolutions = torch.nn.ModuleList(
            [
                Conv1d(width, in_channels=bands, **convolution),
                Conv1d(
                    width, in_channels=width, stride=subsampling, **convolution
                ),
            ]
        )
        self.norms = torch.nn.ModuleList(LayerNorm(width) for _ in range(2))
        self.dropout = torch.nn.Dropout(dropout)
        self.gru = GRU(
            width,
            input_size=width,
            num_layers=layers,
            dropout=dropout if layers > 1 else 0.0,
            bidirectional=True,
        )
        self.output = Linear(len(phones) + 1, input_size=2 * width)
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
        x = x * length_to_mask(lengths * x.shape[1], x.shape[1]).unsqueeze(2)
        if augment is not None:
            x = augment(x)
        for convolution, norm in zip(self.convolutions, self.norms):
            x = self.dropout(torch.relu(norm(convolution(x))))
        # Not packed: its backward pass on a CPU takes several times as long. What
        # the GRU meets of padding is zeros, and little of it: batches are of
        # similar lengths.
        x, _ = self.gru(x)
        return self.log_softmax(self.output(self.dropout(x)))

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
