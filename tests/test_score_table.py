"""Means over utterances, and the table on disk."""

import os

import pytest
from noisy_pairs import fill

from cmkt_plugin.score_pool import ScorePool
from cmkt_plugin.score_table import read_csv, summarize, write_csv


def test_summary_averages_what_is_there():
    rows = [
        {"id": "a", "pesq": 0.0, "stoi": None, "note": "short: stoi"},
        {"id": "b", "pesq": 4.0, "stoi": None, "note": "short: stoi"},
        {"id": "c", "pesq": None, "stoi": None, "note": "clean is silent"},
    ]
    assert summarize(rows) == {
        "scores": {"pesq": 2.0, "stoi": None},
        "count": {"pesq": 2, "stoi": 0},
        "left_out": {
            "a": "short: stoi",
            "b": "short: stoi",
            "c": "clean is silent",
        },
    }
    assert summarize([]) == {"scores": {}, "count": {}, "left_out": {}}


def test_csv_round_trip(tmp_path):
    path = tmp_path / "test_scores.csv"
    rows = fill(ScorePool(jobs=0)).gather()
    for row in rows:
        row["snr_db"] = str(row["snr_db"]) if "snr_db" in row else ""
    write_csv(rows, path)
    assert read_csv(path) == rows
    assert summarize(read_csv(path)) == summarize(rows)
    assert os.listdir(tmp_path) == ["test_scores.csv"]


def test_csv_header_is_the_agreed_one(tmp_path):
    path = tmp_path / "scores.csv"
    write_csv([{"id": "a", "speaker": "p1", "pesq": 2.0, "note": "x, y"}], path)
    assert path.read_text().splitlines() == [
        "id,speaker,pesq,stoi,estoi,si_sdr,csig,cbak,covl,note",
        'a,p1,2.0,,,,,,,"x, y"',
    ]


def test_failed_write_leaves_the_old_table(tmp_path):
    path = tmp_path / "scores.csv"
    write_csv([{"id": "a", "note": ""}], path)

    class Broken:
        def __str__(self):
            raise OSError("No space left on device")

    before = path.read_text()
    with pytest.raises(OSError, match="No space"):
        write_csv([{"id": "b", "note": Broken()}], path)
    assert path.read_text() == before
    assert os.listdir(tmp_path) == ["scores.csv"]


def test_wrong_table_is_refused(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("id,pesq\na,2.0\n")
    with pytest.raises(ValueError, match=r"other.csv .* lacks \['stoi'"):
        read_csv(path)
    with pytest.raises(FileNotFoundError, match="absent.csv"):
        read_csv(tmp_path / "absent.csv")
