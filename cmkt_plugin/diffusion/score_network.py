"""The network of a score model: a U-Net over time and frequency."""

import torch
from speechbrain.nnet.unet import UNetModel

# UNetModel embeds steps that count to about a thousand; diffusion time ends
# at 1.
STEPS = 1000


class ScoreUNet(torch.nn.Module):
    """SpeechBrain's U-Net on complex spectrograms.

    Real and imaginary parts of the diffused spectrum and of every condition
    are its channels, and one map that is projected from what the video shows.
    The number of bins and of frames need not fit: they are filled up with
    zeros and cut again. One block of attention, over all bins and frames of
    the coarsest level, stands in its middle: its memory grows with the square
    of the length, which is for windows to bound.

    The last convolution and the last one of every residual block begin at
    zero (``use_fixup_init``): an untrained network gives zero, which is no
    score or no change to the noisy speech, and its depth is learned bit by
    bit.

    Arguments
    ---------
    bins : int
        Frequencies of the spectra.
    conditions : int
        Spectra beside the diffused one: 1 for the noisy speech, 2 for noisy
        speech and first estimate.
    visual_width : int or None
        Width of what the video gives for each frame; None: the network does
        not look at it.
    model_channels : int
        Channels that ``channel_mult`` multiplies.
    channel_mult : sequence of int
        One for each level; every further level has half the bins and frames.
    num_res_blocks : int
        Residual blocks of a level.
    attention_resolutions : sequence of int
        Downsampling factors of the levels that attend; attention over whole
        spectrograms takes too much memory but on the coarsest levels.
    num_heads : int
        Heads of the attention.
    norm_num_groups : int
        Groups of the normalizations; divides the channels of every level.
        Four channels in a group and more are usual: what the time adds to all
        of a group is normalized away.
    dropout : float
        In the residual blocks.

    Raises
    ------
    ValueError
        If a level has no two channels in a group: it would not see the time.

    Example
    -------
    >>> network = ScoreUNet(bins=30, model_channels=8, channel_mult=[1, 2])
    >>> x, noisy = torch.randn(2, 3, 30, 21, dtype=torch.complex64).unbind()
    >>> network(x, torch.rand(3), [noisy]).shape
    torch.Size([3, 30, 21])
    """

    def __init__(
        self,
        bins=256,
        conditions=1,
        visual_width=None,
        model_channels=16,
        channel_mult=(1, 1, 2, 4),
        num_res_blocks=1,
        attention_resolutions=(),
        num_heads=1,
        norm_num_groups=4,
        dropout=0.0,
    ):
        super().__init__()
        fewest = min(channel_mult) * model_channels
        if fewest < 2 * norm_num_groups:
            raise ValueError(
                f"a level has {fewest} channels in norm_num_groups: "
                f"{norm_num_groups}, expected two in each or more: of a group "
                "of one, normalization takes away what the time adds to it"
            )
        self.conditions = conditions
        self.factor = 2 ** (len(channel_mult) - 1)
        # Without bias: no picture is a map of zeros.
        self.visual_map = (
            torch.nn.Linear(visual_width, bins, bias=False)
            if visual_width is not None
            else None
        )
        self.unet = UNetModel(
            in_channels=2 * (1 + conditions) + (visual_width is not None),
            model_channels=model_channels,
            out_channels=2,
            num_res_blocks=num_res_blocks,
            attention_resolutions=attention_resolutions,
            dropout=dropout,
            channel_mult=channel_mult,
            num_heads=num_heads,
            norm_num_groups=norm_num_groups,
            use_fixup_init=True,
        )

    def forward(self, x, t, spectra, visual=None):
        """One pass of the U-Net.

        Arguments
        ---------
        x : torch.Tensor
            The diffused spectrum, complex (batch, bins, frames).
        t : torch.Tensor
            Its diffusion time (batch,), 0 to 1.
        spectra : list of torch.Tensor
            The conditions, complex (batch, bins, frames).
        visual : torch.Tensor or None
            What the video shows (batch, frames, visual_width); None: nothing.

        Returns
        -------
        torch.Tensor
            Complex (batch, bins, frames).

        Raises
        ------
        ValueError
            If there are more conditions, or fewer, than it was made for.
        """
        if len(spectra) != self.conditions:
            raise ValueError(
                f"the score network was made for conditions: {self.conditions}"
                f", found {len(spectra)}: the noisy spectrum is one, the "
                "estimate of a predictive stage another"
            )
        maps = [part for s in (x, *spectra) for part in (s.real, s.imag)]
        if self.visual_map is not None:
            maps.append(self._visual_map(visual, x))
        maps = torch.stack(maps, dim=1)  # (batch, channels, bins, frames)
        bins, frames = x.shape[1:]
        missing = (0, -frames % self.factor, 0, -bins % self.factor)
        maps = torch.nn.functional.pad(maps, missing)
        # Under autocast it is half precision: no type for a complex number.
        real, imaginary = self.unet(maps, STEPS * t).float().unbind(dim=1)
        return torch.complex(real, imaginary)[:, :bins, :frames]

    def _visual_map(self, visual, x):
        batch, _, frames = x.shape
        if visual is None:
            width = self.visual_map.in_features
            visual = x.real.new_zeros(batch, frames, width)
        return self.visual_map(visual).transpose(1, 2)
