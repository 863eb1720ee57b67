"""Misspelt knobs of an included part are refused, in the file and in flags."""

from pathlib import Path

import pytest

from cmkt_plugin.knobs import check_knobs

HPARAMS = Path(__file__).parents[1] / "recipes/Voicebank/hparams/cmkt.yaml"


@pytest.mark.parametrize(
    "overrides",
    [
        "",
        "backbone: {base_channels: 256}",
        "backbone: !include:../../../hparams/backbones/blstm.yaml",
        "backbone: !include:../../../hparams/backbones/blstm.yaml "
        "[[hidden_size, 64]]",
        "teacher: {layer: -1}",
    ],
)
def test_known_knobs_pass(overrides):
    check_knobs(HPARAMS, overrides)


@pytest.mark.parametrize(
    "overrides",
    [
        "backbone: !include:../../../hparams/backbones/blstm.yaml "
        "{hidden_size: 64}",
        "teacher: {units: !new:cmkt_plugin.units.SubWords {}}",
    ],
)
def test_a_tag_with_a_mapping_would_be_dropped(overrides):
    with pytest.raises(ValueError, match="as a list"):
        check_knobs(HPARAMS, overrides)


@pytest.mark.parametrize(
    "overrides, hint",
    [
        ("backbone: {base_chanels: 256}", "'base_channels'"),
        (
            "backbone: !include:../../../hparams/backbones/blstm.yaml "
            "[[hiden_size, 64]]",
            "'hidden_size'",
        ),
        ("teacher: {layr: -1}", "'layer'"),
    ],
)
def test_misspelt_knobs_are_refused(overrides, hint):
    with pytest.raises(ValueError, match=f"Did you mean {hint}"):
        check_knobs(HPARAMS, overrides)
