"""Phones: conversion, spelling, and a teacher that reads them."""

import json
import sys

import pytest
from hyperpyyaml import load_hyperpyyaml
from tiny_lm import SMALL, train_lm

from cmkt_plugin import g2p
from cmkt_plugin.g2p import EspeakPhones, PinyinPhones, g2p_of
from cmkt_plugin.phones import Phones
from cmkt_plugin.teacher import LanguageModelTeacher

WORDS = "Please call Stella.\nCall Stella, please!\nStella, call!\n"


@pytest.fixture(scope="module")
def phone_lm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phones")
    (folder / "text.txt").write_text(WORDS + "...\n")
    options = ["--phones", "en-us", *SMALL, "--steps", 2, "--min-count", 1]
    done = train_lm(folder / "text.txt", "-o", folder / "lm", *options)
    assert done.exit_code == 0, done.output
    return folder / "lm"


def test_teacher_reads_phones(phone_lm):
    phones = Phones(EspeakPhones("en-us"))
    teacher = LanguageModelTeacher(phone_lm, layer=-1, units=phones)
    call, nothing, zoo = teacher.embed(["Call, Stella!", "...", "zoo"])
    assert call.tokens == ["k", "ɔː", "l", "s", "t", "ɛ", "l", "ə"]
    assert call.embeddings.shape == (8, 32)
    assert nothing.tokens == []
    # As a phone, z is known from "please"; the vowel of "zoo" is not.
    assert zoo.tokens == ["z", "[UNK]"]
    assert teacher.counts["unknown"] == 1
    assert teacher.settings["language"] == "en-us"


def test_phones_are_those_of_the_normalized_text(tmp_path):
    """Capitals are spelled letter by letter: LibriSpeech has no others."""
    (tmp_path / "text.txt").write_text("TELL US\nTELL HER\nTELL US ALL\n")
    given = ["--phones", "en-us", *SMALL, "--steps", 1, "--min-count", 1]
    for rule in ("lower-case", "as-written"):
        options = [*given, "--normalization", rule]
        folder = tmp_path / rule
        done = train_lm(tmp_path / "text.txt", "-o", folder, *options)
        assert done.exit_code == 0, done.output
        report = json.loads((folder / "lm.json").read_text())
        assert report["normalization"] == rule
        vocabulary = json.loads((folder / "tokenizer.json").read_text())
        known = vocabulary["model"]["vocab"]
        # "j uː ɛ s": the letters U and S.
        assert ("uː" in known) == (rule == "as-written")


def test_phones_are_symbols_themselves(tmp_path):
    (tmp_path / "text.txt").write_text(WORDS)
    options = ["--phones", "en-us", "--symbols", "characters"]
    done = train_lm(tmp_path / "text.txt", "-o", tmp_path / "lm", *options)
    assert done.exit_code == 1
    assert "--symbols and --phones" in done.output


@pytest.mark.parametrize("part", ["phones", "characters", "units"])
def test_parts(part, phone_lm, pytestconfig):
    path = pytestconfig.rootpath / "hparams" / "teachers" / f"{part}.yaml"
    with path.open() as file:
        loaded = load_hyperpyyaml(file, {"source": str(phone_lm)})
    (texts,) = loaded["teacher"].embed(["s t l"])
    assert texts.embeddings.shape[1] == 32 and texts.tokens


def test_stress_is_an_option():
    assert "ˈ" not in "".join(EspeakPhones("en-us")("Stella"))
    assert "ˈɛ" in EspeakPhones("en-us", stress=True)("Stella")
    settings = [EspeakPhones("en-us", stress=s).settings for s in (0, 1)]
    assert settings[0] != settings[1]


def test_punctuation_is_not_spoken():
    english = EspeakPhones("en-us")
    for text in ("", " ", "...", "?!", "—"):
        assert english(text) == []
    assert english("We, call: it bear!") == english("We call it bear")


def test_numbers_are_read_out():
    assert EspeakPhones("en-us")("2") == EspeakPhones("en-us")("two")


def test_languages_do_not_mix():
    german, english = EspeakPhones("de"), EspeakPhones("en-us")
    first = german("Vater"), english("father")
    assert (german("Vater"), english("father")) == first
    assert first[0][0] == first[1][0] == "f"
    assert german("Vater") != english("Vater")


def test_unknown_language():
    with pytest.raises(ValueError, match="no language 'xx'.*en-us.*Pinyin"):
        EspeakPhones("xx")("a")


def test_pinyin():
    mandarin = g2p_of("cmn")
    assert mandarin("银行") == ["in2", "h", "ang2"]
    assert mandarin("行走") == ["x", "ing2", "z", "ou3"]  # the same character
    assert mandarin("作用 最大") == mandarin("作用最大")
    assert mandarin("ab, 1。") == []
    assert PinyinPhones(tones=False)("银行") == ["in", "h", "ang"]


def test_settings_tell_the_version():
    from importlib.metadata import version

    found = PinyinPhones().settings["g2p"]
    assert found == f"pypinyin {version('pypinyin')}"
    assert EspeakPhones("en-us").settings["g2p"].startswith("espeak-ng 1.")


@pytest.mark.parametrize(
    "convert, package",
    [
        (EspeakPhones("en-us"), "phonemizer.backend"),
        (PinyinPhones(), "pypinyin"),
    ],
)
def test_missing_package_is_named(convert, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    g2p._espeak.cache_clear()
    with pytest.raises(ImportError, match=r"pip install 'cmkt_plugin\[phones"):
        convert("a")


class Spelling:
    """Letters for phones; counts its calls."""

    settings = {"g2p": "letters"}
    calls = 0

    def __call__(self, text):
        self.calls += 1
        return list(text)


def test_each_text_is_converted_once():
    letters = Spelling()
    phones = Phones(letters)
    assert phones.spell("ab") == phones.spell("ab") == "a b"
    assert phones.spell("b") == "b" and letters.calls == 2
    assert phones.settings == {"units": "Phones", "g2p": "letters"}


def test_espeak_comes_with_the_package():
    from phonemizer.backend.espeak.wrapper import EspeakWrapper

    # Not the system's, which has other voices or is not there.
    EspeakPhones("en-us")("a")
    espeak = EspeakWrapper()
    for path in (espeak.library_path, espeak.data_path):
        assert "espeakng_loader" in str(path)
