"""Video that is missing in training, so that it may be missing in use."""

import torch

from cmkt_plugin.visual.lips import Lips


class VisualDropout(torch.nn.Module):
    """Takes whole clips away, or a run of frames; in training only.

    Draws from torch's global generator.

    Arguments
    ---------
    clip : float
        Probability that a clip loses its video.
    run : float
        Probability that a clip loses a run of frames.
    longest : int
        Longest run, in video frames; the length is uniform from 1.

    Raises
    ------
    ValueError
        If a probability is not between 0 and 1, or the longest run is empty.

    Example
    -------
    >>> shape = (1, 3, 96, 96)
    >>> lips = Lips(torch.zeros(shape), torch.ones(1, 3, dtype=torch.uint8))
    >>> VisualDropout(clip=1.0)(lips).present
    tensor([[0, 0, 0]], dtype=torch.uint8)
    >>> VisualDropout(clip=1.0).eval()(lips).present
    tensor([[1, 1, 1]], dtype=torch.uint8)
    """

    def __init__(self, clip=0.2, run=0.2, longest=25):
        super().__init__()
        for name, value in (("clip", clip), ("run", run)):
            if not 0 <= value <= 1:
                raise ValueError(
                    f"the probability `{name}` of the visual dropout is "
                    f"{value}, expected a number from 0 to 1"
                )
        if longest < 1:
            raise ValueError(
                f"the longest run of dropped frames is {longest}, expected 1 "
                "at least; set `run: 0` to drop none"
            )
        self.clip = clip
        self.run = run
        self.longest = longest

    def forward(self, lips):
        """Marks frames as not present.

        Arguments
        ---------
        lips : cmkt_plugin.visual.lips.Lips
            Pixels and which are present (batch, frames).

        Returns
        -------
        cmkt_plugin.visual.lips.Lips
            The same pixels.
        """
        if not self.training:
            return lips
        batch, frames = lips.present.shape
        keep = torch.rand(batch, 1) >= self.clip
        keep = keep & ~self._runs(batch, frames)
        return Lips(lips.pixels, lips.present * keep.to(lips.present.device))

    def _runs(self, batch, frames):
        """True within the run of each clip (batch, frames)."""
        chosen = torch.rand(batch, 1) < self.run
        length = torch.randint(1, self.longest + 1, (batch, 1))
        # Runs may begin before the clip: its ends are dropped as often as
        # its middle.
        start = torch.rand(batch, 1) * (frames + length) - length
        start = start.ceil()
        place = torch.arange(frames)
        return chosen & (place >= start) & (place < start + length)
