"""Each part of hparams/teachers runs its model's real classes, made tiny."""

import functools
import inspect
import json
from pathlib import Path

import pytest
import tiny_teachers
import torch
import transformers
from hyperpyyaml import load_hyperpyyaml
from ruamel.yaml import YAML

from cmkt_plugin.knobs import check_knobs
from cmkt_plugin.teacher import LanguageModelTeacher
from cmkt_plugin.tokenization import read_tokenizer
from cmkt_plugin.units import SubWords

FOLDER = Path(__file__).parents[1] / "hparams" / "teachers"
NAMES = list(tiny_teachers.BUILDERS)
ENGLISH, MANDARIN = "We call it bear.", "今天 天气很好。"
WORDS, LETTERS = ["we", "call", "it", "bear"], list("wecallitbear")
ONE_BY_ONE, JOINED = list("今天天气很好"), ["今天天气", "很好"]

# tokenizer, model, what is said of the two sentences (None: not its language)
EXPECTED = {
    "bert_base_uncased": ("BertTokenizerFast", "BertModel", WORDS, None),
    "bert_base_chinese": ("BertTokenizerFast", "BertModel", None, ONE_BY_ONE),
    "chinese_roberta_wwm_ext": (
        "BertTokenizerFast",
        "BertModel",
        None,
        ONE_BY_ONE,
    ),
    "xlm_roberta_base": (
        "XLMRobertaTokenizerFast",
        "XLMRobertaModel",
        WORDS,
        ["今天", *"天气很好"],
    ),
    "qwen3_0_6b_base": ("Qwen2TokenizerFast", "Qwen3Model", WORDS, None),
    "llama_3_2_1b": ("PreTrainedTokenizerFast", "LlamaModel", WORDS, None),
    "gpt2": ("GPT2TokenizerFast", "GPT2Model", WORDS, None),
    "canine_s": ("CanineTokenizer", "CanineModel", LETTERS, ONE_BY_ONE),
    "byt5_small": ("ByT5Tokenizer", "T5EncoderModel", LETTERS, ONE_BY_ONE),
}
# special tokens before and after the sentence; longest input
SPECIAL = {
    "bert_base_uncased": (1, 1, 32),
    "bert_base_chinese": (1, 1, 32),
    "chinese_roberta_wwm_ext": (1, 1, 32),
    "xlm_roberta_base": (1, 1, 32),
    "qwen3_0_6b_base": (0, 0, 64),
    "llama_3_2_1b": (1, 0, 64),
    "gpt2": (0, 0, 64),
    "canine_s": (1, 1, 248),
    "byt5_small": (0, 1, None),
}
CAUSAL = ("qwen3_0_6b_base", "llama_3_2_1b", "gpt2")


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """Folder of a part's tiny model, made when it is first asked for."""

    @functools.cache
    def make(name):
        folder = tmp_path_factory.mktemp(name)
        tiny_teachers.BUILDERS[name](folder)
        return str(folder)

    return make


@pytest.fixture(autouse=True, scope="module")
def read_once():
    """On the CPU; and CANINE's tokenizer takes seconds to be made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: False)
        patch.setattr(
            "cmkt_plugin.teacher.read_tokenizer",
            functools.cache(read_tokenizer),
        )
        yield


@pytest.fixture
def load(folders):
    """Loads a part with the tiny model as its source."""

    def part(name, units=None, **knobs):
        knobs = {"source": folders(name), **knobs}
        lines = [f"{knob}: {json.dumps(knobs[knob])}" for knob in knobs]
        if units:
            lines.append(f"units: !new:cmkt_plugin.units.{units}")
        with (FOLDER / f"{name}.yaml").open(encoding="utf-8") as file:
            return load_hyperpyyaml(file, "\n".join(lines))["teacher"]

    return part


def sentence_of(name):
    return ENGLISH if EXPECTED[name][2] else MANDARIN


def test_every_part_has_the_same_knobs():
    parts = {path.stem: path for path in FOLDER.glob("*.yaml")}
    assert set(parts) >= {*NAMES, "minilm"}
    options = {*inspect.signature(LanguageModelTeacher).parameters} - {"device"}
    for name, path in parts.items():
        text = YAML().load(path.read_text(encoding="utf-8"))
        own = set(text) - {"g2p"}  # what phones are made with
        assert own == {*options, "teacher"}, name
        assert set(text["teacher"]) == options, name


@pytest.mark.parametrize("name", NAMES)
def test_part_gives_the_tokens_of_its_language(load, name):
    tokenizer, model, *tokens = EXPECTED[name]
    teacher = load(name)
    assert teacher.causal == (name in CAUSAL)
    results = teacher.embed([ENGLISH, MANDARIN])
    used = teacher.tokenization.tokenizer
    assert isinstance(used, getattr(transformers, tokenizer))
    assert type(teacher._model.model).__name__ == model
    for result, expected in zip(results, tokens):
        if expected is not None:
            assert result.tokens == expected
        shape = (len(result.tokens), tiny_teachers.WIDTH)
        assert result.embeddings.shape == shape
        assert result.embeddings.dtype == torch.float32
        assert result.embeddings.isfinite().all()
        assert result.token_ids.shape == shape[:1]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("layer", [0, 1, -1])
def test_layers_are_those_of_the_model(load, folders, name, layer):
    teacher = load(name, layer=layer, units="SubWords")
    text = sentence_of(name)
    (result,) = teacher.embed([text])
    auto = transformers.AutoModel
    if name == "byt5_small":
        auto = transformers.T5EncoderModel
    model = auto.from_pretrained(folders(name)).float().eval()
    tokenizer = teacher.tokenization.tokenizer
    padded = {"padding": "max_length"} if name == "canine_s" else {}
    coded = tokenizer(text, return_tensors="pt", **padded)
    with torch.no_grad():
        states = model(**coded, output_hidden_states=True).hidden_states
    before, after, _ = SPECIAL[name]
    end = int(coded["attention_mask"].sum()) - after
    expected = states[layer][0, before:end]
    torch.testing.assert_close(
        result.embeddings, expected, rtol=1e-4, atol=1e-5
    )
    assert (
        result.token_ids.tolist() == coded["input_ids"][0, before:end].tolist()
    )


@pytest.mark.parametrize("name", NAMES)
def test_input_embeddings_know_the_piece_only(load, name):
    teacher = load(name, layer=None, units="SubWords")
    text = sentence_of(name)
    (result,) = teacher.embed([text])
    _, again = teacher.embed([text, f"{text} {text}"])
    assert not teacher.contextual
    table = dict(zip(result.token_ids.tolist(), result.embeddings))
    assert len(table) > 4
    for token, row in zip(again.token_ids.tolist(), again.embeddings):
        torch.testing.assert_close(row, table.get(token, row))
    rows = torch.stack(list(table.values()))
    assert torch.cdist(rows, rows).fill_diagonal_(1).min() > 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_padding_changes_nothing(load, name):
    teacher = load(name, layer=-1, batch_size=3)
    text = sentence_of(name)
    texts = [text, text[:2], f"{text} {text[:5]}"]
    for result, own in zip(teacher.embed(texts), texts):
        (alone,) = teacher.embed([own])
        assert result.tokens == alone.tokens != []
        torch.testing.assert_close(
            result.embeddings, alone.embeddings, rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("name", NAMES)
def test_long_transcripts_are_cut_to_what_the_model_reads(load, name):
    before, after, limit = SPECIAL[name]
    teacher = load(name, layer=-1, units="SubWords")
    letter = "b" if sentence_of(name) == ENGLISH else "天"
    long, short = teacher.embed([f"{letter} " * 300, letter])
    assert (teacher.counts["truncated"], len(short.tokens) > 0) == (
        limit is not None,
        True,
    )
    count = 600 if limit is None else limit - before - after
    assert len(long.tokens) == count


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_waits_for_a_gpu(load, name):
    teacher = load(name)
    assert teacher.settings["dtype"] == "float32"
    teacher.embed([sentence_of(name)])
    kinds = {parameter.dtype for parameter in teacher._model.parameters()}
    assert kinds == {torch.float32}


def test_byt5_is_loaded_without_its_decoder(load):
    teacher = load("byt5_small")
    teacher.embed([ENGLISH])
    names = [name for name, _ in teacher._model.model.named_parameters()]
    assert names and not [name for name in names if "decoder" in name]


def test_mandarin_bert_takes_latin_words_whole(load):
    for units, tokens in (
        ("WholeWords", ["今", "天", "ok"]),
        ("Characters", None),
    ):
        teacher = load("bert_base_chinese", units=units)
        assert teacher.embed(["今天"])[0].tokens == ["今", "天"]
        if tokens:
            assert teacher.embed(["今天ok"])[0].tokens == tokens
            continue
        with pytest.raises(ValueError, match="'ok' stands for 'ok' in"):
            teacher.embed(["今天ok"])


@pytest.mark.parametrize("name", ["xlm_roberta_base", "qwen3_0_6b_base"])
def test_ideographs_of_one_piece_are_one_token(load, name):
    (result,) = load(name).embed([MANDARIN])
    assert "".join(result.tokens) == "".join(ONE_BY_ONE)
    assert len(result.tokens) < len(ONE_BY_ONE)
    with pytest.raises(ValueError, match="canine_s.yaml"):
        load(name, units="Characters").embed([MANDARIN])


def test_a_recipe_includes_a_part_and_changes_its_knobs(folders, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("teacher: !include:minilm.yaml\n    layer: null\n")
    for path in FOLDER.glob("*.yaml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    source = folders("gpt2")
    change = (
        f"teacher: !include:gpt2.yaml [[source, {source}], [layer, -1], "
        "[keep_bos, False], [units, !new:cmkt_plugin.units.SubWords ]]"
    )
    check_knobs(recipe, change)
    with recipe.open() as file:
        teacher = load_hyperpyyaml(file, change)["teacher"]["teacher"]
    assert (teacher.model_type, teacher.layer) == ("gpt2", -1)
    assert isinstance(teacher.units, SubWords)
    with recipe.open() as file:
        teacher = load_hyperpyyaml(file, "teacher: {layer: -1}")["teacher"]
    assert teacher["teacher"].layer == -1
