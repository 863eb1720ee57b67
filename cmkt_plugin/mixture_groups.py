"""Groups of test utterances by noise level and kind of noise."""

import csv
import math
import re
from pathlib import Path
from typing import NamedTuple

from cmkt_plugin.mixing.entries import read_entries
from cmkt_plugin.mixing.mixture import Mixture

BAND = 5  # dB, where a manifest has SNRs without steps


class Row(NamedTuple):
    """An utterance and its groups."""

    name: str
    snr: float  # dB, lower end of the level
    level: str
    kind: str


def read_groups(mixtures):
    """Reads which test utterances belong together.

    Arguments
    ---------
    mixtures : str, pathlib.Path or None
        CSV with the columns ``file``, ``snr_db`` and ``noise``, or a manifest
        of mixtures (JSON), whose SNRs are put into bands of 5 dB unless all
        are multiples of that.

    Returns
    -------
    dict
        Grouping to (group to set of utterance ids), both sorted: by level, by
        kind, and by both, because a gain may show at a low level of one kind
        only. Empty for None.

    Example
    -------
    >>> path = getfixture("tmp_path") / "mixtures.csv"
    >>> _ = path.write_text("file,snr_db,noise\\na.wav,10,hum\\nb,-5,hum\\n")
    >>> read_groups(path)["SNR"]
    {'-5 dB': {'b'}, '10 dB': {'a'}}
    """
    if mixtures is None:
        return {}
    read = _read_manifest if Path(mixtures).suffix == ".json" else _read_table
    # Numerically: as text, 10 dB would come before 5 dB.
    rows = sorted(read(mixtures), key=lambda row: (row.kind, row.snr))
    kinds = {"SNR": {}, "noise": {}, "noise and SNR": {}}
    for row in sorted(rows, key=lambda row: row.snr):
        kinds["SNR"].setdefault(row.level, set()).add(row.name)
    for row in rows:
        kinds["noise"].setdefault(row.kind, set()).add(row.name)
        both = f"{row.kind}, {row.level}"
        kinds["noise and SNR"].setdefault(both, set()).add(row.name)
    return kinds


def _read_table(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"file", "snr_db", "noise"} <= rows[0].keys():
        raise ValueError(
            f"{path}: expected the columns file, snr_db and noise, found "
            f"{', '.join(rows[0]) if rows else 'no row'}"
        )
    return [
        Row(
            re.sub(r"\.(wav|flac)$", "", row["file"]),
            float(row["snr_db"]),
            f"{row['snr_db']} dB",
            row["noise"],
        )
        for row in rows
    ]


def _read_manifest(path):
    entries = read_entries(path)
    clean = [name for name, entry in entries.items() if "mixture" not in entry]
    if clean:
        raise ValueError(
            f"{path}: {clean[0]} has no mixture, expected a manifest as "
            "`cmkt manifest` writes it"
        )
    mixtures = {
        name: Mixture.from_json(entry["mixture"])
        for name, entry in entries.items()
    }
    # Drawn at fixed levels (snr_step), which are their own names.
    fixed = all(mixture.snr % BAND == 0 for mixture in mixtures.values())
    rows = []
    for name, mixture in mixtures.items():
        low = BAND * math.floor(mixture.snr / BAND)
        level = f"{low} dB" if fixed else f"{low} to {low + BAND} dB"
        rows.append(Row(name, low, level, mixture.kind))
    return rows
