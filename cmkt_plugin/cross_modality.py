"""The cross-modality transformer: Zhat = CMT(queries, H) (method 1.3).

Symbols: B batch, T_a acoustic frames, T_t text tokens, d_a acoustic width,
d_t teacher width, w width of the transformer. It exists in training only.
"""

from typing import NamedTuple

import torch
from speechbrain.dataio.dataio import length_to_mask
from speechbrain.lobes.models.transformer.Transformer import TransformerDecoder

from cmkt_plugin.queries import sinusoid
from cmkt_plugin.random_stream import RandomStream


class Alignment(NamedTuple):
    """What an aligner returns.

    Arguments
    ---------
    predicted : torch.Tensor
        Zhat, the predicted token embeddings (B, T_t, d_t).
    coupling : torch.Tensor
        How much each token looks at each frame (B, T_t, T_a), rows sum to 1;
        mean over heads, of the last layer.
    """

    predicted: torch.Tensor
    coupling: torch.Tensor


def average_frames(latent, mask, stride):
    """Mean over each ``stride`` frames, of the real ones among them.

    Arguments
    ---------
    latent : torch.Tensor
        (B, T_a, d_a).
    mask : torch.Tensor
        True for real frames (B, T_a).
    stride : int
        Frames to average.

    Returns
    -------
    latent : torch.Tensor
        (B, ceil(T_a / stride), d_a).
    mask : torch.Tensor
        True where at least one frame was real.

    Example
    -------
    >>> latent = torch.tensor([[[1.0], [3.0], [5.0], [9.0]]])
    >>> mask = torch.tensor([[True, True, True, False]])
    >>> average_frames(latent, mask, stride=2)
    (tensor([[[2.], [5.]]]), tensor([[True, True]]))
    """
    if stride == 1:
        return latent, mask
    padding = -latent.shape[1] % stride
    latent = latent * mask.unsqueeze(-1)
    latent = torch.nn.functional.pad(latent, (0, 0, 0, padding))
    mask = torch.nn.functional.pad(mask, (0, padding))
    groups = mask.unflatten(1, (-1, stride)).sum(2)  # (B, keys)
    summed = latent.unflatten(1, (-1, stride)).sum(2)  # (B, keys, d_a)
    return summed / groups.clamp(min=1).unsqueeze(-1), groups > 0


class CrossModalityTransformer(torch.nn.Module):
    """Text-side queries attend to the acoustic latent.

    Arguments
    ---------
    query : callable
        Makes one of ``cmkt_plugin.queries`` from ``width, token_width``.
    latent_width : int
        d_a, width of the tapped latent.
    token_width : int
        d_t, width of the teacher's embeddings.
    width : int
        w, width of the transformer.
    num_layers : int
        Decoder layers.
    nhead : int
        Attention heads; divides w.
    d_ffn : int
        Width of the feed-forward parts.
    dropout : float
        Dropout of the decoder layers.
    stride : int
        Frames that are averaged into one key. A word lasts a dozen frames
        of 16 ms; projecting every frame is most of the transformer's cost.
    seed : int
        Seed of its weights and dropout, which draw from a stream of their
        own so that the student of a seed is the baseline's student.

    Example
    -------
    >>> from cmkt_plugin.queries import RelativePosition
    >>> aligner = CrossModalityTransformer(
    ...     RelativePosition, latent_width=64, token_width=384, width=32
    ... )
    >>> latent, frames = torch.rand(2, 40, 64), torch.tensor([40, 25])
    >>> tokens, counts = torch.rand(2, 5, 384), torch.tensor([5, 3])
    >>> predicted, coupling = aligner(latent, frames, tokens, counts)
    >>> predicted.shape, coupling.shape
    (torch.Size([2, 5, 384]), torch.Size([2, 5, 40]))
    """

    def __init__(
        self,
        query,
        latent_width,
        token_width,
        width=128,
        num_layers=2,
        nhead=4,
        d_ffn=256,
        dropout=0.1,
        stride=1,
        seed=0,
    ):
        super().__init__()
        self.stride = stride
        self.stream = RandomStream(seed)
        self.nhead = nhead
        with self.stream.active():
            self.query = query(width=width, token_width=token_width)
            self.from_latent = torch.nn.Sequential(
                torch.nn.Linear(latent_width, width), torch.nn.LayerNorm(width)
            )
            self.decoder = TransformerDecoder(
                num_layers=num_layers,
                nhead=nhead,
                d_ffn=d_ffn,
                d_model=width,
                dropout=dropout,
                normalize_before=True,
            )
            self.to_token = torch.nn.Linear(width, token_width)

    def forward(
        self, latent, frame_counts, tokens, token_counts, frame_mask=None
    ):
        """Predict the embedding of every token from the acoustics.

        Arguments
        ---------
        latent : torch.Tensor
            H, the student's latent (B, T_a, d_a).
        frame_counts : torch.Tensor
            Real frames of each item (B,), at least 1.
        tokens : torch.Tensor
            Z, the teacher's embeddings (B, T_t, d_t); ``Shifted`` queries see
            the earlier ones, position queries only their number.
        token_counts : torch.Tensor
            Real tokens of each item (B,); 0 for one without transcript.
        frame_mask : torch.Tensor, optional
            True for the frames that hold something (B, T_a), where these are
            not simply the first ``frame_counts``.

        Returns
        -------
        Alignment
            Rows beyond ``token_counts`` are finite but mean nothing.

        Raises
        ------
        ValueError
            If the latent and the tokens are not as declared.
        """
        self._check(latent, tokens)
        with self.stream.active(latent.device):
            return self._align(
                latent, frame_counts, tokens, token_counts, frame_mask
            )

    def _align(self, latent, frame_counts, tokens, token_counts, frame_mask):
        frames, length = latent.shape[1], tokens.shape[1]
        if frame_mask is None:
            frame_mask = length_to_mask(frame_counts, frames).bool()
        latent, key_mask = average_frames(latent, frame_mask, self.stride)
        key = torch.arange(latent.shape[1], device=latent.device)
        place = key * self.stride + (self.stride - 1) / 2  # in frames
        memory = self.from_latent(latent)  # (B, keys, w)
        memory = memory + sinusoid(place, memory.shape[-1]).to(memory.dtype)
        query = self.query(tokens, token_counts, frame_counts, place)
        decoded, _, couplings = self.decoder(
            query.vectors.to(memory.dtype),
            memory,
            tgt_mask=self._hide(token_counts, length, query),
            memory_mask=self._listen(key_mask, length, query),
        )
        return Alignment(
            self.to_token(decoded),
            self._over_frames(couplings[-1], frame_mask),
        )

    def _over_frames(self, coupling, frame_mask):
        """Share out each key's part among the frames that it averages."""
        padding = -frame_mask.shape[1] % self.stride
        mask = torch.nn.functional.pad(frame_mask, (0, padding))
        real = mask.unflatten(1, (-1, self.stride)).sum(2)  # (B, keys)
        share = coupling / real.clamp(min=1).unsqueeze(1)
        shared = share.repeat_interleave(self.stride, dim=-1)
        return (shared * mask.unsqueeze(1))[..., : frame_mask.shape[1]]

    def _hide(self, token_counts, length, query):
        """Self-attention logits: padded tokens, and what the query hides."""
        # One key stays open for items without tokens: a softmax over nothing
        # is NaN, and one NaN row spoils the gradient of the batch.
        real = length_to_mask(token_counts.clamp(min=1), length).bool()
        bias = self._closed(real).expand(-1, length, -1)
        if query.token_bias is not None:
            bias = bias + query.token_bias
        return bias.repeat_interleave(self.nhead, dim=0)

    def _listen(self, frame_mask, length, query):
        """Logits of tokens over frames: padded frames, and the prior."""
        bias = self._closed(frame_mask).expand(-1, length, -1)
        if query.frame_bias is not None:
            bias = bias + query.frame_bias
        return bias.repeat_interleave(self.nhead, dim=0)

    @staticmethod
    def _closed(mask):
        """-inf where a mask (B, T) is False, as a bias (B, 1, T)."""
        bias = torch.zeros(mask.shape, device=mask.device)
        return bias.masked_fill(~mask, -torch.inf).unsqueeze(1)

    def _check(self, latent, tokens):
        widths = (
            ("latent", latent, self.from_latent[0].in_features),
            ("tokens", tokens, self.to_token.out_features),
        )
        for name, tensor, width in widths:
            if tensor.dim() != 3 or tensor.shape[-1] != width:
                raise ValueError(
                    f"{name}: expected (batch, length, {width}), found "
                    f"{tuple(tensor.shape)}."
                )
