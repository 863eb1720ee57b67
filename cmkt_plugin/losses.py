"""Losses ``f(prediction, target, lengths, reduction)`` that SpeechBrain lacks.

L1 and MSE, on compressed log-magnitudes and on waveforms, are SpeechBrain's
``speechbrain.nnet.losses.l1_loss`` and ``mse_loss``.
"""

import torch
from speechbrain.dataio.dataio import length_to_mask

EPSILON = 1e-8  # against division by the power of silence
# Floor of a row's norm: the gradient is at most its inverse, which fp16 holds.
NORM_FLOOR = 1e-4


def _check(prediction, target, shape):
    """Refuse tensors of unequal or unexpected shape."""
    if prediction.shape != target.shape or prediction.dim() != len(shape):
        raise ValueError(
            f"expected prediction and target of one shape ({', '.join(shape)})"
            f", found {tuple(prediction.shape)} and {tuple(target.shape)}."
        )


def _mask(tensor, lengths):
    """True for real entries of (batch, length, ...); relative lengths."""
    if lengths is None:
        return torch.ones(tensor.shape[:2], dtype=bool, device=tensor.device)
    count = torch.round(lengths.float() * tensor.shape[1])
    return length_to_mask(count, tensor.shape[1]).bool()


def _reduce(loss, mask, reduction):
    """Reduce a loss per entry (batch, length) over the real entries.

    A batch without real entries gives 0, joined to the graph, so that under
    DDP its parameters still take part in the step.
    """
    loss = torch.where(mask, loss, loss * 0.0)
    reductions = {
        "mean": lambda: loss.sum() / mask.sum().clamp(min=1),
        "sum": lambda: loss.sum(),
        "batchmean": lambda: loss.sum() / len(loss),
        "batch": lambda: loss.sum(1) / mask.sum(1).clamp(min=1),
        "none": lambda: loss,
    }
    if reduction not in reductions:
        raise ValueError(
            f"reduction '{reduction}' is not one of {', '.join(reductions)}."
        )
    return reductions[reduction]()


def cosine_alignment_loss(prediction, target, lengths=None, reduction="mean"):
    """L_CMA = sum_t (1 - cos(z_t, zhat_t)) over real tokens (method 1.4).

    Computed in float32 whatever the autocast type: in fp16 the cosine of
    rows near zero is NaN.

    Arguments
    ---------
    prediction : torch.Tensor
        Zhat (batch, tokens, width).
    target : torch.Tensor
        Z (batch, tokens, width).
    lengths : torch.Tensor, optional
        Relative number of real tokens (batch,).
    reduction : str
        ``mean`` over real tokens (the weight means the same for long and
        short sentences), ``sum`` over them, ``batchmean`` (the paper's sum
        per sentence, mean over sentences), ``batch`` (mean per sentence) or
        ``none``.

    Returns
    -------
    torch.Tensor
        The loss, 0 to 2 per token.

    Raises
    ------
    ValueError
        If the shapes differ or are not three-dimensional.

    Example
    -------
    >>> z = torch.rand(2, 5, 8)
    >>> cosine_alignment_loss(3 * z, z, torch.tensor([1.0, 0.6])).abs() < 1e-6
    tensor(True)
    """
    _check(prediction, target, ("batch", "tokens", "width"))
    with torch.autocast(prediction.device.type, enabled=False):
        cosine = torch.nn.functional.cosine_similarity(
            prediction.float(), target.float(), dim=-1, eps=NORM_FLOOR
        )
        return _reduce(1.0 - cosine, _mask(target, lengths), reduction)


def contrastive_alignment_loss(
    prediction,
    target,
    lengths=None,
    reduction="mean",
    token_ids=None,
    temperature=0.1,
):
    """InfoNCE over the tokens of the batch (van den Oord et al. 2018, eq. 4).

    The prediction of a token must be nearer to that token's embedding than
    to the other embeddings of the batch. The same token elsewhere is the
    right answer too: it is not counted as a negative.

    Arguments
    ---------
    prediction, target : torch.Tensor
        Zhat and Z (batch, tokens, width).
    lengths : torch.Tensor, optional
        Relative number of real tokens (batch,).
    reduction : str
        As in ``cosine_alignment_loss``.
    token_ids : torch.Tensor, optional
        Identity of every token (batch, tokens); without it all differ.
    temperature : float
        Divides the cosines.

    Returns
    -------
    torch.Tensor
        The loss in nats.

    Raises
    ------
    ValueError
        If the shapes differ or are not three-dimensional.

    Example
    -------
    >>> z = torch.eye(4).unsqueeze(0)
    >>> right = contrastive_alignment_loss(z, z)
    >>> wrong = contrastive_alignment_loss(z.flip(1), z)
    >>> bool(right < 0.01 < wrong)
    True
    """
    _check(prediction, target, ("batch", "tokens", "width"))
    mask = _mask(target, lengths)
    with torch.autocast(prediction.device.type, enabled=False):
        normalize = torch.nn.functional.normalize
        zhat = normalize(
            prediction.float().flatten(0, 1), dim=-1, eps=NORM_FLOOR
        )
        z = normalize(target.float().flatten(0, 1), dim=-1, eps=NORM_FLOOR)
        logits = zhat @ z.T / temperature  # (tokens, tokens) of the batch
        own = torch.eye(len(z), dtype=torch.bool, device=z.device)
        hidden = ~mask.flatten().expand(len(z), -1)
        if token_ids is not None:
            ids = token_ids.flatten()
            hidden = hidden | (ids.unsqueeze(0) == ids.unsqueeze(1))
        # The own entry stays: without it a padded row would be all -inf.
        logits = logits.masked_fill(hidden & ~own, -torch.inf)
        loss = logits.logsumexp(-1) - logits.diagonal()
        return _reduce(loss.view(mask.shape), mask, reduction)


def si_sdr_loss(prediction, target, lengths=None, reduction="mean"):
    """Negative scale-invariant signal-to-distortion ratio in dB.

    SI-SDR = 10 log10(|a s|^2 / |a s - x|^2), a = <x, s> / |s|^2, of zero-mean
    signals (Le Roux et al. 2019, eq. 3).

    Arguments
    ---------
    prediction, target : torch.Tensor
        x and s, waveforms (batch, time).
    lengths : torch.Tensor, optional
        Relative lengths (batch,); padding takes no part.
    reduction : str
        ``mean``, ``sum`` or ``batch``.

    Returns
    -------
    torch.Tensor
        The loss in dB, lower is better.

    Raises
    ------
    ValueError
        If the shapes differ or are not two-dimensional.

    Example
    -------
    >>> s = torch.sin(torch.arange(800.0)).unsqueeze(0)
    >>> n = torch.cos(torch.arange(800.0)).unsqueeze(0)
    >>> round(si_sdr_loss(s + 0.1 * n, s).item())
    -20
    """
    _check(prediction, target, ("batch", "time"))
    mask = _mask(target, lengths)
    count = mask.sum(1, keepdim=True).clamp(min=1)

    def centre(signal):
        signal = signal.float() * mask
        return (signal - signal.sum(1, keepdim=True) / count) * mask

    x, s = centre(prediction), centre(target)
    power = s.pow(2).sum(1, keepdim=True)
    a = (x * s).sum(1, keepdim=True) / (power + EPSILON)
    signal = (a * s).pow(2).sum(1)
    distortion = (a * s - x).pow(2).sum(1)
    ratio = (signal + EPSILON) / (distortion + EPSILON)
    loss = -10.0 * torch.log10(ratio).unsqueeze(1)  # one entry an item
    return _reduce(loss, torch.ones_like(loss, dtype=bool), reduction)


def magnitude_loss(prediction, target, lengths=None, reduction="mean"):
    """Squared error of magnitudes, of complex spectra as real numbers.

    Beside the squared error of the spectra themselves, whose minimum is too
    quiet where the phase is not known: ``0.7 magnitude + 0.3 complex`` on
    compressed spectra (Braun and Tashev 2021, arXiv 2009.12286).

    Arguments
    ---------
    prediction, target : torch.Tensor
        (batch, frames, 2 * bins), the real parts before the imaginary ones.
    lengths : torch.Tensor, optional
        Relative number of real frames (batch,).
    reduction : str
        ``mean`` over real frames, ``sum`` over them, ``batchmean``, ``batch``
        or ``none``, as in ``cosine_alignment_loss``.

    Returns
    -------
    torch.Tensor
        The loss, mean over the bins.

    Raises
    ------
    ValueError
        If the shapes differ or the reduction is unknown.

    Example
    -------
    >>> spectrum = torch.tensor([[[3.0, 4.0]]])  # one bin, 3 + 4i
    >>> turned = torch.tensor([[[-5.0, 0.0]]])
    >>> round(magnitude_loss(turned, spectrum).item(), 4)
    0.0
    >>> round(magnitude_loss(2 * turned, spectrum).item(), 4)
    25.0
    """
    _check(prediction, target, ("batch", "frames", "2 * bins"))
    difference = _magnitude(prediction) - _magnitude(target)
    loss = difference.square().mean(2)
    return _reduce(loss, _mask(loss, lengths), reduction)


def _magnitude(spectrum):
    real, imaginary = spectrum.float().chunk(2, dim=2)
    # The square root has no gradient at 0.
    return (real.square() + imaginary.square() + EPSILON).sqrt()
