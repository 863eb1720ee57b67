"""Language models of our own: training, held-out perplexity, as a teacher."""

import itertools
import json
import multiprocessing
import os
import signal

import numpy as np
import pytest
import torch
from tiny_lm import SMALL, train_lm

from cmkt_plugin.bigram import BigramModel
from cmkt_plugin.lm_folder import encode, make_lm, new_folder
from cmkt_plugin.lm_perplexity import bigram_perplexities, masked_perplexity
from cmkt_plugin.lm_text import hold_out, read_sentences
from cmkt_plugin.lm_tokenizer import (
    AS_WRITTEN,
    BLANK_SEPARATED,
    CHARACTERS,
    FIRST_SYMBOL,
    JOINED_CHARACTERS,
    LOWER_CASE,
    symbol_tokenizer,
)
from cmkt_plugin.lm_training import train_masked_lm
from cmkt_plugin.teacher import LanguageModelTeacher
from cmkt_plugin.units import Characters, SubWords


def alternating():
    """Lines such as "axaxax": no neighbour tells a symbol, the next but one
    does."""
    pairs = itertools.permutations("abcdefgh", 2)
    return [
        "".join(pair) * repeats
        for pair in pairs
        for repeats in (2, 3, 4, 5, 6, 7)
    ]


@pytest.fixture(scope="module")
def lm(tmp_path_factory):
    """Folder of a model of such lines."""
    folder = tmp_path_factory.mktemp("lm")
    text = folder / "text.txt"
    text.write_text("\n".join(alternating()))
    done = train_lm(text, "-o", folder / "lm", *SMALL)
    assert done.exit_code == 0, done.output
    assert "bigram" in done.output and "does not beat" not in done.output
    return folder / "lm"


def test_sees_what_bigrams_cannot(lm):
    report = json.loads((lm / "lm.json").read_text())
    perplexity = report["perplexity"]
    assert perplexity["bigram_of_both_sides"] > 5
    assert perplexity["masked_lm"] < 3
    assert report["different_symbols"] == 8
    assert report["symbols"] == "characters"
    assert report["lines"] == {"training": 302, "held_out": 34}
    assert report["provenance"]["command"]
    assert report["steps"] == 150


def test_is_a_teacher(lm):
    for layer in (None, 0, -1):
        teacher = LanguageModelTeacher(lm, layer=layer, units=SubWords())
        dog, nothing = teacher.embed(["Bad ", ""])
        assert dog.tokens == ["b", "a", "d"]
        assert dog.embeddings.shape == (3, 32)
        assert nothing.tokens == []


def test_symbols_outside_the_text_are_counted(lm):
    teacher = LanguageModelTeacher(lm, units=SubWords())
    (tokens,) = teacher.embed(["axbz"])
    assert tokens.tokens == ["a", "[UNK]", "b", "[UNK]"]
    assert teacher.counts["unknown"] == 2


def test_characters_leave_blanks_out(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("it’s a bear.\n" * 3 + "a bear is it.\n" * 3)
    options = [*SMALL, "--steps", "2"]
    done = train_lm(text, "-o", tmp_path / "lm", *options)
    assert done.exit_code == 0, done.output
    assert "does not beat" in done.output  # after two steps
    teacher = LanguageModelTeacher(tmp_path / "lm", units=Characters())
    (bear,) = teacher.embed(["A  Bear."])
    assert bear.tokens == list("abear")


def test_a_folder_that_exists_is_refused(lm, tmp_path):
    before = (lm / "lm.json").read_bytes()
    (tmp_path / "text.txt").write_text("a\nb\n")
    done = train_lm(tmp_path / "text.txt", "-o", lm)
    assert done.exit_code == 1 and "exists" in done.output
    assert (lm / "lm.json").read_bytes() == before


def test_what_a_killed_run_left_is_removed(tmp_path):
    process = multiprocessing.get_context("fork").Process(
        target=killed_in, args=(tmp_path / "lm",)
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    # Of a run that lives, and of another folder.
    parts = left.name.split(".")
    parts[-2] = str(os.getppid())
    alive = left.with_name(".".join(parts))
    alive.mkdir()
    other = left.with_name(left.name.replace(".lm.", ".lm2."))
    other.mkdir()
    with new_folder(tmp_path / "lm"):
        pass
    assert {*tmp_path.iterdir()} == {alive, other, tmp_path / "lm"}


def killed_in(path):
    with new_folder(path):
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    "content, told",
    [
        (b"", "has no sentence"),
        (b"\n \n", "has no sentence"),
        (b"one line\n", "at least 2"),
        (b"same\n same\n", "at least 2"),
        ("而 对\n楼市 成交\n".encode("gbk"), "looks like GBK"),
        (b"ab\ncd\n", "No symbol of the text occurs 2 times"),
        (b"aa\nbb\n", "Add text"),
    ],
)
def test_useless_text_is_refused(tmp_path, content, told):
    (tmp_path / "text.txt").write_bytes(content)
    done = train_lm(
        tmp_path / "text.txt", "-o", tmp_path / "lm", *SMALL, "--steps", "1"
    )
    assert done.exit_code == 1 and "Error" in done.output
    assert told in " ".join(done.output.split())
    assert [path.name for path in tmp_path.iterdir()] == ["text.txt"]


def test_kinds_of_text(tmp_path):
    entries = {"u1": {"words": "a {{b}}"}, "u2": {"words": ""}}
    annotation = tmp_path / "train.json"
    annotation.write_text(json.dumps(entries))
    (tmp_path / "units.txt").write_text("# seed: 1\nu1\tu3 u7\nu2\t\n")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "p1.txt").write_text("one  two\n")
    assert read_sentences(
        [annotation, tmp_path / "units.txt", tmp_path / "texts"]
    ) == ["a {b}", "u3 u7", "one two"]


@pytest.mark.parametrize("content", ["{", "[1]", '{"u1": {}}', '{"u1": 3}'])
def test_no_annotation(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(ValueError, match="a.json is no annotation"):
        read_sentences([tmp_path / "a.json"])


def test_folder_without_text(tmp_path):
    with pytest.raises(FileNotFoundError, match="has no .txt"):
        read_sentences([tmp_path])


def test_copies_are_held_out_together():
    sentences = [str(number % 20) for number in range(60)]
    training, held_out = hold_out(sentences, seed=3)
    assert len(held_out) == 2 and len(training) == 54
    assert not set(training) & set(held_out)
    assert hold_out(sentences[::-1], seed=3)[1] == held_out
    assert hold_out(sentences, seed=4)[1] != held_out


def test_held_out_lines_are_not_trained_on(tmp_path):
    seen = {}

    def make_tokenizer(sentences):
        seen["vocabulary"] = sentences
        return symbol_tokenizer(sentences, CHARACTERS, LOWER_CASE, 1, 32)

    def train(lines, tokenizer):
        seen["lines"] = {tokenizer.decode(line[1:-1]) for line in lines}
        return train_masked_lm(
            lines, tokenizer, 32, 1, steps=1, batch_symbols=64, lr=0.01,
            mask_rate=0.2, seed=0,
        )  # fmt: skip

    # The same but for the case: one sentence to the model.
    sentences = alternating() + [line.upper() for line in alternating()]
    make_lm(sentences, tmp_path / "lm", make_tokenizer, train, {}, seed=0)
    different = {line.lower() for line in sentences}
    trained = {line.replace(" ", "") for line in seen["lines"]}
    assert trained == set(seen["vocabulary"])
    assert len(different - trained) == round(0.1 * len(different))


def test_same_seed_same_model():
    tokenizer = symbol_tokenizer(alternating(), CHARACTERS, AS_WRITTEN, 1, 32)
    lines = encode(tokenizer, alternating())

    def weights(seed):
        model = train_masked_lm(
            lines, tokenizer, 32, 1, 3, 256, 0.01, 0.2, seed
        )
        return torch.cat([part.flatten() for part in model.parameters()])

    torch.manual_seed(5)
    first = weights(1)
    after = torch.rand(3)
    assert torch.equal(first, weights(1))
    assert not torch.equal(first, weights(2))
    torch.manual_seed(5)
    assert torch.equal(after, torch.rand(3))


def test_width_is_in_heads():
    tokenizer = symbol_tokenizer(["aabb"], CHARACTERS, AS_WRITTEN, 1, 32)
    with pytest.raises(ValueError, match="multiple of 32"):
        train_masked_lm([[2, 5, 3]], tokenizer, 100, 1, 1, 64, 0.01, 0.2, 0)


def test_the_masked_symbol_is_not_seen():
    def peeping(ids):
        return 50.0 * torch.nn.functional.one_hot(ids, FIRST_SYMBOL + 6)

    lines = [[2, 5, 6, 7, 3], [2, 8, 1, 8, 3]]
    assert masked_perplexity(peeping, lines, 4) == pytest.approx(6)


def test_unknown_symbols_are_no_targets():
    asked = []

    def predict(ids):
        asked.extend((ids == 4).nonzero()[:, 1].tolist())
        return torch.zeros(*ids.shape, FIRST_SYMBOL + 6)

    masked_perplexity(predict, [[2, 8, 1, 8, 3]], 4)
    assert asked == [1, 3]


def bigram_model(size=6):
    rng = np.random.default_rng(0)
    lines = [
        [0, *rng.integers(2, size - 1, 5).tolist(), 1] for _ in range(20)
    ]  # the last symbol is never seen
    lines[0][2] = size - 1
    return BigramModel(lines, size, first_symbol=2), lines


def test_bigram_probabilities_sum_to_one():
    model, _ = bigram_model()
    symbols = np.arange(2, 6)
    # Nothing comes before the begin, piece 0.
    for left, right in itertools.product(range(6), range(1, 6)):
        one = model.given_left(np.full(4, left), symbols)
        both = model.given_both(np.full(4, left), np.full(4, right), symbols)
        assert one.sum() == pytest.approx(1) and (one > 0).all()
        assert both.sum() == pytest.approx(1)


def test_bigram_by_hand():
    model, lines = bigram_model()
    pairs = [pair for line in lines for pair in zip(line, line[1:])]
    kinds = sorted(set(pairs))
    counts = [pairs.count(kind) for kind in kinds]
    discount = counts.count(1) / (counts.count(1) + 2 * counts.count(2))
    assert model.discount == pytest.approx(min(max(discount, 0.1), 0.9))

    def smoothed(left, right):
        total = sum(pair[0] == left for pair in pairs)
        follow = sum(kind[0] == left for kind in kinds)
        precede = sum(kind[1] == right for kind in kinds) / len(kinds)
        seen = max(pairs.count((left, right)) - model.discount, 0)
        return (seen + model.discount * follow * precede) / total

    left_only = {s: smoothed(2, s) for s in range(2, 6)}
    both = {s: smoothed(2, s) * smoothed(s, 4) for s in range(2, 6)}
    for s in range(2, 6):
        assert model.given_left([2], [s])[0] == pytest.approx(
            left_only[s] / sum(left_only.values())
        )
        assert model.given_both([2], [4], [s])[0] == pytest.approx(
            both[s] / sum(both.values())
        )


def test_bigram_perplexity_of_chains():
    lines = [[2, 5, 6, 7, 5, 6, 7, 3]] * 50
    model = BigramModel(lines, size=8, first_symbol=FIRST_SYMBOL)
    left, both = bigram_perplexities(model, lines)
    assert 1 <= both < left < 1.1


def test_long_lines_are_cut():
    tokenizer = symbol_tokenizer(["abcdef"], CHARACTERS, AS_WRITTEN, 1, 6)
    assert [len(line) for line in encode(tokenizer, ["abcdef", "abcd"])] == [
        6,
        4,
        6,
    ]


@pytest.mark.parametrize(
    "symbols, normalization, text, pieces",
    [
        (CHARACTERS, LOWER_CASE, " Éa’S  b", ["é", "a", "'", "s", " ", "b"]),
        (CHARACTERS, AS_WRITTEN, "E\u0301a", ["É", "a"]),
        (CHARACTERS, JOINED_CHARACTERS, "而 对 a b", list("而对 a b")),
        (BLANK_SEPARATED, AS_WRITTEN, "u1  u12 tʃ", ["u1", "u12", "tʃ"]),
    ],
)
def test_pieces(symbols, normalization, text, pieces, tmp_path):
    made = symbol_tokenizer([text], symbols, normalization, 1, 32)
    made.save_pretrained(tmp_path)
    from transformers import AutoTokenizer

    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert loaded.tokenize(text) == pieces
    assert loaded.mask_token == "[MASK]" and loaded.model_max_length == 32


def test_spans_refer_to_the_text_as_written():
    made = symbol_tokenizer(["ab c"], CHARACTERS, LOWER_CASE, 1, 32)
    coded = made(" AB  C", return_offsets_mapping=True)
    assert coded["offset_mapping"][1:3] == [(1, 2), (2, 3)]
    assert coded["offset_mapping"][4] == (5, 6)
