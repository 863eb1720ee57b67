"""Refuses batches and arrays that cannot be enhanced, saying why."""

import numbers

import numpy as np

from cmkt_plugin.audio_stream import check_finite


def check_batch(noisy):
    """Refuses what is no batch of waveforms.

    Arguments
    ---------
    noisy : torch.Tensor
        Expected: finite floating-point samples (batch, time).

    Raises
    ------
    ValueError
        With what was found instead.

    Example
    -------
    >>> import torch
    >>> check_batch(torch.zeros(16000))
    Traceback (most recent call last):
        ...
    ValueError: noisy has shape (16000,), expected (batch, time), neither of
    them 0; noisy.unsqueeze(0) is a batch of one
    """
    if noisy.ndim != 2 or 0 in noisy.shape:
        raise ValueError(
            f"noisy has shape {tuple(noisy.shape)}, expected (batch, time), "
            "neither of them 0; noisy.unsqueeze(0) is a batch of one"
        )
    if not noisy.is_floating_point():
        raise ValueError(
            f"noisy is {noisy.dtype}, expected floating-point samples with 1 "
            "as full scale; divide 16-bit integers by 32768"
        )
    for item in (~noisy.isfinite().all(dim=1)).nonzero().flatten().tolist():
        wav = noisy[item].detach().float().cpu().numpy()
        check_finite(wav[:, np.newaxis], f"item {item} of noisy")


def true_lengths(noisy, lengths):
    """Number of samples of each item of a batch.

    Arguments
    ---------
    noisy : torch.Tensor
        Waveforms (batch, time).
    lengths : torch.Tensor or None
        Relative lengths (batch,); None for items of full length.

    Returns
    -------
    list of int
        Their samples, at least one.

    Raises
    ------
    ValueError
        If the lengths are not relative, or not one for each item.

    Example
    -------
    >>> import torch
    >>> true_lengths(torch.zeros(2, 8000), torch.tensor([1.0, 0.5]))
    [8000, 4000]
    """
    batch, samples = noisy.shape
    if lengths is None:
        return [samples] * batch
    if lengths.shape != (batch,) or not lengths.is_floating_point():
        raise ValueError(
            f"lengths has shape {tuple(lengths.shape)} and type "
            f"{lengths.dtype}, expected one floating-point number for each of "
            f"the {batch} items"
        )
    if not ((lengths > 0) & (lengths <= 1)).all():
        raise ValueError(
            f"lengths {lengths.tolist()}: expected numbers above 0 and up to "
            "1, relative to the time of noisy; divide samples by "
            "noisy.shape[1]"
        )
    exact = (lengths.double() * samples).round().clamp(min=1)
    return exact.long().tolist()


def check_array(noisy, sample_rate):
    """Refuses what is no recording.

    Arguments
    ---------
    noisy : numpy.ndarray
        Expected: finite floating-point samples (time,) or (time, channels).
    sample_rate : int
        Expected: a positive whole number (Hz).

    Raises
    ------
    ValueError
        With what was found instead.

    Example
    -------
    >>> check_array(np.zeros((2, 16000)), 16000)
    Traceback (most recent call last):
        ...
    ValueError: noisy has shape (2, 16000): more channels than samples,
    expected (time,) or (time, channels); is it noisy.T?
    """
    shape = noisy.shape
    if noisy.ndim not in (1, 2) or 0 in shape:
        raise ValueError(
            f"noisy has shape {shape}, expected (time,) or (time, channels), "
            "neither of them 0"
        )
    if noisy.ndim == 2 and shape[1] > shape[0]:
        raise ValueError(
            f"noisy has shape {shape}: more channels than samples, expected "
            "(time,) or (time, channels); is it noisy.T?"
        )
    if not np.issubdtype(noisy.dtype, np.floating):
        raise ValueError(
            f"noisy is {noisy.dtype}, expected floating-point samples with 1 "
            "as full scale; divide 16-bit integers by 32768"
        )
    if not isinstance(sample_rate, numbers.Integral) or sample_rate < 1:
        raise ValueError(
            f"sample_rate {sample_rate!r}: expected a positive whole number "
            "of Hz"
        )
    check_finite(noisy.reshape(len(noisy), -1), "noisy")


def check_dry_wet(dry_wet):
    """Refuses what is no share.

    Arguments
    ---------
    dry_wet : float
        Expected: 0 to 1.

    Raises
    ------
    ValueError
        If it is something else.
    """
    if not 0 <= dry_wet <= 1:
        raise ValueError(
            f"dry_wet {dry_wet}: expected a number from 0 (all noisy) to 1 "
            "(all enhanced)"
        )
