"""Groups of test utterances by noise level and kind of noise."""

import csv
import re


def read_groups(mixtures):
    """Reads which test utterances belong together.

    Arguments
    ---------
    mixtures : str, pathlib.Path or None
        CSV with the columns ``file``, ``snr_db`` and ``noise``.

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
    with open(mixtures, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"file", "snr_db", "noise"} <= rows[0].keys():
        raise ValueError(
            f"{mixtures}: expected the columns file, snr_db and noise, found "
            f"{', '.join(rows[0]) if rows else 'no row'}"
        )
    # Numerically: as text, 10 dB would come before 5 dB.
    rows.sort(key=lambda row: (row["noise"], float(row["snr_db"])))
    kinds = {"SNR": {}, "noise": {}, "noise and SNR": {}}
    for row in rows:
        name = re.sub(r"\.(wav|flac)$", "", row["file"])
        level = f"{row['snr_db']} dB"
        kinds["SNR"].setdefault(level, set()).add(name)
        kinds["noise"].setdefault(row["noise"], set()).add(name)
        both = f"{row['noise']}, {level}"
        kinds["noise and SNR"].setdefault(both, set()).add(name)
    kinds["SNR"] = dict(
        sorted(kinds["SNR"].items(), key=lambda item: float(item[0][:-3]))
    )
    return kinds
