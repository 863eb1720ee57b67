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
    own, sampler_type, predictor, corrector, number, corrector_steps, snr
):
    """The sampler that the names of a ``hyperparams.yaml`` ask for.

    Arguments
    ---------
    own : callable
        The sampler of the model.
    sampler_type : str
        "own", "pc" for predictor and corrector or "ode" for the probability
        flow.
    predictor : str
        Of "pc": "reverse_diffusion", "euler_maruyama" or "none".
    corrector : str
        Of "pc": "ald" or "none".
    number : int
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
    >>> stock_sampler(own, "own", "", "", 4, 1, 0.5).steps.number
    4
    >>> stock_sampler(own, "edm", "", "", 4, 1, 0.5)
    Traceback (most recent call last):
    ValueError: sampler_type is 'edm', expected one of own, pc, ode
    """
    correctors = {
        "ald": lambda: AnnealedLangevin(snr, corrector_steps),
        "none": NoCorrector,
    }

    def its_own():
        changed = copy.deepcopy(own)
        changed.steps.number = number
        return changed

    def predictor_corrector():
        return PredictorCorrector(
            own.sde,
            _found("predictor", predictor, PREDICTORS),
            _found("corrector", corrector, correctors)(),
            UniformSteps(number),
        )

    def probability_flow():
        return ProbabilityFlowODE(own.sde, UniformSteps(number))

    types = {
        "own": its_own,
        "pc": predictor_corrector,
        "ode": probability_flow,
    }
    return _found("sampler_type", sampler_type, types)()


def _found(what, name, known):
    if name not in known:
        raise ValueError(
            f"{what} is {name!r}, expected one of {', '.join(known)}"
        )
    return known[name]
