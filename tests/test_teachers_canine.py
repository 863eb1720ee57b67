"""CANINE: one state per character, whatever the batch is padded to."""

import pytest
import tiny_teachers
import torch
from transformers import AutoConfig

from cmkt_plugin.canine import Canine
from cmkt_plugin.language_model import FrozenLanguageModel, architecture_of
from cmkt_plugin.teacher_checks import check_layer

LONGEST = 248  # of 256, less the margin


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("canine")
    tiny_teachers.canine_s(folder)
    return FrozenLanguageModel(str(folder), torch.device("cpu"), torch.float32)


def ids_of(count):
    return torch.arange(100, 100 + count)


def states(model, count, batch_length, layer):
    """States of a sentence in a batch of another length."""
    ids = torch.zeros(1, batch_length, dtype=torch.long)
    ids[0, :count] = ids_of(count)
    mask = (torch.arange(batch_length) < count).long().unsqueeze(0)
    return model(ids, mask, layer)[0, :count]


def test_it_is_canines_own_architecture(model):
    assert isinstance(architecture_of(model.config), Canine)
    assert isinstance(model.architecture, Canine)


# the last characters look into the next chunk of the local attention (128)
@pytest.mark.parametrize("count", [1, 2, 4, 5, 8, 119, 120, 126, 127, 128, 129])
@pytest.mark.parametrize("layer", [0, 1, -2, -1])
def test_the_length_of_the_batch_changes_nothing(model, count, layer):
    alone = states(model, count, count, layer)
    for length in (count + 1, count + 6, LONGEST):
        together = states(model, count, length, layer)
        torch.testing.assert_close(alone, together, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("count", [3, 128, LONGEST])
def test_states_are_those_of_the_original_padding(model, count):
    """The original is always padded to its full length."""
    full = torch.zeros(1, 384, dtype=torch.long)
    full[0, :count] = ids_of(count)
    mask = (torch.arange(384) < count).long().unsqueeze(0)
    with torch.no_grad():
        output = model.model(input_ids=full, attention_mask=mask)
    expected = output.last_hidden_state[0, :count]
    result = states(model, count, count, -1)
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-5)


def test_allowed_layers_have_one_state_per_character(model):
    output = model.model(
        input_ids=ids_of(128).unsqueeze(0), output_hidden_states=True
    )
    count = len(output.hidden_states)
    assert count == model.architecture.hidden_states
    for layer, state in enumerate(output.hidden_states):
        per_character = state.shape[1] == 128
        assert model.architecture.has_layer(layer) == per_character
        assert model.architecture.has_layer(layer - count) == per_character


@pytest.mark.parametrize("layer", [2, 4, -3, -5, 7, -8])
def test_other_layers_are_refused_with_those_there_are(model, layer):
    architecture = Canine(AutoConfig.from_pretrained(model.model.name_or_path))
    expected = "expected 0 .*, 1, 5 or -2, 6 or -1"
    with pytest.raises(ValueError, match=expected) as told:
        check_layer("google/canine-s", architecture, layer)
    assert "one state for 4 characters" in str(told.value)


def test_input_embeddings_are_hashed_characters_without_position(model):
    ids = torch.tensor([[97, 0x4F60, 97, 0x10FFFF, 0]])
    result = model(ids, torch.ones_like(ids), None)
    assert result.shape == (1, 5, tiny_teachers.WIDTH)
    torch.testing.assert_close(result[0, 0], result[0, 2])
    assert (result[0, 0] - result[0, 1]).abs().max() > 1e-3
    # the embedding output is the same with position, type and normalization
    embeddings = model.model.char_embeddings
    position = embeddings.char_position_embeddings(torch.arange(5))
    kind = embeddings.token_type_embeddings(torch.zeros(5, dtype=torch.long))
    torch.testing.assert_close(
        embeddings.LayerNorm(result[0] + position + kind),
        model(ids, torch.ones_like(ids), 0)[0, :5],
        rtol=1e-4,
        atol=1e-5,
    )
