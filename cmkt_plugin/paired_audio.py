"""Checks pairs of clean and noisy recordings."""

from pathlib import Path

from cmkt_plugin.recordings import rate_fault, read_header
from cmkt_plugin.threads import map_in_threads


def list_wavs(folder):
    """Lists the wav files of a folder by name without extension.

    Hidden files are passed over: archives made on a Mac hold a ``._`` file
    beside each recording.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> for name in ("p226_001.wav", "._p226_001.wav", "p226_001.txt"):
    ...     (folder / name).touch()
    >>> list(list_wavs(folder))
    ['p226_001']
    """
    return {
        path.stem: path
        for path in sorted(Path(folder).iterdir())
        if path.suffix.lower() == ".wav" and not path.name.startswith(".")
    }


def check_pairs(clean, noisy, sample_rate, higher_rates=False, jobs=None):
    """Checks that clean and noisy recordings go together.

    Arguments
    ---------
    clean, noisy : dict
        Utterance to path, as from ``list_wavs``.
    sample_rate : int
        The rate expected (Hz).
    higher_rates : bool
        If True, a pair may have a higher rate (it is going to be resampled).
    jobs : int or None
        Threads that read headers; None takes as many as there are cores.

    Returns
    -------
    seconds : dict
        Utterance to duration, for the pairs that go together.
    faults : list of str
        One line for each pair that does not: file, found, expected.

    Example
    -------
    >>> import soundfile
    >>> folder = getfixture("tmp_path")
    >>> soundfile.write(folder / "clean.wav", [0.0] * 160, 16000)
    >>> soundfile.write(folder / "noisy.wav", [0.0] * 150, 16000)
    >>> clean, noisy = folder / "clean.wav", folder / "noisy.wav"
    >>> check_pairs({"p226_001": clean}, {"p226_001": clean}, 16000)
    ({'p226_001': 0.01}, [])
    >>> seconds, faults = check_pairs({"a": clean}, {"a": noisy}, 16000)
    >>> seconds, faults
    ({}, ['...noisy.wav: 150 samples, expected 160 as in ...clean.wav'])
    """
    faults = [
        f"{there[name]}: no {missing} file of that name, expected one"
        for there, other, missing in (
            (clean, noisy, "noisy"),
            (noisy, clean, "clean"),
        )
        for name in sorted(set(there) - set(other))
    ]
    names = sorted(set(clean) & set(noisy))
    paths = [folder[name] for name in names for folder in (clean, noisy)]
    headers = iter(map_in_threads(read_header, paths, "Reading headers", jobs))
    seconds = {}
    for name, clean_header, noisy_header in zip(names, headers, headers):
        fault = _pair_fault(
            (clean[name], clean_header),
            (noisy[name], noisy_header),
            sample_rate,
            higher_rates,
        )
        if fault:
            faults.append(fault)
        else:
            seconds[name] = clean_header.frames / clean_header.rate
    return seconds, faults


def _pair_fault(clean, noisy, sample_rate, higher_rates):
    """Says what is wrong with a pair of (path, header); "" for nothing."""
    for path, header in (clean, noisy):
        fault = rate_fault(header, sample_rate, higher_rates)
        if fault:
            return f"{path}: {fault}"
    for unit, found, expected in (
        ("Hz", noisy[1].rate, clean[1].rate),
        ("samples", noisy[1].frames, clean[1].frames),
    ):
        if found != expected:
            return (
                f"{noisy[0]}: {found} {unit}, expected {expected} as in "
                f"{clean[0]}"
            )
    return ""
