"""Tests of the rules that make transcripts what a language model reads."""

import pytest
from hyperpyyaml import load_hyperpyyaml

from cmkt_plugin.text_normalization import (
    AsWritten,
    JoinedCharacters,
    LowerCase,
)

ENGLISH = 'HE\'D READ  CHAPTER 12, "ÉTUDES" – TWICE.'


@pytest.mark.parametrize(
    "text, joined",
    [
        ("而 对 楼市\t成交\u3000抑制  作用", "而对楼市成交抑制作用"),
        ("windows phone 是 一 个 平台", "windows phone 是一个平台"),
        ("在 a p p 上", "在 a p p 上"),
        ("二零一五 年 5 月 10 日", "二零一五年 5 月 10 日"),
        ("是 的 , 好 。 好", "是的 , 好 。 好"),
        ("ここ は 東京", "ここは東京"),
        (ENGLISH, ENGLISH),
        ("", ""),
    ],
)
def test_only_blanks_between_ideographs_go(text, joined):
    rule = JoinedCharacters()
    assert rule(text) == joined
    assert rule(joined) == joined


def test_lower_case_changes_nothing_but_capitals():
    assert LowerCase()(ENGLISH) == 'he\'d read  chapter 12, "études" – twice.'
    assert LowerCase()("而 对") == "而 对"


def test_as_written_changes_nothing():
    for text in (ENGLISH, "而 对 楼市", " {x} "):
        assert AsWritten()(text) == text


def test_a_rule_is_one_object_in_yaml():
    yaml = "rule: !new:cmkt_plugin.text_normalization.JoinedCharacters"
    assert load_hyperpyyaml(yaml)["rule"]("而 对") == "而对"
