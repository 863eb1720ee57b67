"""Which text the training gets: its source, its part, its errors."""

import logging

import pytest
from speechbrain.utils.edit_distance import accumulatable_wer_stats

from cmkt_plugin.text_normalization import JoinedCharacters, LowerCase
from cmkt_plugin.transcript_file import write_transcripts
from cmkt_plugin.transcripts import Transcripts
from cmkt_plugin.word_errors import WordErrors

VOCABULARY = (
    "please call stella ask her to bring these things from store".split()
)


def corpus(utterances=400, length=10):
    words = len(VOCABULARY)
    return {
        f"p{n:03d}": " ".join(
            VOCABULARY[(n * 7 + k * k) % words] for k in range(length)
        )
        for n in range(utterances)
    }


def split(train, valid=None):
    return {"train": train, "valid": valid or {"v": "We call it bear."}}


def test_the_corpus_text_is_kept_and_normalised():
    words = split({"a": "GO DO", "b": ""})
    texts = Transcripts(normalization=LowerCase()).texts(words)
    assert texts == split({"a": "go do", "b": ""}, {"v": "we call it bear."})
    assert words["train"]["a"] == "GO DO"


def test_none_is_no_text_for_training_and_its_own_for_validation():
    texts = Transcripts(source="none").texts(split({"a": "go"}))
    assert texts == split({"a": ""})


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.5])
def test_a_fraction_keeps_its_text(fraction):
    train = {**corpus(), "silent": ""}
    kept = Transcripts(fraction=fraction, seed=1).texts(split(train))["train"]
    with_text = {u for u, text in kept.items() if text}
    assert len(with_text) == fraction * 400 and list(kept) == list(train)
    assert all(kept[u] == train[u] for u in with_text)
    larger = Transcripts(fraction=0.7, seed=1).texts(split(train))["train"]
    assert with_text <= {u for u, text in larger.items() if text}
    other = Transcripts(fraction=fraction, seed=2).texts(split(train))["train"]
    assert other != kept or fraction == 0


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.6])
def test_the_word_error_rate_is_the_one_asked_for(rate, caplog):
    right = corpus()
    with caplog.at_level(logging.INFO, "cmkt_plugin"):
        wrong = WordErrors(rate, seed=3)(right)
    stats = accumulatable_wer_stats(
        [text.split() for text in right.values()],
        [text.split() for text in wrong.values()],
    )
    # Errors that meet count as one: fewer than asked for, never more.
    assert 0.85 * rate < stats["WER"] / 100 < 1.1 * rate
    edits = [stats[name] for name in ("insertions", "deletions")]
    assert min(edits) > 0.15 * rate * 4000
    assert f"{stats['WER']:.1f} %" in caplog.text
    assert set(" ".join(wrong.values()).split()) <= set(VOCABULARY)


def test_errors_depend_on_seed_and_name_only():
    right = corpus(40)
    wrong = WordErrors(0.5, seed=1)(right)
    turned = dict(reversed(right.items()))
    assert WordErrors(0.5, seed=2)(right) != wrong
    again = WordErrors(0.5, seed=1)(right)
    assert again == wrong
    assert {len(text.split()) for text in wrong.values()} != {10}
    assert WordErrors(0.5, seed=1)(turned) == wrong


def test_errors_do_not_choose_the_utterances_that_keep_their_text():
    """One draw for both would corrupt the first word of all that are kept."""
    train = corpus(1000)
    texts = Transcripts(fraction=0.2, word_error_rate=0.3).texts(split(train))
    kept = {u: t.split() for u, t in texts["train"].items() if t}
    wrong = [t[0] != train[u].split()[0] for u, t in kept.items()]
    assert 0.1 < sum(wrong) / len(wrong) < 0.4


def test_characters_are_the_words_of_mandarin():
    right = {f"u{n}": "而对楼市成交抑制作用最大的限购" for n in range(50)}
    wrong = WordErrors(0.3, seed=1)(right)
    assert wrong["u1"] != wrong["u2"]
    assert not any(" " in text for text in wrong.values())
    assert JoinedCharacters()("而 对 楼市") == "而对楼市"


def test_recognised_text_is_read_and_validation_keeps_the_corpus(tmp_path):
    texts = {"a": "GO THERE", "other": "X"}
    write_transcripts(tmp_path / "asr_noisy_train.txt", texts, {"model": "m"})
    source = Transcripts(
        "asr_noisy", folder=tmp_path, normalization=LowerCase()
    )
    words = split({"a": "go where", "b": "stay"})
    assert source.texts(words)["train"] == {"a": "go there", "b": ""}
    assert source.texts(words)["valid"] == {"v": "we call it bear."}


def test_without_corpus_text_validation_takes_the_recognised_one(tmp_path):
    for name, texts in (("train", {"a": "go"}), ("valid", {"v": "stay"})):
        write_transcripts(tmp_path / f"asr_clean_{name}.txt", texts, {})
    source = Transcripts("asr_clean", folder=tmp_path)
    words = {"train": {"a": ""}, "valid": {"v": ""}}
    assert source.texts(words) == split({"a": "go"}, {"v": "stay"})


def test_units_are_read_for_validation_too(tmp_path):
    for name, texts in (("train", {"a": "u1 u2"}), ("valid", {"v": "u3"})):
        write_transcripts(tmp_path / f"units_{name}.txt", texts, {})
    source = Transcripts("units", folder=tmp_path)
    assert source.texts(split({"a": "go"}))["valid"] == {"v": "u3"}


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"source": "asr"}, "asr_clean, asr_noisy"),
        ({"source": "asr_clean"}, "cmkt transcribe"),
        ({"fraction": 1.5}, "fraction is 1.5"),
        ({"word_error_rate": -0.1}, "word_error_rate is -0.1"),
    ],
)
def test_wrong_values_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Transcripts(**arguments)


def test_text_of_the_other_side_is_refused(tmp_path):
    path = tmp_path / "asr_noisy_train.txt"
    write_transcripts(path, {"a": "go"}, {"side": "clean"})
    source = Transcripts("asr_noisy", folder=tmp_path)
    with pytest.raises(ValueError, match="made of the clean side.*noisy"):
        source.texts(split({"a": "go"}))
    write_transcripts(path, {"a": "go"}, {"side": "noisy"})
    assert source.texts(split({"a": "no"}))["train"] == {"a": "go"}


def test_missing_and_foreign_files_are_refused(tmp_path):
    source = Transcripts("asr_clean", folder=tmp_path)
    with pytest.raises(
        FileNotFoundError, match="cmkt transcribe.*--side clean"
    ):
        source.texts(split({"a": "go"}))
    write_transcripts(tmp_path / "asr_clean_train.txt", {"z": "go"}, {})
    with pytest.raises(ValueError, match="another annotation"):
        source.texts(split({"a": "go"}))


def test_one_word_cannot_be_corrupted():
    with pytest.raises(ValueError, match="1 different words"):
        WordErrors(0.5, seed=1)({"a": "go go"})
