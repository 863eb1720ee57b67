"""What a parameterization cannot be; what it can, tests of score models say."""

import pytest

from cmkt_plugin.diffusion.parameterizations import (
    CleanPrediction,
    PreconditionedPrediction,
)


@pytest.mark.parametrize("kind", [CleanPrediction, PreconditionedPrediction])
@pytest.mark.parametrize("spread", [0, -0.1])
def test_a_spread_that_leaves_nothing_to_predict_is_refused(kind, spread):
    with pytest.raises(ValueError, match=f"spread is {spread}"):
        kind(spread)
