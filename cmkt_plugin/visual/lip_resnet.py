"""ResNet-18 over pictures of lips, its parts named as in public checkpoints.

He et al., "Deep residual learning for image recognition", CVPR 2016, with one
PReLU per channel as in Ma et al., "Lip-reading with densely connected temporal
convolutional networks", WACV 2021.
"""

from torch import nn


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut.

    Arguments
    ---------
    in_channels : int
        Channels of the input.
    channels : int
        Channels of the output.
    stride : int
        Of the first convolution.

    Example
    -------
    >>> import torch
    >>> BasicBlock(4, 8, stride=2)(torch.randn(3, 4, 10, 10)).shape
    torch.Size([3, 8, 5, 5])
    """

    def __init__(self, in_channels, channels, stride):
        super().__init__()
        self.conv1 = _conv3x3(in_channels, channels, stride)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu1 = nn.PReLU(channels)
        self.conv2 = _conv3x3(channels, channels, 1)
        self.bn2 = nn.BatchNorm2d(channels)
        self.relu2 = nn.PReLU(channels)
        self.downsample = nn.Identity()
        if stride != 1 or in_channels != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, channels, 1, stride, bias=False),
                nn.BatchNorm2d(channels),
            )

    def forward(self, picture):
        """(batch, in_channels, height, width) -> (batch, channels, ...)"""
        inner = self.relu1(self.bn1(self.conv1(picture)))
        inner = self.bn2(self.conv2(inner))
        return self.relu2(inner + self.downsample(picture))


class ResNet18(nn.Module):
    """Four stages of two blocks and the mean over what is left of a picture.

    Arguments
    ---------
    channels : int
        Channels of the first stage and of the input; every further stage has
        twice as many. 64 in the published network.

    Example
    -------
    >>> import torch
    >>> ResNet18(channels=4)(torch.randn(3, 4, 22, 22)).shape
    torch.Size([3, 32])
    """

    def __init__(self, channels):
        super().__init__()
        self.layer1 = _stage(channels, channels, 1)
        self.layer2 = _stage(channels, 2 * channels, 2)
        self.layer3 = _stage(2 * channels, 4 * channels, 2)
        self.layer4 = _stage(4 * channels, 8 * channels, 2)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def forward(self, picture):
        """(pictures, channels, height, width) -> (pictures, 8 * channels)"""
        picture = self.layer2(self.layer1(picture))
        picture = self.layer4(self.layer3(picture))
        return picture.mean(dim=(2, 3))


def _conv3x3(in_channels, channels, stride):
    return nn.Conv2d(in_channels, channels, 3, stride, padding=1, bias=False)


def _stage(in_channels, channels, stride):
    return nn.Sequential(
        BasicBlock(in_channels, channels, stride),
        BasicBlock(channels, channels, 1),
    )
