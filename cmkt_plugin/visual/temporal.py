"""Calls any sequence model of SpeechBrain or torch in one way."""

import inspect

import torch

# SpeechBrain's recurrent nets cut lengths * frames down to a whole number.
ROUNDING = 0.01


class Temporal(torch.nn.Module):
    """A sequence model that is told how long every item is.

    Arguments
    ---------
    net : torch.nn.Module
        Maps (batch, frames, width) to the same shape, or to a tuple with
        that first. Gets relative ``lengths``, or a ``src_key_padding_mask``
        that is True at padded frames, if its ``forward`` takes one of them.
    position : torch.nn.Module, optional
        Makes positional encodings that are added, such as SpeechBrain's
        ``PositionalEncoding`` for its ``TransformerEncoder``.

    Example
    -------
    >>> from speechbrain.nnet.RNN import LSTM
    >>> lstm = LSTM(4, input_size=8, bidirectional=True)
    >>> temporal = Temporal(lstm)
    >>> temporal(torch.randn(2, 7, 8), torch.tensor([7, 5])).shape
    torch.Size([2, 7, 8])
    """

    def __init__(self, net, position=None):
        super().__init__()
        self.net = net
        self.position = position
        self.arguments = frozenset(inspect.signature(net.forward).parameters)

    def forward(self, sequence, counts):
        """Models a batch of sequences.

        Arguments
        ---------
        sequence : torch.Tensor
            (batch, frames, width)
        counts : torch.Tensor
            Number of frames of every item (batch,).

        Returns
        -------
        torch.Tensor
            (batch, frames, width)

        Raises
        ------
        ValueError
            If the net changes the shape.
        """
        frames = sequence.shape[1]
        if self.position is not None:
            sequence = sequence + self.position(sequence)
        known = {}
        if "lengths" in self.arguments:
            known["lengths"] = (counts + ROUNDING) / frames
        elif "src_key_padding_mask" in self.arguments:
            place = torch.arange(frames, device=sequence.device)
            known["src_key_padding_mask"] = place >= counts.unsqueeze(1)
        output = self.net(sequence, **known)
        if isinstance(output, tuple):
            output = output[0]
        # Of items that are all short, recurrent nets return fewer frames.
        missing = frames - output.shape[1]
        output = torch.nn.functional.pad(output, (0, 0, 0, max(0, missing)))
        if output.shape != sequence.shape:
            raise ValueError(
                f"the temporal model {type(self.net).__name__} makes "
                f"{tuple(output.shape)} of {tuple(sequence.shape)}, expected "
                "the same shape: give it the width of the net (in both "
                "directions together, if it is bidirectional)"
            )
        return output
