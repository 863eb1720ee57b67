"""Fusion of what is heard and what is seen, frame by frame.

Every object maps audio and visual features (batch, frames, width), at one
frame rate, to fused ones of that shape. ``counts`` are the numbers of frames
of the items (batch,), for those that look beyond a frame.
"""

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention


class Concatenation(nn.Module):
    """A linear layer over both.

    Arguments
    ---------
    width : int
        Width of either input and of the output.

    Example
    -------
    >>> audio, visual = torch.randn(2, 2, 7, 4)
    >>> Concatenation(width=4)(audio, visual).shape
    torch.Size([2, 7, 4])
    """

    def __init__(self, width):
        super().__init__()
        self.linear = nn.Linear(2 * width, width)

    def forward(self, audio, visual, counts=None):
        """Fuses (batch, frames, width) and (batch, frames, width)."""
        return self.linear(torch.cat([audio, visual], dim=-1))


class GatedAddition(nn.Module):
    """Adds as much of what is seen as a gate over both lets through.

    Arguments
    ---------
    width : int
        Width of either input and of the output.

    Example
    -------
    >>> audio, visual = torch.randn(2, 2, 7, 4)
    >>> GatedAddition(width=4)(audio, visual).shape
    torch.Size([2, 7, 4])
    """

    def __init__(self, width):
        super().__init__()
        self.gate = nn.Linear(2 * width, width)
        self.value = nn.Linear(width, width)

    def forward(self, audio, visual, counts=None):
        """Fuses (batch, frames, width) and (batch, frames, width)."""
        gate = torch.sigmoid(self.gate(torch.cat([audio, visual], dim=-1)))
        return audio + gate * self.value(visual)


class CrossAttention(nn.Module):
    """Audio frames attend to what is seen around their time.

    Only so far away as `reach`: lips move some frames before they are heard,
    not seconds. Each head has a learned bias per distance, which tells it
    how far away a frame is.

    Arguments
    ---------
    width : int
        Width of either input and of the output.
    nhead : int
        Attention heads; divides the width.
    reach : int
        Distance of the farthest frame seen, in audio frames.

    Raises
    ------
    ValueError
        If the heads do not divide the width.

    Example
    -------
    >>> audio, visual = torch.randn(2, 2, 7, 4)
    >>> CrossAttention(width=4, nhead=2, reach=3)(audio, visual).shape
    torch.Size([2, 7, 4])
    """

    def __init__(self, width, nhead=4, reach=25):
        super().__init__()
        if width % nhead:
            raise ValueError(
                f"{nhead} attention heads do not divide the width {width}: "
                "choose a number that does"
            )
        self.nhead = nhead
        self.reach = reach
        self.norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.output = nn.Linear(width, width)
        self.distance_bias = nn.Parameter(torch.zeros(nhead, 2 * reach + 1))

    def forward(self, audio, visual, counts=None):
        """Fuses (batch, frames, width) and (batch, frames, width)."""
        query = self._split(self.query(self.norm(audio)))
        key, value = self.key_value(visual).chunk(2, dim=-1)
        attended = scaled_dot_product_attention(
            query,
            self._split(key),
            self._split(value),
            attn_mask=self._bias(audio.shape[1], counts).to(query.dtype),
        )
        return audio + self.output(attended.transpose(1, 2).flatten(2))

    def _split(self, sequence):
        """(batch, frames, width) -> (batch, heads, frames, width / heads)"""
        return sequence.unflatten(-1, (self.nhead, -1)).transpose(1, 2)

    def _bias(self, frames, counts):
        """Bias of the distances ([batch,] heads, frames, frames)."""
        place = torch.arange(frames, device=self.distance_bias.device)
        distance = place - place.unsqueeze(1)
        index = distance.clamp(-self.reach, self.reach) + self.reach
        far = distance.abs() > self.reach
        bias = self.distance_bias[:, index].masked_fill(far, float("-inf"))
        if counts is None:
            return bias
        real = place < counts.unsqueeze(1)
        # Padded frames may look at padding: at nothing would be NaN.
        beyond = real.unsqueeze(2) & ~real.unsqueeze(1)
        return bias.masked_fill(beyond.unsqueeze(1), float("-inf"))
