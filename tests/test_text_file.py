"""Tests of reading text in the right and in the wrong encoding."""

import shutil
import subprocess

import pytest

from cmkt_plugin.text_file import read_text

LINES = "S0002W0121 甚至 出现 交易\nS0002W0122 而 对 楼市\n"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "transcript.txt"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_utf8_with_and_without_a_mark_and_any_line_end(path, encoding, end):
    path.write_bytes(LINES.replace("\n", end).encode(encoding))
    assert read_text(path) == read_text(str(path)) == LINES


def test_an_empty_file_is_an_empty_text(path):
    path.touch()
    assert read_text(path) == ""


@pytest.mark.parametrize("encoding", ["GBK", "GB18030", "UTF-16"])
def test_another_encoding_is_named_with_the_way_out(path, encoding):
    # 㐂 is in GB18030 only.
    text = LINES + ("㐂\n" if encoding == "GB18030" else "")
    path.write_bytes(
        ("first\n" * (encoding != "UTF-16") + text).encode(encoding)
    )
    line = 1 if encoding == "UTF-16" else 2
    with pytest.raises(ValueError) as error:
        read_text(path)
    message = str(error.value)
    assert f"{path}: line {line} is not UTF-8" in message
    assert f"looks like {encoding};" in message
    assert f"iconv -f {encoding} -t UTF-8 '{path}' >" in message


@pytest.mark.skipif(not shutil.which("iconv"), reason="iconv is not installed")
def test_the_way_out_is_one(path):
    path.write_bytes(LINES.encode("GBK"))
    with pytest.raises(ValueError) as error:
        read_text(path)
    command = str(error.value).split("convert it: ")[1].split(", and")[0]
    subprocess.run(command, shell=True, check=True, cwd=path.parent)
    assert read_text(path.parent / "utf8.txt") == LINES


@pytest.mark.parametrize(
    "content",
    [
        "Ça va, café crème?".encode("latin-1"),
        # UTF-8 that was cut, and that is GB18030 as it happens.
        "而对\n楼市\n而对".encode()[:-2],
    ],
)
def test_what_is_not_gbk_is_not_called_so(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match="nor GBK") as error:
        read_text(path)
    assert "looks like" not in str(error.value)


def test_a_missing_file_is_named(path):
    with pytest.raises(FileNotFoundError, match="transcript.txt"):
        read_text(path)
