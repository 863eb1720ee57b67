"""The teacher embeds transcripts with encoder and causal language models."""

import json
import shutil
import socket
import time
from pathlib import Path

import pytest
import torch

from cmkt_plugin import minilm
from cmkt_plugin.teacher import LanguageModelTeacher
from cmkt_plugin.units import Characters, SubWords, WholeWords, word_id

FIRST = "We call it bear."
OTHER_END = "We call it store."
BEAR = 3  # index of the word that differs


@pytest.fixture(params=["tiny_bert", "tiny_llama", "tiny_gpt2"])
def any_model(request):
    return request.getfixturevalue(request.param)


def teacher_of(source, **options):
    return LanguageModelTeacher(source, device="cpu", **options)


def copy_of(folder, tmp_path, without=()):
    target = tmp_path / "copy"
    shutil.copytree(
        folder,
        target,
        ignore=shutil.ignore_patterns(*without) if without else None,
    )
    return target


@pytest.mark.parametrize("units", [SubWords(), WholeWords()])
@pytest.mark.parametrize("layer", [None, 0, 1, -1])
def test_shapes_and_types(any_model, layer, units):
    teacher = teacher_of(any_model, layer=layer, units=units)
    texts = ["Please call Stella.", "", "We call it bear."]
    for text, result in zip(texts, teacher.embed(texts)):
        count = len(result.tokens)
        assert (count > 2) == bool(text)
        assert result.embeddings.shape == (count, teacher.width)
        assert result.embeddings.dtype == torch.float32
        assert not result.embeddings.requires_grad
        assert result.token_ids.shape == (count,)
        assert result.token_ids.dtype == torch.int64


def test_input_word_embeddings_are_rows_of_the_table(tiny_bert):
    from transformers import AutoModel

    result = teacher_of(tiny_bert).embed([FIRST])[0]
    table = AutoModel.from_pretrained(tiny_bert).get_input_embeddings()
    torch.testing.assert_close(
        result.embeddings, table(result.token_ids).detach()
    )


def test_layers_are_the_hidden_states_without_special_tokens(tiny_bert):
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    model = AutoModel.from_pretrained(tiny_bert).eval()
    coded = tokenizer(FIRST, return_tensors="pt")
    states = model(**coded, output_hidden_states=True).hidden_states
    for layer in (0, 1, -1, -3):
        result = teacher_of(tiny_bert, layer=layer).embed([FIRST])[0]
        expected = states[layer][0, 1:-1].detach()
        torch.testing.assert_close(result.embeddings, expected)
    assert not {"[CLS]", "[SEP]"} & set(result.tokens)


@pytest.mark.parametrize("layer", [None, -1])
def test_batch_gives_what_each_gives_alone_and_in_order(any_model, layer):
    teacher = teacher_of(any_model, layer=layer, batch_size=2)
    texts = [FIRST, "Ask her to bring these things with her.", "", "bear"]
    for text, result in zip(texts, teacher.embed(texts)):
        alone = teacher.embed([text])[0]
        assert result.tokens == alone.tokens
        torch.testing.assert_close(
            result.embeddings, alone.embeddings, rtol=1e-4, atol=1e-4
        )


def moved(source, layer):
    """Which words' embeddings change when the last word is replaced."""
    teacher = teacher_of(source, layer=layer, units=WholeWords())
    first, second = teacher.embed([FIRST, OTHER_END])
    distance = (first.embeddings - second.embeddings).abs().amax(dim=1)
    return [bool(d > 1e-3) for d in distance]


def test_last_word_moves_its_neighbours_in_an_encoder_only(
    tiny_bert, tiny_llama, tiny_gpt2
):
    nothing_else = [False] * BEAR + [True]
    assert moved(tiny_bert, -1) == [True] * (BEAR + 1)
    assert moved(tiny_llama, -1) == nothing_else
    assert moved(tiny_gpt2, -1) == nothing_else
    for source in (tiny_bert, tiny_llama, tiny_gpt2):
        assert moved(source, None) == nothing_else


def test_contextual_and_causal_are_told(tiny_bert, tiny_llama, tiny_gpt2):
    assert not teacher_of(tiny_bert, layer=-1).causal
    assert teacher_of(tiny_llama, layer=-1).causal
    assert teacher_of(tiny_gpt2, layer=-1).causal
    assert teacher_of(tiny_llama, layer=0).contextual
    assert not teacher_of(tiny_llama, layer=None).contextual


def test_bert_as_a_decoder_is_causal(tiny_bert, tmp_path):
    folder = copy_of(tiny_bert, tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(
        json.dumps({**config, "is_decoder": True})
    )
    assert teacher_of(folder, layer=-1).causal
    assert moved(folder, -1) == [False] * BEAR + [True]


def test_a_model_that_only_counts_as_causal_is_refused(tiny_bert):
    teacher = teacher_of(tiny_bert, layer=-1)
    teacher.causal = True
    for _ in range(2):
        with pytest.raises(ValueError, match="earlier tokens change"):
            teacher.embed([FIRST])


def test_width_of_a_model_with_narrow_word_embeddings(tiny_bert, tmp_path):
    from transformers import ElectraConfig, ElectraModel

    folder = copy_of(tiny_bert, tmp_path, ["model.safetensors"])
    config = ElectraConfig(
        vocab_size=120,
        embedding_size=8,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
    )
    ElectraModel(config).save_pretrained(folder)
    for layer, width in ((None, 8), (0, 16), (-1, 16)):
        teacher = teacher_of(folder, layer=layer)
        assert teacher.width == width
        assert teacher.embed([FIRST])[0].embeddings.shape[1] == width


def test_empty_truncated_and_unknown_are_counted(tiny_bert):
    teacher = teacher_of(tiny_bert, layer=-1)
    # "\u200b" (zero-width space) is removed by BERT's tokenizer
    results = teacher.embed(
        ["", "  \n", "a " * 30, "a " * 31, "a 你 😀 a", "\u200b"]
    )
    # 32 positions, two of them for [CLS] and [SEP]
    lengths = [len(result.tokens) for result in results]
    assert lengths == [0, 0, 30, 30, 4, 0]
    assert results[4].tokens[1:3] == ["[UNK]", "[UNK]"]
    assert teacher.counts == {"empty": 3, "truncated": 1, "unknown": 2}


@pytest.mark.parametrize("text", ["", "   ", " \n\t"])
def test_blank_text_has_no_tokens(any_model, text):
    teacher = teacher_of(any_model, layer=-1)
    assert teacher.embed([text])[0].embeddings.shape == (0, 16)
    assert teacher.counts["empty"] == 1


def test_unknown_words_are_one_and_counted(tiny_bert):
    """They share an embedding: as two tokens each would be wrong of the other."""
    teacher = teacher_of(tiny_bert, units=WholeWords())
    result = teacher.embed(["bear 你 store 好"])[0]
    assert result.tokens == ["bear", "[UNK]", "store", "[UNK]"]
    assert result.token_ids[1] == result.token_ids[3] == word_id("[UNK]")
    torch.testing.assert_close(result.embeddings[1], result.embeddings[3])
    assert len(result.token_ids.unique()) == 3
    assert teacher.counts["unknown"] == 2


def test_words_are_the_same_for_encoder_and_causal(tiny_bert, tiny_llama):
    text = "Look at Ann's pants, café — she can't."
    results = [
        teacher_of(source, units=WholeWords()).embed([text])[0]
        for source in (tiny_bert, tiny_llama)
    ]
    words = ["look", "at", "ann's", "pants", "café", "she", "can't"]
    assert results[0].tokens == results[1].tokens == words
    assert torch.equal(results[0].token_ids, results[1].token_ids)


def test_roberta_counts_positions_from_its_padding(tiny_llama, tmp_path):
    from transformers import RobertaConfig, RobertaModel

    folder = copy_of(tiny_llama, tmp_path, ["model.safetensors"])
    config = RobertaConfig(
        vocab_size=320,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=34,
        pad_token_id=1,
    )
    RobertaModel(config).save_pretrained(folder)
    teacher = teacher_of(folder, layer=-1)
    assert teacher.tokenization.max_pieces == 32
    assert len(teacher.embed(["bear " * 90])[0].tokens) == 32
    assert teacher.counts["truncated"] == 1


def test_minilm_ignores_its_tokenizers_own_limit_and_padding():
    teacher = teacher_of(minilm.folder(), layer=-1)
    long, short = teacher.embed(["bear " * 400, "bear"])
    assert (len(long.tokens), len(short.tokens)) == (400, 1)
    assert teacher.counts["truncated"] == 0


@pytest.mark.parametrize("layer", [3, -4, 99])
def test_layer_out_of_range_tells_the_range(tiny_bert, layer):
    with pytest.raises(ValueError, match="expected -3 to 2"):
        teacher_of(tiny_bert, layer=layer)


@pytest.mark.parametrize(
    "without, message",
    [
        (["tokenizer*", "vocab*", "special*"], "no tokenizer"),
        (["model.safetensors"], "no weights"),
        (["config.json"], "no config.json"),
    ],
)
def test_incomplete_folder_is_refused_at_once(
    any_model, tmp_path, without, message
):
    folder = copy_of(any_model, tmp_path, without)
    with pytest.raises(FileNotFoundError, match=message):
        teacher_of(folder)


def test_weights_of_another_model_are_refused(tiny_bert, tmp_path):
    folder = copy_of(tiny_bert, tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(
        json.dumps({**config, "num_hidden_layers": 3})
    )
    with pytest.raises(ValueError, match="lack 16 parameters of BertModel"):
        teacher_of(folder, layer=-1).embed([FIRST])


def test_tokenizer_of_another_model_is_refused(tiny_bert, tiny_llama, tmp_path):
    folder = copy_of(tiny_bert, tmp_path, ["tokenizer*", "vocab*", "special*"])
    for file in Path(tiny_llama).glob("tokenizer*"):
        shutil.copy(file, folder)
    with pytest.raises(ValueError, match="do not belong together"):
        teacher_of(folder)


def test_encoder_decoder_without_a_text_encoder_is_refused(tiny_bert, tmp_path):
    folder = copy_of(tiny_bert, tmp_path)
    (folder / "config.json").write_text('{"model_type": "bart"}')
    with pytest.raises(ValueError, match="is a bart model. Expected"):
        teacher_of(folder)


@pytest.mark.parametrize("units", [WholeWords(), Characters()])
def test_tokenizer_without_places_gives_sub_words_only(
    tiny_bert, units, monkeypatch
):
    from transformers import BertTokenizerFast

    monkeypatch.setattr(BertTokenizerFast, "is_fast", False)
    with pytest.raises(ValueError, match="Use SubWords"):
        teacher_of(tiny_bert, units=units)
    with pytest.raises(ValueError, match="or leave both out"):
        teacher_of(tiny_bert, prefix="Say: ")
    assert teacher_of(tiny_bert).tokenization.knows_spans is False


@pytest.fixture
def no_network(monkeypatch):
    asked = []

    def refuse(host, *args, **kwargs):
        asked.append(host)
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return asked


@pytest.mark.parametrize("name", ["bert-base-uncased", "no/such/folder"])
def test_unreachable_hub_is_told_within_seconds(no_network, tmp_path, name):
    start = time.monotonic()
    with pytest.raises(FileNotFoundError) as raised:
        teacher_of(name, save_path=str(tmp_path))
    assert time.monotonic() - start < 5
    assert f"`hf download {name} --local-dir DIR`" in str(raised.value)
    assert "source: DIR" in str(raised.value)
    assert raised.value.__cause__ is not None


def test_a_folder_needs_no_network(no_network, any_model):
    teacher_of(any_model, layer=-1).embed([FIRST])
    assert no_network == []


def test_a_copy_of_a_hub_model_needs_no_network(
    no_network, tiny_bert, tmp_path
):
    commit = "0123456789abcdef0123456789abcdef01234567"
    stored = tmp_path / "models--some--bert"
    shutil.copytree(tiny_bert, stored / "snapshots" / commit)
    (stored / "refs").mkdir()
    (stored / "refs" / "main").write_text(commit)
    teacher = teacher_of("some/bert", save_path=str(tmp_path))
    assert teacher.settings["source"] == "some/bert"
    assert teacher.settings["revision"] == commit
    result = teacher.embed([FIRST])[0]
    expected = teacher_of(tiny_bert).embed([FIRST])[0]
    assert torch.equal(result.embeddings, expected.embeddings)


def test_settings_change_with_all_that_changes_values(
    tiny_bert, tiny_llama, tmp_path
):
    settings = teacher_of(tiny_bert).settings
    elsewhere = teacher_of(copy_of(tiny_bert, tmp_path), batch_size=1)
    assert elsewhere.settings == settings
    others = [
        teacher_of(tiny_bert, layer=0),
        teacher_of(tiny_bert, units=WholeWords()),
        teacher_of(tiny_bert, units=WholeWords(keep_punctuation=True)),
        teacher_of(tiny_bert, units=Characters()),
        teacher_of(tiny_bert, keep_bos=True),
        teacher_of(tiny_bert, prefix="Say: "),
        teacher_of(tiny_llama, layer=-1),
        teacher_of(tiny_llama, layer=-1, repeat=True),
    ]
    written = {json.dumps(t.settings) for t in others}
    assert len(written) == 8 and json.dumps(settings) not in written


def test_edited_weights_change_the_settings(tiny_bert, tmp_path):
    folder = copy_of(tiny_bert, tmp_path)
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    before = teacher_of(tiny_bert).settings["revision"]
    assert teacher_of(folder).settings["revision"] != before


def test_construction_loads_no_weights(tiny_bert, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("weights were loaded")

    monkeypatch.setattr("cmkt_plugin.teacher.FrozenLanguageModel", refuse)
    teacher = teacher_of(tiny_bert, layer=-1)
    assert teacher.settings and teacher.width == 16
    with pytest.raises(AssertionError, match="weights were loaded"):
        teacher.embed([FIRST])


def test_random_numbers_of_the_experiment_are_left_alone(tiny_bert, tmp_path):
    from transformers import BertModel

    folder = copy_of(tiny_bert, tmp_path)
    # without pooler: transformers draws one at random
    BertModel.from_pretrained(
        tiny_bert, add_pooling_layer=False
    ).save_pretrained(folder)
    before = torch.get_rng_state()
    teacher_of(folder, layer=-1).embed([FIRST])
    assert torch.equal(before, torch.get_rng_state())


def test_model_is_frozen_and_can_be_given_back(tiny_bert):
    teacher = teacher_of(tiny_bert, layer=-1)
    first = teacher.embed([FIRST])[0].embeddings
    assert not any(m.training for m in teacher._model.modules())
    assert not any(p.requires_grad for p in teacher._model.parameters())
    teacher.unload()
    assert teacher._model is None
    assert torch.equal(teacher.embed([FIRST])[0].embeddings, first)


def test_half_precision_is_for_gpus(tiny_bert):
    teacher = teacher_of(tiny_bert, dtype="bf16")
    assert teacher.settings == teacher_of(tiny_bert).settings
    with pytest.raises(ValueError, match="bf16"):
        teacher_of(tiny_bert, dtype="float8")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("dtype", ["fp16", "bf16"])
def test_half_precision_on_a_gpu(any_model, dtype):
    expected = teacher_of(any_model, layer=-1).embed([FIRST])[0]
    teacher = LanguageModelTeacher(any_model, layer=-1, dtype=dtype)
    result = teacher.embed([FIRST])[0]
    assert teacher.settings["dtype"] != "float32"
    assert result.embeddings.device.type == "cpu"
    torch.testing.assert_close(
        result.embeddings, expected.embeddings, rtol=0.05, atol=0.1
    )


def test_yaml_part_gives_the_embedded_teacher():
    from hyperpyyaml import load_hyperpyyaml

    path = Path(__file__).parents[1] / "hparams" / "teachers" / "minilm.yaml"
    with path.open() as file:
        teacher = load_hyperpyyaml(file)["teacher"]
    assert (teacher.width, teacher.contextual) == (384, False)
    assert teacher.settings["units"] == "WholeWords"
