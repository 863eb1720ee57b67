"""Times at which a sampler asks for scores, from T down to t_eps."""

import torch

from cmkt_plugin.diffusion.sde import OUVESDE


class PowerSteps:
    """Steps that are equally long in a root of time.

    Karras et al. 2022 (arXiv 2206.00364), equation 5, with the times in place
    of the deviations.

    Arguments
    ---------
    number : int
        How many times there are.
    exponent : float
        1 for equal steps; above it they get shorter towards t_eps.
    first : float
        The first time. Below T a sampler starts closer to the target, with
        less noise: right only if the target is almost clean, as a predictive
        stage's estimate is.

    Example
    -------
    >>> PowerSteps(4)(OUVESDE())
    tensor([1.0000, 0.5248, 0.2014, 0.0300])
    >>> PowerSteps(2, first=0.5)(OUVESDE())
    tensor([0.5000, 0.0300])
    """

    def __init__(self, number, exponent=2.0, first=OUVESDE.T):
        self.number, self.exponent, self.first = number, exponent, first

    def __call__(self, sde):
        """The times.

        Arguments
        ---------
        sde : OUVESDE
            Its ``t_eps`` is the last time.

        Returns
        -------
        torch.Tensor
            (number,), falling; for a single one only the first.

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
        if not sde.t_eps < self.first <= sde.T:
            raise ValueError(
                f"first is {self.first}, expected a time above t_eps "
                f"{sde.t_eps} and up to {sde.T}"
            )
        root = 1 / self.exponent
        ends = self.first**root, sde.t_eps**root
        # In double precision the ends come out of the power as they were.
        times = torch.linspace(*ends, self.number, dtype=torch.float64)
        return (times**self.exponent).float()


class UniformSteps(PowerSteps):
    """Equal steps, as in SGMSE+.

    Arguments
    ---------
    number : int
        How many times, as in ``PowerSteps``.

    Example
    -------
    >>> UniformSteps(4)(OUVESDE())
    tensor([1.0000, 0.6767, 0.3533, 0.0300])
    """

    def __init__(self, number):
        super().__init__(number, exponent=1)
