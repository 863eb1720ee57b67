"""Misspelt knobs of an included part are refused, in the file and in flags."""

from pathlib import Path

import pytest

from cmkt_plugin.knobs import check_knobs

RECIPES = Path(__file__).parents[1] / "recipes"
HPARAMS = RECIPES / "Voicebank/hparams/cmkt.yaml"


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
        ("transcripts: {fracton: 0.5}", "'fraction'"),
        ("transfer: {aligner: {num_layer: 2}}", "'num_layers'"),
    ],
)
def test_misspelt_knobs_are_refused(overrides, hint):
    with pytest.raises(ValueError, match=f"Did you mean {hint}"):
        check_knobs(HPARAMS, overrides)


def test_misspelt_arguments_within_an_included_part_are_refused():
    hparams = RECIPES / "AISHELL-1/hparams/cmkt.yaml"
    check_knobs(hparams, "mixing: {train: {snr: [0, 5]}}")
    with pytest.raises(ValueError, match="Did you mean 'snr'"):
        check_knobs(hparams, "mixing: {train: {snrr: [0, 5]}}")


@pytest.mark.parametrize(
    "path", sorted(RECIPES.glob("*/hparams/*.yaml")), ids=str
)
def test_our_own_files_have_no_misspelt_knob(path):
    check_knobs(path, "")
