"""Pieces become the same words whatever tokenizer cut them."""

import pytest
import torch
from transformers import ByT5Tokenizer, CanineTokenizer

from cmkt_plugin.piece_spans import exact_spans, known_spans, spans_after
from cmkt_plugin.tokenization import Tokenization
from cmkt_plugin.units import (
    Characters,
    Sentence,
    SubWords,
    WholeWords,
    word_id,
)

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


def code_points(text):
    return sentence([(c, i, i + 1) for i, c in enumerate(text)], text)


def utf8_bytes(text):
    pieces = [chr(byte) for byte in text.encode("utf-8")]
    spans = exact_spans(text, pieces)
    return Sentence(text, list(range(len(pieces))), pieces, spans)


@pytest.mark.parametrize("cut", [code_points, utf8_bytes])
@pytest.mark.parametrize("text", ["我 们don't。\n", "é😀你 ½ a"])
def test_characters_of_code_points_and_bytes(cut, text):
    whole = cut(text)
    embeddings = torch.rand(len(whole.pieces), 3)
    result = Characters()(whole, embeddings)
    expected = [c for c in text if c.isalnum()]
    assert result.tokens == expected
    assert result.token_ids.tolist() == [word_id(c) for c in expected]
    for token, row in zip(expected, result.embeddings):
        place = text.index(token)
        start = len(text[:place].encode()) if cut is utf8_bytes else place
        size = len(token.encode()) if cut is utf8_bytes else 1
        own = embeddings[start : start + size]
        torch.testing.assert_close(row, own.mean(dim=0))


def test_words_of_code_points_and_bytes():
    for whole in (code_points(TEXT), utf8_bytes(TEXT)):
        result = WholeWords()(whole, torch.rand(len(whole.pieces), 3))
        assert result.tokens == WORDS


def test_characters_keep_punctuation_when_asked_for():
    units = Characters(keep_punctuation=True)
    result = units(code_points("I don't, 你。"), torch.rand(11, 3))
    assert result.tokens == list("idon't,你。")
    assert units.settings != Characters().settings
    assert units.settings["units"] == "Characters"


def test_a_letter_and_its_marks_are_one_character():
    text = "cafe\u0301 हिन्दी"
    result = Characters()(code_points(text), torch.rand(len(text), 3))
    assert result.tokens == ["c", "a", "f", "é", "हि", "न्दी"]
    words = WholeWords()(code_points(text), torch.rand(len(text), 3))
    assert words.tokens == ["café", "हिन्दी"]


def test_pieces_of_several_characters_are_no_characters():
    with pytest.raises(ValueError, match="'don' stands for 'don' in") as told:
        Characters()(sentence(BERT), torch.rand(len(BERT), 3))
    assert "canine_s.yaml" in str(told.value)
    # blank and character, or part of one, are one character
    part = [piece for piece in BYTE_LEVEL if 12 <= piece[1] < 15]
    result = Characters()(sentence(part), torch.rand(3, 3))
    assert result.tokens == ["你", "好"]


def test_words_of_the_same_pieces_are_one_token():
    cut = [("今天", 0, 2), ("天", 2, 3), ("气", 3, 4), ("好吗", 4, 6)]
    embeddings = torch.rand(4, 3)
    result = WholeWords()(sentence(cut, "今天天气好吗"), embeddings)
    assert result.tokens == ["今天", "天", "气", "好吗"]
    torch.testing.assert_close(result.embeddings, embeddings)


def test_one_known_piece_keeps_a_word_its_own():
    cut = [("[UNK]", 0, 1), ("[UNK]", 1, 2), ("[UNK]", 3, 4), ("b", 4, 5)]
    coded = Sentence(
        "xy zb", [1, 1, 1, 7], [c[0] for c in cut], [c[1:] for c in cut], 1
    )
    result = WholeWords()(coded, torch.rand(4, 3))
    assert result.tokens == ["[UNK]", "zb"]
    assert result.token_ids.tolist() == [word_id("[UNK]"), word_id("zb")]


def test_pieces_that_spell_another_text_have_no_places():
    assert exact_spans("你好", ["你", "们"]) is None
    assert exact_spans("é", ["Ã", "ª"]) is None
    assert exact_spans("", []) == []
    with pytest.raises(ValueError, match="does not spell 'a</s>'"):
        known_spans("a</s>", ["a"] + ["b"])


def test_special_tokens_in_a_transcript_are_characters():
    text = "a</s>é<pad>"
    for tokenizer, size in ((ByT5Tokenizer(), 12), (CanineTokenizer(), 11)):
        (coded,) = Tokenization(tokenizer, None)([text])
        assert len(coded.sentence.pieces) == size
        characters = Characters(keep_punctuation=True)
        result = characters(coded.sentence, torch.rand(size, 2))
        assert result.tokens == list(text)
    # CANINE's marks are code points: they say nothing.
    (coded,) = Tokenization(CanineTokenizer(), None)(["a\ue000b"])
    assert coded.sentence.pieces == ["a", "b"]
    assert coded.sentence.spans == [(0, 1), (2, 3)]


def test_a_lone_sign_of_a_word_start_is_no_part_of_the_word():
    pieces = ["▁", "你好", "▁ok"]
    spans = spans_after("", pieces, [(0, 1), (0, 2), (2, 5)])
    assert spans == [(0, 0), (0, 2), (2, 5)]
    cut = Sentence("你好 ok", [0, 1, 2], pieces, spans)
    result = WholeWords()(cut, torch.rand(3, 3))
    assert result.tokens == ["你好", "ok"]


def test_places_after_a_prefix():
    lead, pieces = "Say:", ["Say", ":", "Ġwe"]
    spans = [(0, 3), (3, 4), (4, 7)]
    assert spans_after(lead, pieces, spans) == [None, None, (0, 3)]
    with pytest.raises(ValueError, match="share the piece ':we'"):
        spans_after(lead, ["Say", ":we"], [(0, 3), (3, 6)])


@pytest.mark.parametrize("units", [SubWords(), WholeWords(), Characters()])
def test_a_transcript_is_read_as_it_is(units):
    assert units.spell(TEXT) == TEXT
