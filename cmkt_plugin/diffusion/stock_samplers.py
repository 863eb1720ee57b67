"""Samplers by the names that SpeechBrain's ``SGMSEEnhancement`` gives them."""

import copy

from cmkt_plugin.diffusion.correctors import AnnealedLangevin, NoCorrector
from cmkt_plugin.diffusion.predictors import EulerMaruyama, ReverseDiffusion
from cmkt_plugin.diffusion.samplers import (
    PredictorCorrector,
    ProbabilityFlowODE,
)
from cmkt_plugin.diffusion.step_schedules import UniformSteps


def no_predictor(sde, score, x, target, t, until):
    """Leaves the steps to the corrector."""
    return x, 0 * t


PREDICTORS = {
    "reverse_diffusion": ReverseDiffusion(),
    "euler_maruyama": EulerMaruyama(),
    "none": no_predictor,
}


def stock_sampler(
    own,
    sampler_type="pc",
    predictor="reverse_diffusion",
    corrector="ald",
    N=30,
    corrector_steps=1,
    snr=0.5,
):
    """The sampler that the names of a ``hyperparams.yaml`` ask for.

    Arguments
    ---------
    own : callable
        The sampler of the model.
    sampler_type : str
        "pc" for predictor and corrector, "ode" for the probability flow, or
        "own" for the sampler of the model.
    predictor : str
        Of "pc": "reverse_diffusion", "euler_maruyama" or "none".
    corrector : str
        Of "pc": "ald" or "none".
    N : int
        Steps, of any type.
    corrector_steps : int
        Of "pc", at each of them.
    snr : float
        Of "pc": size of the corrector's steps.

    Returns
    -------
    callable
        Of ``cmkt_plugin.diffusion.samplers``.

    Raises
    ------
    ValueError
        If there is no such name; says which there are.

    Example
    -------
    >>> from cmkt_plugin.diffusion.sde import OUVESDE
    >>> own = ProbabilityFlowODE(OUVESDE(), UniformSteps(30))
    >>> stock_sampler(own, "own", N=4).steps.number
    4
    >>> stock_sampler(own, "edm")
    Traceback (most recent call last):
    ValueError: sampler_type is 'edm', expected one of pc, ode, own
    """
    correctors = {
        "ald": lambda: AnnealedLangevin(snr, corrector_steps),
        "none": NoCorrector,
    }

    def its_own():
        changed = copy.deepcopy(own)
        changed.steps.number = N
        return changed

    def predictor_corrector():
        return PredictorCorrector(
            own.sde,
            _found("predictor", predictor, PREDICTORS),
            _found("corrector", corrector, correctors)(),
            UniformSteps(N),
        )

    def probability_flow():
        return ProbabilityFlowODE(own.sde, UniformSteps(N))

    types = {
        "pc": predictor_corrector,
        "ode": probability_flow,
        "own": its_own,
    }
    return _found("sampler_type", sampler_type, types)()


def _found(what, name, known):
    if name not in known:
        raise ValueError(
            f"{what} is {name!r}, expected one of {', '.join(known)}"
        )
    return known[name]
