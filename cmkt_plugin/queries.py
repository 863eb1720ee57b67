"""What the text side asks the acoustic latent: queries of the transformer.

A query that knows its target drives the loss down without listening. The
position queries know only where a token stands; ``Shifted`` sees the tokens
before it, which is honest only if these do not tell their neighbour.

Symbols: B batch, T_t tokens, T_a acoustic frames, w width of the transformer.
"""

import math
from typing import NamedTuple, Optional

import torch


class Query(NamedTuple):
    """What the transformer needs of the text side.

    Arguments
    ---------
    vectors : torch.Tensor
        The queries (B, T_t, w).
    token_bias : torch.Tensor, optional
        Added to the self-attention logits (T_t, T_t), -inf hides a token.
    frame_bias : torch.Tensor, optional
        Added to the logits of tokens over frames (B, T_t, T_a).
    """

    vectors: torch.Tensor
    token_bias: Optional[torch.Tensor] = None
    frame_bias: Optional[torch.Tensor] = None


def sinusoid(positions, width):
    """Sinusoidal code of real-valued positions (Vaswani et al. 2017, 3.5).

    Arguments
    ---------
    positions : torch.Tensor
        Positions (...).
    width : int
        Even width of the code.

    Returns
    -------
    torch.Tensor
        The codes (..., width).

    Example
    -------
    >>> sinusoid(torch.zeros(2, 3), width=4)[0, 0]
    tensor([0., 0., 1., 1.])
    """
    half = torch.arange(width // 2, device=positions.device)
    rates = torch.exp(half * (-math.log(10000.0) / (width // 2)))
    angles = positions.unsqueeze(-1) * rates
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


class AbsolutePosition(torch.nn.Module):
    """The query is the token's number in the sentence, nothing else.

    Arguments
    ---------
    width : int
        w, width of the transformer.
    token_width : int
        d_t, width of the teacher's embeddings; every query is made with it,
        those that only count tokens do not use it.

    Example
    -------
    >>> query = AbsolutePosition(width=16, token_width=32)
    >>> tokens, counts = torch.rand(2, 5, 32), torch.tensor([5, 3])
    >>> frames, place = torch.tensor([40, 31]), torch.arange(40.0)
    >>> query(tokens, counts, frames, place).vectors.shape
    torch.Size([2, 5, 16])
    """

    sees_tokens = False

    def __init__(self, width, token_width):
        super().__init__()
        self.width = width

    def forward(self, tokens, token_counts, frame_counts, place):
        """Make the queries.

        Arguments
        ---------
        tokens : torch.Tensor
            Teacher embeddings (B, T_t, d_t); only their number matters here.
        token_counts : torch.Tensor
            Real tokens of each sentence (B,).
        frame_counts : torch.Tensor
            Real frames of each utterance (B,).
        place : torch.Tensor
            Where the keys stand, in frames (T_a,).

        Returns
        -------
        Query
        """
        number = torch.arange(tokens.shape[1], device=tokens.device)
        code = sinusoid(number.float(), self.width)
        return Query(code.expand(len(tokens), -1, -1))


class RelativePosition(torch.nn.Module):
    """The token's place scaled to the utterance's duration, in frames.

    Token t of n stands at frame ``(t + 0.5) / n * frames``: the code that the
    frames carry themselves, so that attention starts on the diagonal.

    Arguments
    ---------
    width, token_width : int
        w and d_t.
    deviation : float or None
        Deviation of a Gaussian prior around that frame, in parts of the
        utterance's duration. ``None`` leaves the prior out.

    Example
    -------
    >>> query = RelativePosition(width=16, token_width=32)
    >>> tokens, counts = torch.rand(1, 4, 32), torch.tensor([4])
    >>> frames, place = torch.tensor([40]), torch.arange(40.0)
    >>> query(tokens, counts, frames, place).frame_bias.argmax(-1)
    tensor([[ 5, 15, 25, 35]])
    """

    sees_tokens = False

    def __init__(self, width, token_width, deviation=0.15):
        super().__init__()
        self.width = width
        self.deviation = deviation

    def forward(self, tokens, token_counts, frame_counts, place):
        """As ``AbsolutePosition.forward``."""
        number = torch.arange(tokens.shape[1], device=tokens.device)
        scale = frame_counts / token_counts.clamp(min=1)
        centre = (number + 0.5) * scale.unsqueeze(1)  # (B, T_t)
        code = sinusoid(centre, self.width)
        if self.deviation is None:
            return Query(code)
        distance = place - centre.unsqueeze(-1)  # (B, T_t, T_a)
        spread = (self.deviation * frame_counts).view(-1, 1, 1)
        return Query(code, frame_bias=-0.5 * (distance / spread) ** 2)


class Shifted(torch.nn.Module):
    """The embeddings ``shift`` tokens back, and the position.

    Self-attention is masked: token t sees the queries of tokens up to t, and
    those hold embeddings up to ``t - shift``. That keeps the target out of
    sight only if an embedding does not tell its right neighbour, so the
    teacher must be context-free or causal; ``leak_check`` refuses others.

    Arguments
    ---------
    width, token_width : int
        w and d_t.
    shift : int
        Tokens between a query and the newest embedding that it sees, >= 1.

    Raises
    ------
    ValueError
        If ``shift`` is below 1: the query would hold its own target.

    Example
    -------
    >>> query = Shifted(width=16, token_width=32, shift=1)
    >>> tokens, counts = torch.rand(2, 5, 32), torch.tensor([5, 3])
    >>> frames, place = torch.tensor([40, 31]), torch.arange(40.0)
    >>> query(tokens, counts, frames, place).vectors.shape
    torch.Size([2, 5, 16])
    """

    sees_tokens = True

    def __init__(self, width, token_width, shift=1):
        super().__init__()
        if shift < 1:
            raise ValueError(
                f"shift is {shift}: a query must not hold its own target; "
                "use shift >= 1."
            )
        self.width = width
        self.shift = shift
        self.project = torch.nn.Linear(token_width, width)

    def forward(self, tokens, token_counts, frame_counts, place):
        """As ``AbsolutePosition.forward``."""
        length = tokens.shape[1]
        past = tokens.new_zeros(tokens.shape)
        past[:, self.shift :] = tokens[:, : max(length - self.shift, 0)]
        number = torch.arange(length, device=tokens.device)
        code = sinusoid(number.float(), self.width)
        hidden = torch.ones(length, length, device=tokens.device).triu(1)
        bias = torch.zeros_like(hidden).masked_fill(hidden.bool(), -math.inf)
        return Query(self.project(past) + code, token_bias=bias)
