"""Visual encoder: convolutions over space and time, ResNet-18, temporal model.

The usual front end of lip reading: Stafylakis and Tzimiropoulos, "Combining
residual networks with LSTMs for lipreading", Interspeech 2017.
"""

import torch
from torch import nn

from cmkt_plugin.visual.lip_augmentation import RandomCrop
from cmkt_plugin.visual.lip_resnet import ResNet18
from cmkt_plugin.visual.temporal import Temporal

# Of grey levels between 0 and 1, as the public checkpoints were trained with.
MEAN, DEVIATION = 0.421, 0.165


class LipEncoder(nn.Module):
    """Encodes the lips of every video frame.

    A frame without a face is never looked at: a learned embedding stands for
    it, and the temporal model sees that between its neighbours. Its pixels
    reach neither them nor the statistics of the batch normalisation.

    Arguments
    ---------
    width : int
        Width of the output.
    temporal : torch.nn.Module
        Sequence model over (batch, frames, width); see ``Temporal``.
    channels : int
        Of the first convolution; 64 in the published network, 8 for a CPU.
    crop : torch.nn.Module, optional
        Cuts the pictures; None: 88 x 88 pixels, as published.
    position : torch.nn.Module, optional
        Positional encoding for the temporal model; see ``Temporal``.
    shrink : int
        Pixels in either direction that are averaged into one; 1 as published,
        2 takes a quarter of the time.

    Example
    -------
    >>> from cmkt_plugin.visual.lips import Lips
    >>> pixels = torch.randint(256, (2, 5, 96, 96), dtype=torch.uint8)
    >>> lips = Lips(pixels, torch.tensor([[1] * 5, [0] * 5]))
    >>> encoder = LipEncoder(6, torch.nn.Identity(), channels=2)
    >>> encoder(lips).shape
    torch.Size([2, 5, 6])
    """

    def __init__(
        self,
        width,
        temporal,
        channels=64,
        crop=None,
        position=None,
        shrink=1,
    ):
        super().__init__()
        self.shrink = shrink
        self.crop = RandomCrop() if crop is None else crop
        # Three parts of one: in between, frames without a face are left out.
        self.stem = nn.ModuleList(
            [
                nn.Conv3d(
                    1,
                    channels,
                    kernel_size=(5, 7, 7),  # frames, rows, columns
                    stride=(1, 2, 2),
                    padding=(2, 3, 3),
                    bias=False,
                ),
                nn.BatchNorm2d(channels),
                nn.PReLU(channels),
            ]
        )
        self.pool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.trunk = ResNet18(channels)
        self.absent = nn.Parameter(torch.zeros(8 * channels))
        self.projection = nn.Linear(8 * channels, width)
        self.temporal = Temporal(temporal, position)

    def forward(self, lips, counts=None):
        """Encodes a batch of clips.

        Arguments
        ---------
        lips : cmkt_plugin.visual.lips.Lips
            Pixels (batch, frames, height, width) and which are present.
        counts : torch.Tensor, optional
            Number of video frames of every clip (batch,); None: all.

        Returns
        -------
        torch.Tensor
            (batch, frames, width), at the frame rate of the video.
        """
        present = lips.present.bool()
        batch, frames = present.shape
        if counts is None:
            counts = present.new_full((batch,), frames, dtype=torch.long)
        seen = self._look(lips.pixels, present)
        features = self.absent.expand(batch, frames, -1).to(seen.dtype)
        features = features.masked_scatter(present.unsqueeze(-1), seen)
        return self.temporal(self.projection(features), counts)

    def _look(self, pixels, present):
        """Features (present frames, 8 * channels) of what there is to see."""
        clips = present.any(dim=1)
        if not clips.any():
            # Joined to the graph: distributed training wants all gradients.
            used = sum(p.sum() for p in self._eyes()) * 0.0
            return used + self.absent.new_zeros(0, len(self.absent))
        convolution, norm, activation = self.stem
        present = present[clips]
        pixels = self.crop(pixels[clips]).float() / 255
        pixels = nn.functional.avg_pool2d(pixels, self.shrink)
        pixels = (pixels - MEAN) / DEVIATION
        # As at the ends of a clip, the convolution sees zeros there.
        pixels = pixels * present[..., None, None]
        pictures = convolution(pixels.unsqueeze(1)).transpose(1, 2)[present]
        return self.trunk(self.pool(activation(norm(pictures))))

    def _eyes(self):
        return [*self.stem.parameters(), *self.trunk.parameters()]
