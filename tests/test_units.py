"""Pieces become the same words whatever tokenizer cut them."""

import pytest
import torch

from cmkt_plugin.units import Sentence, SubWords, WholeWords, word_id

# "I don't know 你好 — A.": BERT cuts at the apostrophe, byte-level BPE keeps
# the space with the word and may cut inside a character
TEXT = "I don't know 你好 — A."
BERT = [
    ("i", 0, 1),
    ("don", 2, 5),
    ("'", 5, 6),
    ("t", 6, 7),
    ("kn", 8, 10),
    ("##ow", 10, 12),
    ("你", 13, 14),
    ("好", 14, 15),
    ("—", 16, 17),
    ("a", 18, 19),
    (".", 19, 20),
]
BYTE_LEVEL = [
    ("I", 0, 1),
    ("Ġdon", 1, 5),
    ("'t", 5, 7),
    ("Ġknow", 7, 12),
    ("Ġä", 12, 14),
    ("½ł", 13, 14),
    ("å¥½", 14, 15),
    ("ĠâĢĶ", 15, 17),
    ("ĠA", 17, 19),
    (".", 19, 20),
]
SENTENCE_PIECE = [
    ("▁I", 0, 1),
    ("▁don't", 1, 7),
    ("▁know", 7, 12),
    ("▁", 12, 13),
    ("你", 13, 14),
    ("好", 14, 15),
    ("▁—", 15, 17),
    ("▁A", 17, 19),
    (".", 19, 20),
]
WORDS = ["i", "don't", "know", "你", "好", "a"]


def sentence(cut, text=TEXT):
    return Sentence(
        text,
        list(range(len(cut))),
        [piece for piece, _, _ in cut],
        [(start, end) for _, start, end in cut],
    )


@pytest.mark.parametrize("cut", [BERT, BYTE_LEVEL, SENTENCE_PIECE])
def test_words_are_the_same_for_every_tokenizer(cut):
    result = WholeWords()(sentence(cut), torch.rand(len(cut), 3))
    assert result.tokens == WORDS
    assert result.token_ids.tolist() == [word_id(word) for word in WORDS]
    assert result.embeddings.shape == (6, 3)


def test_word_is_the_mean_of_its_pieces():
    embeddings = torch.rand(len(BERT), 3)
    words = WholeWords()(sentence(BERT), embeddings).embeddings
    torch.testing.assert_close(words[0], embeddings[0])
    torch.testing.assert_close(words[1], embeddings[1:4].mean(dim=0))
    torch.testing.assert_close(words[2], embeddings[4:6].mean(dim=0))
    torch.testing.assert_close(words[5], embeddings[9])


def test_punctuation_is_kept_when_asked_for():
    units = WholeWords(keep_punctuation=True)
    result = units(sentence(BERT), torch.rand(len(BERT), 3))
    assert result.tokens == WORDS[:5] + ["—", "a", "."]
    assert units.settings != WholeWords().settings


def test_cut_off_words_have_no_row():
    result = WholeWords()(sentence(BERT[:5]), torch.rand(5, 3))
    assert result.tokens == ["i", "don't", "know"]


def test_nothing_but_punctuation_gives_no_word():
    result = WholeWords()(sentence([("...", 0, 3)], "..."), torch.rand(1, 3))
    assert result.tokens == [] and result.embeddings.shape == (0, 3)
    assert result.token_ids.shape == (0,)
    assert result.token_ids.dtype == torch.int64


def test_sub_words_are_the_pieces():
    embeddings = torch.rand(len(BERT), 3)
    result = SubWords()(sentence(BERT), embeddings)
    assert torch.equal(result.embeddings, embeddings)
    assert result.token_ids.tolist() == list(range(len(BERT)))
    assert result.tokens[4:6] == ["kn", "##ow"]


def test_word_ids_are_stable_and_fit_a_signed_integer():
    # Python's own hash is salted anew in every process
    assert word_id("bear") == 6794908915877586325
    assert word_id("Don’t") == word_id("don't")
    assert len({word_id(str(i)) for i in range(2000)}) == 2000
    assert all(0 <= word_id(str(i)) < 2**63 for i in range(2000))
