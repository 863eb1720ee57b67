"""The file of transcripts: what goes in comes out, what cannot be is refused."""

import pytest

from cmkt_plugin.transcript_file import read_transcripts, write_transcripts

HEADER = {"model": "a/b: c", "side": "noisy", "utterances": 4}
TEXTS = {
    "BAC009S0002W0122": "而 对 楼市",
    "p226_001": "Please call Stella, C'est-à-dire # 3.",
    "silence": "",
    "with blank": "a: b",
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "asr" / "clean.txt"


def test_what_is_written_is_read(path):
    write_transcripts(path, TEXTS, HEADER)
    header, texts = read_transcripts(path)
    assert header == {key: str(value) for key, value in HEADER.items()}
    assert texts == TEXTS and list(texts) == list(TEXTS)
    assert "\r" not in path.read_bytes().decode("utf-8")


def test_white_space_of_a_text_becomes_single_blanks(path):
    odd = "one\ttwo\r\nthree\u2028four  five\x85\x0b six\n"
    write_transcripts(path, {"a": odd, "b": "x"}, {})
    assert read_transcripts(path)[1] == {
        "a": "one two three four five six",
        "b": "x",
    }


@pytest.mark.parametrize(
    "name", ["", "#1", "a\tb", "a\nb", "a\u2028b", " a", "a "]
)
def test_unfit_id_is_named_and_nothing_is_written(path, name):
    with pytest.raises(ValueError, match="cannot be written") as raised:
        write_transcripts(path, {"good": "text", name: "text"}, {})
    assert repr(name) in str(raised.value)
    assert not path.exists()


@pytest.mark.parametrize("entry", [("a:b", 1), ("a", "b\nc"), ("a\nb", "c")])
def test_unfit_header_is_refused(path, entry):
    with pytest.raises(ValueError, match="does not fit into one line"):
        write_transcripts(path, {}, dict([entry]))


def test_failed_write_leaves_the_old_file(path):
    write_transcripts(path, {"a": "old"}, {})
    with pytest.raises(ValueError):
        write_transcripts(path, {"a": "new", "#": ""}, {})
    assert read_transcripts(path)[1] == {"a": "old"}
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("line", ["alone", "a\tb\tc", "\ttext", " \ttext"])
def test_line_without_one_tab_is_named(path, line):
    write_transcripts(path, {"a": "first"}, {"side": "clean"})
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(ValueError, match="clean.txt, line 3: expected `id<TAB"):
        read_transcripts(path)


def test_repeated_id_is_named_with_both_lines(tmp_path):
    path = tmp_path / "twice.txt"
    path.write_text("# side: clean\np1\tone\np2\ttwo\np1\tthree\n")
    with pytest.raises(ValueError, match="line 4: .*'p1'.* line 2"):
        read_transcripts(path)


def test_hand_made_file(tmp_path):
    path = tmp_path / "hand.txt"
    path.write_bytes(b"# from Windows\r\np1\tone\r\n\r\np2\t\r\n")
    assert read_transcripts(path) == (
        {"from Windows": ""},
        {"p1": "one", "p2": ""},
    )


def test_other_encoding_is_said(tmp_path):
    path = tmp_path / "gbk.txt"
    path.write_bytes("p1\t而 对 楼市 成交\n".encode("gbk"))
    with pytest.raises(ValueError, match="gbk.txt.*GBK"):
        read_transcripts(path)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.txt"):
        read_transcripts(tmp_path / "none.txt")
