"""keep_bos, prefix and repeat: what the model reads, what becomes a token."""

import functools

import pytest
import torch

from cmkt_plugin import minilm
from cmkt_plugin.leak_check import check_leaks
from cmkt_plugin.queries import Shifted
from cmkt_plugin.teacher import LanguageModelTeacher
from cmkt_plugin.units import Characters, SubWords, WholeWords

FIRST = "We call it bear."
OTHER_END = "We call it store."
BEAR = 3  # index of the word that differs


@functools.cache
def teacher_of(source, **options):
    return LanguageModelTeacher(source, device="cpu", **options)


def same(first, second):
    torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-4)


def moved(teacher):
    """Which words' embeddings change when the last word is replaced."""
    first, second = teacher.embed([FIRST, OTHER_END])
    distance = (first.embeddings - second.embeddings).abs().amax(dim=1)
    return [bool(d > 1e-3) for d in distance]


@pytest.fixture
def bos_llama(tiny_llama, tmp_path):
    """A LLaMA whose tokenizer puts a BOS first, as the real one does."""
    import shutil

    from tokenizers import Tokenizer
    from tokenizers.processors import TemplateProcessing

    folder = tmp_path / "llama"
    shutil.copytree(tiny_llama, folder)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return str(folder)


@pytest.mark.parametrize("units", [SubWords(), WholeWords()])
@pytest.mark.parametrize("layer", [None, -1])
def test_bos_is_a_token_only_when_asked_for(bos_llama, tiny_bert, units, layer):
    for source, name in ((bos_llama, "<s>"), (tiny_bert, "[CLS]")):
        without = teacher_of(source, layer=layer, units=units).embed([FIRST])[0]
        teacher = teacher_of(source, layer=layer, units=units, keep_bos=True)
        result, other, *nothing = teacher.embed([FIRST, "Ask her.", "", " "])
        assert result.tokens == [name, *without.tokens]
        own = teacher.tokenization.tokenizer.convert_tokens_to_ids(name)
        assert result.token_ids.tolist() == [own, *without.token_ids.tolist()]
        same(result.embeddings[1:], without.embeddings)
        if layer is None:
            same(result.embeddings[0], other.embeddings[0])
        assert all(item.tokens == [] for item in nothing)


def test_the_model_reads_its_bos_in_any_case(bos_llama, tiny_llama):
    """Same weights: the embeddings differ by what stands before them."""
    with_bos, without = (
        teacher_of(source, layer=-1).embed([FIRST])[0]
        for source in (bos_llama, tiny_llama)
    )
    assert with_bos.tokens == without.tokens
    assert (with_bos.embeddings - without.embeddings).abs().max() > 1e-2


def test_bos_that_is_not_there_is_refused(tiny_gpt2):
    with pytest.raises(ValueError, match="keep_bos: the tokenizer of"):
        LanguageModelTeacher(tiny_gpt2, keep_bos=True)


@pytest.mark.parametrize("units", [SubWords(), WholeWords()])
@pytest.mark.parametrize("source", ["tiny_bert", "bos_llama", "tiny_gpt2"])
def test_prefix_is_read_and_dropped(request, source, units):
    source = request.getfixturevalue(source)
    plain = teacher_of(source, layer=-1, units=units)
    teacher = teacher_of(source, layer=-1, units=units, prefix="Call Ann. ")
    texts = [FIRST, "", "Please call Stella, we call it bear."]
    for result, own, text in zip(
        teacher.embed(texts), plain.embed(texts), texts
    ):
        said = [token.strip("Ġ") for token in result.tokens]
        assert "".join(said) == "".join(t.strip("Ġ") for t in own.tokens)
        assert result.embeddings.shape == (len(said), teacher.width)
        if text and isinstance(units, WholeWords):
            distance = (result.embeddings - own.embeddings).abs().amax(dim=1)
            assert (distance > 1e-3).all()
    assert teacher.counts["empty"] == 1


def test_prefix_reads_what_the_whole_text_reads(tiny_bert):
    prefix = teacher_of(tiny_bert, layer=-1, prefix="Ask her ")
    whole = teacher_of(tiny_bert, layer=-1)
    (result,) = prefix.embed([FIRST])
    (expected,) = whole.embed([f"Ask her {FIRST}"])
    same(result.embeddings, expected.embeddings[-len(result.tokens) :])
    assert result.tokens == expected.tokens[-len(result.tokens) :]


def test_prefix_that_grows_into_the_transcript_is_refused(tiny_bert):
    teacher = teacher_of(tiny_bert, prefix="We c")
    with pytest.raises(ValueError, match="end the prefix with a blank"):
        teacher.embed(["all"])


def test_prefix_of_a_tokenizer_of_characters(tmp_path):
    import tiny_teachers

    tiny_teachers.byt5_small(tmp_path)
    units = Characters()
    plain = teacher_of(str(tmp_path), layer=-1, units=units)
    teacher = teacher_of(str(tmp_path), layer=-1, units=units, prefix="请听：")
    (own,), (result,) = plain.embed(["你好a"]), teacher.embed(["你好a"])
    assert result.tokens == own.tokens == ["你", "好", "a"]
    assert (result.embeddings - own.embeddings).abs().max() > 1e-3


@pytest.mark.parametrize("source", ["tiny_llama", "tiny_gpt2", "bos_llama"])
def test_repeated_sentence_knows_its_right_context(request, source):
    source = request.getfixturevalue(source)
    options = {"layer": -1, "units": WholeWords()}
    once = teacher_of(source, **options)
    twice = teacher_of(source, repeat=True, **options)
    assert moved(once) == [False] * BEAR + [True]
    assert moved(twice) == [True] * (BEAR + 1)
    assert twice.embed([FIRST])[0].tokens == once.embed([FIRST])[0].tokens
    assert (once.causal, twice.causal) == (True, False)
    assert twice.contextual


def test_repeated_sentence_is_the_second_copy(tiny_llama):
    """In a batch, with a prefix, in sub-words: always the last pieces."""
    from transformers import AutoModel

    teacher = teacher_of(tiny_llama, layer=-1, repeat=True, prefix="Ask. ")
    texts = [FIRST, "", "Please call Stella."]
    model = AutoModel.from_pretrained(tiny_llama).eval()
    for text, result in zip(texts, teacher.embed(texts)):
        tokenizer = teacher.tokenization.tokenizer
        coded = tokenizer(f"Ask. {text}\n{text}", return_tensors="pt")
        count = len(tokenizer(text)["input_ids"])
        with torch.no_grad():
            states = model(**coded).last_hidden_state[0]
        assert len(result.tokens) == count
        same(result.embeddings, states[len(states) - count :])


def test_repeat_lets_a_shifted_query_see_its_target(tiny_llama):
    from types import SimpleNamespace as Options

    still = Options(
        amount=Options(maximum=0),
        unit=Options(moves_tokens=False),
        probability=0,
    )
    query = Shifted(width=4, token_width=16)
    check_leaks(query, teacher_of(tiny_llama, layer=-1), still)
    repeated = teacher_of(tiny_llama, layer=-1, repeat=True)
    with pytest.raises(ValueError, match="tells the target"):
        check_leaks(query, repeated, still)


@pytest.mark.parametrize("layer", [None, 0, -3])
def test_repeat_without_context_is_refused(tiny_llama, layer):
    with pytest.raises(ValueError, match=f"layer {layer} changes nothing"):
        LanguageModelTeacher(tiny_llama, layer=layer, repeat=True)


def test_repeat_is_for_causal_models(tiny_bert):
    with pytest.raises(ValueError, match="bert.* both sides"):
        LanguageModelTeacher(tiny_bert, layer=-1, repeat=True)


def test_a_sentence_too_long_to_be_repeated_is_truncated(tiny_llama):
    teacher = teacher_of(tiny_llama, layer=-1, repeat=True)
    result = teacher.embed(["bear " * 60])[0]
    assert teacher.counts["truncated"] == 1
    assert len(result.tokens) < 60


class Backwards(SubWords):
    """A way of spelling that can be seen."""

    def spell(self, text):
        return " ".join(reversed(text.split()))


def test_the_model_reads_what_the_units_spell(tmp_path):
    from cmkt_plugin.embedding_cache import EmbeddingCache

    plain = LanguageModelTeacher(minilm.folder(), layer=-1, device="cpu")
    teacher = LanguageModelTeacher(
        minilm.folder(), layer=-1, units=Backwards(), device="cpu"
    )
    cache = EmbeddingCache(tmp_path, teacher.settings)
    cache.fill(["call it bear"], teacher, progressbar=False)
    result = cache.read("call it bear")  # known by the transcript itself
    assert result.tokens == ["bear", "it", "call"]
    (expected,) = plain.embed(["bear it call"])
    torch.testing.assert_close(
        result.embeddings, expected.embeddings, rtol=1e-3, atol=1e-3
    )
