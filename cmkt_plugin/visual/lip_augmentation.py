"""What a lip encoder sees of a crop: a part, sometimes mirrored."""

import torch


class RandomCrop(torch.nn.Module):
    """Cuts the mouth out: at random in training, from the centre otherwise.

    All frames of a clip are cut at one place and mirrored together, or the
    mouth would jump. Draws from torch's global generator.

    Arguments
    ---------
    size : int
        Height and width of what is kept, in pixels.
    flip : float
        Probability that a clip is mirrored left to right, in training.

    Example
    -------
    >>> crop = RandomCrop(size=2, flip=0.5).eval()
    >>> crop(torch.arange(16, dtype=torch.uint8).view(1, 1, 4, 4))
    tensor([[[[ 5,  6],
              [ 9, 10]]]], dtype=torch.uint8)
    """

    def __init__(self, size=88, flip=0.5):
        super().__init__()
        self.size = size
        self.flip = flip

    def forward(self, pixels):
        """Cuts clips.

        Arguments
        ---------
        pixels : torch.Tensor
            (batch, frames, height, width)

        Returns
        -------
        torch.Tensor
            (batch, frames, size, size)

        Raises
        ------
        ValueError
            If the pictures are smaller.
        """
        room = [side - self.size for side in pixels.shape[-2:]]
        if min(room) < 0:
            raise ValueError(
                f"pictures are {tuple(pixels.shape[-2:])} pixels, expected "
                f"{self.size} at least: prepare larger crops or lower `size`"
            )
        if not self.training:
            return self._cut(pixels, [space // 2 for space in room])
        clips = []
        for clip in pixels:
            corner = [int(torch.randint(s + 1, ())) for s in room]
            clip = self._cut(clip, corner)
            clips.append(clip.flip(-1) if torch.rand(()) < self.flip else clip)
        return torch.stack(clips) if clips else self._cut(pixels, (0, 0))

    def _cut(self, pixels, corner):
        top, left = corner
        return pixels[..., top : top + self.size, left : left + self.size]
