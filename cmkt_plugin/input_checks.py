"""Refuses samples and options that cannot be used, saying why."""

import numbers

import numpy as np
import torch

from cmkt_plugin.audio_stream import check_finite

# Up to so many, a recording may have more channels than samples.
FEW_CHANNELS = 32


def check_batch(noisy):
    """Refuses what is no batch of waveforms.

    Arguments
    ---------
    noisy : torch.Tensor
        Expected: finite floating-point samples (batch, time).

    Raises
    ------
    TypeError, ValueError
        With what was found instead.

    Example
    -------
    >>> check_batch(torch.zeros(16000))
    Traceback (most recent call last):
        ...
    ValueError: noisy has shape (16000,), expected (batch, time), neither of
    them 0; noisy.unsqueeze(0) is a batch of one
    """
    if not isinstance(noisy, torch.Tensor):
        raise TypeError(
            f"noisy is a {type(noisy).__name__}, expected a tensor (batch, "
            "time): torch.as_tensor(noisy); enhance_array takes arrays "
            "(time, channels)"
        )
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
    TypeError
        If the lengths are no tensor.
    ValueError
        If they are not relative, or not one for each item.

    Example
    -------
    >>> true_lengths(torch.zeros(2, 8000), torch.tensor([1.0, 0.5]))
    [8000, 4000]
    """
    batch, samples = noisy.shape
    if lengths is None:
        return [samples] * batch
    if not isinstance(lengths, torch.Tensor):
        raise TypeError(
            f"lengths is a {type(lengths).__name__}, expected a tensor of "
            f"{batch} relative lengths: torch.tensor(lengths)"
        )
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
    if noisy.ndim == 2 and shape[1] > max(shape[0], FEW_CHANNELS):
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
    TypeError, ValueError
        If it is something else.
    """
    if not isinstance(dry_wet, numbers.Real):
        raise TypeError(
            f"dry_wet is {dry_wet!r}, a {type(dry_wet).__name__}: expected a "
            "number from 0 (all noisy) to 1 (all enhanced)"
        )
    if not 0 <= dry_wet <= 1:
        raise ValueError(
            f"dry_wet {dry_wet}: expected a number from 0 (all noisy) to 1 "
            "(all enhanced)"
        )


def check_push(samples, channels=None):
    """Refuses what is no piece of a recording.

    Arguments
    ---------
    samples : torch.Tensor or numpy.ndarray
        Expected: finite float32 samples (time,), or (channels, time).
    channels : int or None
        How many; None for samples without that axis.

    Returns
    -------
    torch.Tensor
        The samples.

    Raises
    ------
    TypeError, ValueError
        With what was found instead.
    """
    if isinstance(samples, np.ndarray):
        # Torch takes neither numpy's reversed nor its read-only arrays.
        samples = torch.from_numpy(samples.copy())
    if not isinstance(samples, torch.Tensor):
        raise TypeError(
            f"a push is a {type(samples).__name__}, expected a tensor or an "
            "array of float32 samples: torch.tensor(samples)"
        )
    if channels is None and samples.ndim != 1:
        raise ValueError(
            f"a push is {tuple(samples.shape)}, expected one channel (time,): "
            "for several, open the stream with stream(channels)"
        )
    if channels is not None and (samples.ndim != 2 or len(samples) != channels):
        raise ValueError(
            f"a push is {tuple(samples.shape)}, expected (channels, time) "
            f"with {channels} channels, as the stream was opened"
        )
    if samples.dtype != torch.float32:
        raise ValueError(
            f"a push is {samples.dtype}, expected float32 samples between -1 "
            "and 1: convert them, 16-bit integers by dividing by 32768"
        )
    finite = samples.isfinite()
    if not finite.all():
        # One of them would stay in the net's state for ever.
        place = (~finite).nonzero()[0].tolist()
        where = f"sample {place[-1]}" + f" of channel {place[0]}" * (
            len(place) == 2
        )
        raise ValueError(
            f"{where} of a push is {samples[~finite][0]}, expected finite "
            "ones: replace it, for example by 0"
        )
    return samples


def check_enhanced(enhanced, noisy, name):
    """Refuses what a model makes of a recording, if it is no waveform.

    Arguments
    ---------
    enhanced, noisy : torch.Tensor
        What came out of the model, and what went in.
    name : str
        What the error calls the recording.

    Raises
    ------
    ValueError
        If what came out is not finite.
    """
    if not enhanced.isfinite().all():
        raise ValueError(
            f"{name}: the model does not give finite samples for an input "
            f"with a peak of {noisy.abs().max():g}; full scale is 1"
        )
