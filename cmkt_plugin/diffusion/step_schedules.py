"""Times at which a sampler asks for scores, from T down to t_eps."""

import torch


class PowerSteps:
    """Steps that are equally long in a root of time.

    Karras et al. 2022 (arXiv 2206.00364), equation 5, with the times in place
    of the deviations.

    Arguments
    ---------
    number : int
        How many times. One of them is T; a sampler goes from the last to 0.
    exponent : float
        1 for equal steps; above it they get shorter towards t_eps.

    Example
    -------
    >>> from cmkt_plugin.diffusion.sde import OUVESDE
    >>> PowerSteps(4, exponent=1)(OUVESDE())
    tensor([1.0000, 0.6767, 0.3533, 0.0300])
    >>> PowerSteps(4, exponent=2)(OUVESDE())
    tensor([1.0000, 0.5248, 0.2014, 0.0300])
    """

    def __init__(self, number, exponent):
        self.number, self.exponent = number, exponent

    def __call__(self, sde):
        """The times.

        Arguments
        ---------
        sde : OUVESDE
            Its ``T`` and ``t_eps`` are the ends.

        Returns
        -------
        torch.Tensor
            (number,), falling.

        Raises
        ------
        ValueError
            If there is no such schedule.
        """
        if self.number < 1 or self.exponent <= 0:
            raise ValueError(
                f"number is {self.number} and exponent {self.exponent}, "
                "expected 1 or more and a number above 0"
            )
        root = 1 / self.exponent
        times = torch.linspace(sde.T**root, sde.t_eps**root, self.number)
        return times**self.exponent


class UniformSteps(PowerSteps):
    """Equal steps, as in SGMSE+.

    Arguments
    ---------
    number : int
        How many times, as in ``PowerSteps``.

    Example
    -------
    >>> from cmkt_plugin.diffusion.sde import OUVESDE
    >>> UniformSteps(2)(OUVESDE())
    tensor([1.0000, 0.0300])
    """

    def __init__(self, number):
        super().__init__(number, exponent=1)
