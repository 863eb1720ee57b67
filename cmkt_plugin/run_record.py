"""What a run records of itself: ``experiment.json``, ``test_summary.json``."""

import json

MAPPING, NUMBER, TEXT = (dict,), (int, float), (str,)
NOUNS = {MAPPING: "an object", NUMBER: "a number", TEXT: "a text"}
SUMMARY = {
    **dict.fromkeys(("scores", "noisy", "left_out", "valid"), MAPPING),
    **dict.fromkeys(("parameters", "epochs"), NUMBER),
    **dict.fromkeys(("best_epoch", "train_minutes"), NUMBER),
}
EXPERIMENT = {
    **dict.fromkeys(("command", "machine", "date", "version", "commit"), TEXT),
    **dict.fromkeys(("python", "torch", "speechbrain"), TEXT),
    "fingerprint": MAPPING,
}


def read_record(path, kinds):
    """Reads a record; an entry may be missing, but not of another kind.

    Arguments
    ---------
    path : pathlib.Path
        JSON that holds one object.
    kinds : dict
        ``SUMMARY`` or ``EXPERIMENT``: the kinds of its entries.

    Returns
    -------
    dict
        Without entries that are null.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        Naming the file, the entry, what was expected and what was found.

    Example
    -------
    >>> path = getfixture("tmp_path") / "test_summary.json"
    >>> _ = path.write_text('{"epochs": "ten"}')
    >>> read_record(path, SUMMARY)
    Traceback (most recent call last):
    ValueError: ...test_summary.json: 'epochs' is 'ten', expected a number...
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing: the run is not complete; run it again"
        )
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON: {error}")
    _check(path, "the whole", record, MAPPING)
    record = {name: v for name, v in record.items() if v is not None}
    for name in record.keys() & kinds.keys():
        _check(path, repr(name), record[name], kinds[name])
    return record


def check_entries(folder, name, record, wanted):
    """Refuses a record that lacks entries.

    Arguments
    ---------
    folder : str or pathlib.Path
        Of the run.
    name : str
        Of the file.
    record : dict
        What was read of it.
    wanted : sequence of str
        What must be there.

    Raises
    ------
    ValueError
        Naming them.
    """
    missing = [entry for entry in wanted if entry not in record]
    if missing:
        raise ValueError(
            f"{folder}/{name} has no {', '.join(missing)}: it is damaged or of "
            "an earlier version; run it again"
        )


def _check(path, name, value, kind):
    if not isinstance(value, kind):
        shown = repr(value)
        shown = shown if len(shown) <= 40 else f"{shown[:37]}..."
        raise ValueError(
            f"{path}: {name} is {shown}, expected {NOUNS[kind]}: the file is "
            "damaged; run it again"
        )
