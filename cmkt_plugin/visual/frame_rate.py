"""From the frame rate of the video to that of the spectrogram, by time.

Audio frame i is at ``i * hop`` seconds, video frame j at ``j / 25``.
"""

import torch

from cmkt_plugin.visual.lips import FRAME_RATE, SIZE, Lips

# Video frames: a whole number of them may come out as a little less.
TOLERANCE = 1e-6


def video_counts(counts, hop):
    """Number of video frames that begin within a number of audio frames.

    Arguments
    ---------
    counts : torch.Tensor
        Number of audio frames (batch,), at least 1.
    hop : float
        Seconds between them.

    Returns
    -------
    torch.Tensor
        (batch,)

    Example
    -------
    >>> video_counts(torch.tensor([1, 5, 6, 126]), hop=0.008)
    tensor([ 1,  1,  2, 26])
    """
    place = (counts.double() - 1) * hop * FRAME_RATE
    return (place + TOLERANCE).floor().long() + 1


def fit_video(lips, counts):
    """Cuts a video, or fills it up with frames that are not present.

    Arguments
    ---------
    lips : cmkt_plugin.visual.lips.Lips or None
        Pixels (batch, frames, height, width); None: no video.
    counts : torch.Tensor
        Number of video frames that each item is to have (batch,).

    Returns
    -------
    cmkt_plugin.visual.lips.Lips
        With as many frames as the largest count; what goes beyond an item's
        own count is not present.

    Raises
    ------
    ValueError
        If there are not as many videos as items.

    Example
    -------
    >>> fit_video(None, torch.tensor([3, 2])).present
    tensor([[0, 0, 0],
            [0, 0, 0]], dtype=torch.uint8)
    """
    if lips is None:
        options = {"dtype": torch.uint8, "device": counts.device}
        lips = Lips(
            torch.zeros(len(counts), 0, SIZE, SIZE, **options),
            torch.zeros(len(counts), 0, **options),
        )
    if len(lips.present) != len(counts):
        raise ValueError(
            f"there are {len(lips.present)} videos for {len(counts)} "
            "recordings: expected one each; where one is missing, with all "
            "frames marked as not present"
        )
    frames = int(counts.max())
    missing = frames - lips.present.shape[1]
    pixels = torch.nn.functional.pad(lips.pixels, (0, 0, 0, 0, 0, missing))
    present = torch.nn.functional.pad(lips.present, (0, missing))
    place = torch.arange(frames, device=counts.device)
    return Lips(pixels, present * (place < counts.unsqueeze(1)))


def to_audio_frames(visual, counts, frames, hop):
    """Interpolates linearly between video frames.

    Arguments
    ---------
    visual : torch.Tensor
        (batch, video frames, width)
    counts : torch.Tensor
        Number of video frames of each item (batch,); the last one is held.
    frames : int
        Number of audio frames.
    hop : float
        Seconds between them.

    Returns
    -------
    torch.Tensor
        (batch, frames, width)

    Example
    -------
    >>> visual = torch.tensor([0.0, 1.0]).view(1, 2, 1)
    >>> counts = torch.tensor([2])
    >>> to_audio_frames(visual, counts, frames=4, hop=0.02).flatten()
    tensor([0.0000, 0.5000, 1.0000, 1.0000])
    """
    steps = torch.arange(frames, dtype=torch.double, device=visual.device)
    place = steps * hop * FRAME_RATE
    left = (place + TOLERANCE).floor()
    weight = (place - left).clamp(min=0).to(visual.dtype).unsqueeze(1)
    last = (counts - 1).unsqueeze(1)
    before = _pick(visual, torch.minimum(left.long(), last))
    after = _pick(visual, torch.minimum(left.long() + 1, last))
    return torch.lerp(before, after, weight)


def _pick(visual, index):
    """Frames (batch, frames, width) by their index (batch, frames)."""
    return visual.gather(1, index.unsqueeze(-1).expand(-1, -1, visual.shape[2]))
