"""The measurements at scale, on a corpus so small that they take no time."""

import importlib
import json

import pytest
from click.testing import CliRunner

from cmkt_plugin.cli import main
from cmkt_plugin.scale import corpus, first_batch, measurements
from cmkt_plugin.scale.process import measure_alone, peak_memory

ENTRIES, SENTENCES, CONTEXTUAL = 30, 24, 6
MEGABYTE = 10**6
WIDTH = 384

PART = """
filled = bytearray(30 * 10**6)
filled[::4096] = b"x" * len(filled[::4096])

def measure(size):
    own = bytearray(size)
    own[::4096] = b"x" * len(own[::4096])
    step = {"seconds": 1.0, "processor": 0.5}
    return {"steps": {"own": step}, "size": size}
"""


@pytest.fixture
def part(tmp_path, monkeypatch):
    """A module to measure, of which importing takes 30 MB."""
    (tmp_path / "part.py").write_text(PART)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    return "part"


def test_memory_is_the_own_and_told_from_the_imports(part, tmp_path):
    # Of this process: what runs in another must not be blamed for it.
    parents = bytearray(300 * MEGABYTE)
    parents[::4096] = b"x" * len(parents[::4096])
    assert peak_memory() > 300 * MEGABYTE
    found = measure_alone(part, {"size": 80 * MEGABYTE}, tmp_path)
    assert found["size"] == 80 * MEGABYTE
    assert 30 * MEGABYTE < found["import_memory"] < 80 * MEGABYTE
    above = found["peak_memory"] - found["import_memory"]
    assert 75 * MEGABYTE < above < 95 * MEGABYTE
    imported = found["steps"].pop("start, imports")
    assert 0 < imported["processor"] <= imported["seconds"] + 0.1
    assert found["steps"] == {"own": {"seconds": 1.0, "processor": 0.5}}


def test_a_failure_says_what_failed(part, tmp_path):
    with pytest.raises(RuntimeError, match="part failed:(.|\n)*TypeError"):
        measure_alone(part, {"width": 1}, tmp_path)


def test_corpora_repeat_and_differ_by_seed():
    words = ["we", "call", "it", "bear", "every", "day"]
    drawn = corpus.sentences(40, words)
    assert drawn == corpus.sentences(40, words)
    assert drawn != corpus.sentences(40, words, seed=2)
    # Fewer of them are the first ones.
    assert corpus.sentences(10, words) == drawn[:10]
    entries = corpus.annotation(drawn, "{name}.wav")
    assert len(entries) == 40
    for entry in entries.values():
        length = entry["length"] * corpus.WORDS_PER_SECOND
        assert len(entry["words"].split()) == round(length)


def in_this_process(module, settings, folder):
    """Stands in for a process each, which would import torch four times."""
    result = importlib.import_module(module).measure(**settings)
    if module.endswith("manifest"):
        with open(settings["output"]) as file:
            fixed = json.load(file)
        kinds = {bool(e["mixture"]["talkers"]) for e in fixed.values()}
        assert len(fixed) == ENTRIES and kinds == {True, False}
    imports = {"start, imports": {"seconds": 1.0, "processor": 0.5}}
    memory = {"import_memory": 10**8, "peak_memory": 12 * 10**7}
    return {**result, **memory, "steps": {**imports, **result["steps"]}}


def test_scale_measures_and_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(measurements, "measure_alone", in_this_process)
    (tmp_path / "room").mkdir()
    sizes = ("--entries", ENTRIES, "--sentences", SENTENCES)
    given = (*sizes, "--last-layer", CONTEXTUAL, "--folder", tmp_path / "room")
    words = ["scale", *given, "--output", tmp_path / "docs" / "scale"]
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    assert not list((tmp_path / "room").iterdir())
    text = (tmp_path / "docs" / "scale.md").read_text()
    assert text in done.stdout
    found = json.loads((tmp_path / "docs" / "scale.json").read_text())
    check_figures(found)
    rate = found["cache"]["rate"]
    assert f"- rate: {rate:,.0f} sentences/s\n" in text
    assert "- extrapolated, not measured: 24 sentences: " in text
    assert text.count("- peak memory: 120 MB (20 MB)\n") == 4
    assert text.count("| start, imports | 1.00 s | 0.50 s |\n") == 4
    total = sum(s["seconds"] for s in found["manifest"]["steps"].values())
    assert total > 1 and f"| total | {total:.2f} s |" in text
    assert f"- command: {found['provenance']['command']}" in text


def check_figures(found):
    assert found["manifest"]["entries"] == ENTRIES
    assert found["manifest"]["bytes"] > 200 * ENTRIES
    lengths = corpus.durations(SENTENCES)
    words = sum(round(s * corpus.WORDS_PER_SECOND) for s in lengths)
    cache, contextual = found["cache"], found["contextual"]
    assert (cache["sentences"], cache["tokens"]) == (SENTENCES, words)
    assert contextual["sentences"] == CONTEXTUAL
    for filled in (cache, contextual):
        # Two bytes a number, the identity, the string and the index.
        assert 2 * WIDTH + 8 < filled["bytes_per_token"] < 2 * WIDTH + 60
        step = filled["steps"]["embedded and written"]
        for rate, clock in (
            ("rate", "seconds"),
            ("processor_rate", "processor"),
        ):
            wanted = filled["sentences"] / step[clock]
            assert filled[rate] == pytest.approx(wanted)
    batch, tokens, width = found["first_batch"]["batch"]
    assert batch >= 1 and 1 <= tokens <= max(lengths) * 2.8 and width == WIDTH
    assert list(found["first_batch"]["steps"]) == [
        "start, imports",
        "teacher, transfer",
        "annotations",
        "cache scan",
        "token count, standardisation",
        "batch sampler",
        "first batch",
    ]


def test_the_first_batch_is_not_timed_with_an_unfilled_cache(tmp_path):
    entries = corpus.annotation(["we call it bear"], "a.wav")
    for entry in entries.values():
        entry["noisy_wav"] = entry["clean_wav"]
    path = tmp_path / "pairs.json"
    path.write_text(json.dumps(entries))
    with pytest.raises(ValueError, match="1 sentences are not in the cache"):
        first_batch.measure(str(path), str(tmp_path), str(tmp_path / "cache"))
