"""Spectrograms cut, or filled up, along their frames."""

import torch

from cmkt_plugin.enhancers import frame_lengths


def reflected(spectrum, multiple):
    """Fills up the frames by reflection, to a multiple of a number.

    Arguments
    ---------
    spectrum : torch.Tensor
        (batch, bins, frames).
    multiple : int
        What the frames are to be a multiple of.

    Returns
    -------
    torch.Tensor
        (batch, bins, frames filled up). Where there are too few frames to
        reflect once, they are reflected again.

    Example
    -------
    >>> reflected(torch.tensor([[[1, 2, 3]]]), 8)
    tensor([[[1, 2, 3, 2, 1, 2, 3, 2]]])
    """
    frames = spectrum.shape[-1]
    last = frames - 1
    index = torch.arange(frames + -frames % multiple, device=spectrum.device)
    index = last - (index % max(2 * last, 1) - last).abs()
    return spectrum[..., index]


def random_crop(spectra, lengths, width):
    """The same random stretch of several spectrograms.

    Arguments
    ---------
    spectra : list of torch.Tensor
        Each (batch, bins, frames), with as many frames as the others.
    lengths : torch.Tensor
        Relative lengths of the items (batch,).
    width : int
        Frames of the stretch.

    Returns
    -------
    list of torch.Tensor
        Each (batch, bins, width), of a place for each item; as they were,
        where they are no longer than that. The part of it that ``lengths``
        tell a loss to look at has no padding, and may be any of the item.

    Example
    -------
    >>> x = torch.arange(10).expand(2, 1, 10)
    >>> _ = torch.manual_seed(0)
    >>> random_crop([x], torch.tensor([1.0, 0.6]), 4)[0]
    tensor([[[3, 4, 5, 6]],
    <BLANKLINE>
            [[3, 4, 5, 6]]])
    """
    frames = spectra[0].shape[-1]
    if frames <= width:
        return spectra
    looked_at = frame_lengths(lengths, width)
    places = frame_lengths(lengths, frames) - looked_at + 1
    places = places.clamp(max=frames - width + 1).cpu()
    starts = (torch.rand(len(places)) * places).long().tolist()
    return [
        torch.stack(
            [item[..., s : s + width] for item, s in zip(spectrum, starts)]
        )
        for spectrum in spectra
    ]
