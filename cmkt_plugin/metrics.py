"""Scores of enhanced speech per utterance, computed beside the enhancement.

PESQ-WB (ITU-T P.862.2, package `pesq`), STOI and ESTOI (package `pystoi`),
SI-SDR in dB, and CSIG, CBAK, COVL (`cmkt_plugin.composite`).

Worker processes import this file: the scoring packages are imported where they
are used, torch nowhere, so that a worker starts in a fraction of a second.
"""

import csv
import os
import warnings
from functools import cached_property
from pathlib import Path

import numpy as np

METRICS = ("pesq", "stoi", "estoi", "si_sdr", "csig", "cbak", "covl")
PESQ_LIMIT = 30  # seconds
NEED_16_KHZ = ("pesq", "csig", "cbak", "covl")
SILENCE = 2.0**-15  # one step of 16-bit audio: what moves less is no sound
EPS = np.finfo(np.float64).eps


class NotScorable(ValueError):
    """The metric is not defined for this pair; the message says why."""


def score(enhanced, clean, rate=16000, metrics=METRICS):
    """Scores of one utterance; a metric that cannot be computed is None.

    Arguments
    ---------
    enhanced : numpy.ndarray
        Enhanced waveform (time,), float, full scale +-1.
    clean : numpy.ndarray
        Its reference, of the same length.
    rate : int
        Sampling rate in Hz; PESQ-WB and what is built on it need 16000.
    metrics : sequence of str
        Which of METRICS to compute.

    Returns
    -------
    scores : dict
        Metric to float or None.
    note : str
        Why metrics are missing; empty if none is.

    Raises
    ------
    ValueError
        If the lengths differ, an array is no float waveform, a metric is
        unknown or not defined at this rate.

    Example
    -------
    >>> clean = np.sin(np.arange(3200) / 10)
    >>> score(0.5 * clean, clean, metrics=["pesq", "csig"])
    ({'pesq': None, 'csig': None}, 'shorter than 0.25 s: pesq, csig')
    """
    check_metrics(metrics, rate)
    check_pair(enhanced, clean)
    scores, missing = dict.fromkeys(metrics), {}
    flaw = describe_flaw(enhanced, "enhanced") or describe_flaw(clean, "clean")
    if flaw:
        return scores, flaw
    pair = Pair(enhanced, clean, rate)
    for metric in metrics:
        try:
            value = float(getattr(pair, metric))
            if not np.isfinite(value):
                raise NotScorable(f"came out as {value}")
            scores[metric] = value
        except NotScorable as reason:
            missing.setdefault(str(reason), []).append(metric)
    return scores, "; ".join(
        f"{why}: {', '.join(m)}" for why, m in missing.items()
    )


class Pair:
    """One utterance and its reference; every metric is an attribute.

    Arguments
    ---------
    enhanced, clean : numpy.ndarray
        Waveforms (time,).
    rate : int
        Sampling rate in Hz.

    Example
    -------
    >>> clean = np.sin(np.arange(16000) / 10)
    >>> bool(Pair(clean, clean, 16000).si_sdr > 150)
    True
    """

    def __init__(self, enhanced, clean, rate):
        self.enhanced = np.asarray(enhanced, dtype=np.float64)
        self.clean = np.asarray(clean, dtype=np.float64)
        self.rate = rate

    @cached_property
    def pesq(self):
        """PESQ-WB (MOS-LQO, at most 4.64)."""
        import pesq

        # beyond 50 utterances its C code writes past its arrays (crashes)
        if len(self.clean) > PESQ_LIMIT * self.rate:
            raise NotScorable(f"longer than {PESQ_LIMIT} s")
        try:
            return pesq.pesq(self.rate, self.clean, self.enhanced, "wb")
        except pesq.BufferTooShortError:
            raise NotScorable("shorter than 0.25 s") from None
        except pesq.PesqError as error:
            name = type(error).__name__
            raise NotScorable(f"PESQ finds no speech ({name})") from None

    @cached_property
    def composite(self):
        """CSIG, CBAK, COVL by name; None is computed without PESQ."""
        from cmkt_plugin.composite import composite

        pesq = self.pesq
        try:
            return composite(self.enhanced, self.clean, pesq)
        except ValueError as error:
            raise NotScorable(str(error)) from None

    csig = property(lambda self: self.composite["csig"])
    cbak = property(lambda self: self.composite["cbak"])
    covl = property(lambda self: self.composite["covl"])
    stoi = property(lambda self: self._intelligibility(extended=False))
    estoi = property(lambda self: self._intelligibility(extended=True))
    si_sdr = property(lambda self: si_sdr(self.enhanced, self.clean))

    def _intelligibility(self, extended):
        import pystoi

        # pystoi draws from numpy's global generator: the caller's stays as it
        # is and a score does not depend on what was scored before
        state = np.random.get_state()
        np.random.seed(0)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", RuntimeWarning)
                return pystoi.stoi(
                    self.clean, self.enhanced, self.rate, extended
                )
        except (RuntimeWarning, ValueError, IndexError):
            # its way to say that less than one segment of speech is left
            raise NotScorable("less than 0.4 s of speech") from None
        finally:
            np.random.set_state(state)


def si_sdr(enhanced, clean):
    """Scale-invariant signal-to-distortion ratio in dB.

    Le Roux et al., "SDR - half-baked or well done?", ICASSP 2019:
    10 log10(|a s|^2 / |a s - e|^2) with a = <e, s> / |s|^2, here of signals
    whose mean has been taken off, as in SpeechBrain's `cal_si_snr` (which
    needs torch). Double precision limits it to +-156.5 dB.

    Arguments
    ---------
    enhanced, clean : numpy.ndarray
        Waveforms (time,), not silent.

    Returns
    -------
    float

    Example
    -------
    >>> t = np.arange(1600) / 1600
    >>> clean, noise = np.sin(2 * np.pi * 50 * t), np.cos(2 * np.pi * 50 * t)
    >>> round(si_sdr(clean + 0.1 * noise, clean), 6)
    20.0
    """
    s, e = clean - clean.mean(), enhanced - enhanced.mean()
    target = (e @ s) / (s @ s) * s
    floor = EPS * (e @ e)
    distortion = max((target - e) @ (target - e), floor)
    return float(10 * np.log10(max(target @ target, floor) / distortion))


def check_metrics(metrics, rate):
    """Refuse unknown metrics and those not defined at this rate."""
    unknown = [metric for metric in metrics if metric not in METRICS]
    if unknown or not metrics:
        raise ValueError(
            f"Unknown metrics {unknown}: expected some of {list(METRICS)}."
        )
    wide_band = [metric for metric in metrics if metric in NEED_16_KHZ]
    if rate != 16000 and wide_band:
        raise ValueError(
            f"{wide_band} need 16000 Hz, got {rate} Hz: resample, or choose "
            f"among {[m for m in METRICS if m not in NEED_16_KHZ]}."
        )


def check_pair(enhanced, clean, name="pair"):
    """Refuse what is no pair of float waveforms (time,) of equal length."""
    for role, wave in (("enhanced", enhanced), ("clean", clean)):
        wave = np.asarray(wave)
        if wave.ndim != 1 or not np.issubdtype(wave.dtype, np.floating):
            raise ValueError(
                f"{name}: {role} must be float samples (time,) of full scale "
                f"+-1, found {wave.dtype} of shape {wave.shape}."
            )
    if len(enhanced) != len(clean):
        raise ValueError(
            f"{name}: enhanced has {len(enhanced)} samples, clean has "
            f"{len(clean)}: score equal lengths, without padding."
        )


def describe_flaw(wave, role):
    """Why nothing can be computed from a waveform; empty if something can."""
    if not len(wave):
        return f"{role} is empty"
    if not np.isfinite(wave).all():
        return f"{role} has NaN or infinite samples"
    return f"{role} is silent" if np.ptp(wave) < SILENCE else ""


class ScorePool:
    """Scores utterances in worker processes while the next are enhanced.

    PESQ is C code that holds the interpreter's lock: threads would not do.

    Arguments
    ---------
    jobs : int
        Number of processes; 0 or 1 scores in this one, None takes all cores
        (16 at most: PESQ is then rarely what one waits for).
    rate : int
        Sampling rate in Hz.
    metrics : sequence of str
        Which of METRICS to compute.

    Example
    -------
    >>> pool = ScorePool(jobs=0, metrics=["si_sdr"])
    >>> clean = np.sin(np.arange(16000) / 10)
    >>> pool.submit("p226_001", np.zeros(16000), clean, speaker="p226")
    >>> pool.gather()
    [{'id': 'p226_001', 'speaker': 'p226', 'si_sdr': None,
      'note': 'enhanced is silent'}]
    """

    WAITING = 16  # utterances per process held in memory before submit waits

    def __init__(self, jobs=None, rate=16000, metrics=METRICS):
        check_metrics(metrics, rate)
        if jobs is None:
            import joblib

            jobs = min(joblib.cpu_count(), 16)
        if jobs < 0:
            raise ValueError(f"jobs must be None or at least 0, got {jobs}.")
        self.jobs, self.rate, self.metrics = jobs, rate, tuple(metrics)
        self._pending = {}  # id: function that waits for the row

    def submit(self, utterance_id, enhanced, clean, **columns):
        """Queue one utterance; columns (e.g. speaker) are put in its row."""
        check_pair(enhanced, clean, utterance_id)
        if utterance_id in self._pending:
            raise ValueError(f"{utterance_id} was already submitted.")
        # copies: the caller may write into its buffers while these wait
        pair = np.array(enhanced), np.array(clean)
        job = (utterance_id, columns, *pair, self.rate, self.metrics)
        if self.jobs <= 1:
            row = _row(*job)
            self._pending[utterance_id] = lambda: row
            return
        self._pending[utterance_id] = self._executor().submit(_row, *job).result
        waiting = list(self._pending)[: -self.WAITING * self.jobs]
        if waiting:
            self._wait(waiting[-1])

    def gather(self):
        """Rows of all utterances, in the order of submission.

        Returns
        -------
        list of dict
            id, the columns given, the metrics, note.

        Raises
        ------
        RuntimeError
            If a worker process died.
        """
        try:
            return [self._wait(utterance_id) for utterance_id in self._pending]
        finally:
            self._pending = {}

    def _wait(self, utterance_id):
        from joblib.externals.loky import BrokenProcessPool

        try:
            return self._pending[utterance_id]()
        except BrokenProcessPool as error:
            raise RuntimeError(
                f"A scoring process died at {utterance_id} or at one of the "
                f"{self.jobs} after it ({error}). Out of memory: take fewer "
                "jobs. Otherwise: score these with jobs=0 to find which."
            ) from error

    def _executor(self):
        # loky starts workers without importing the training script again
        from joblib.externals.loky import get_reusable_executor

        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        return get_reusable_executor(self.jobs, timeout=60, env=threads)


def _row(utterance_id, columns, enhanced, clean, rate, metrics):
    scores, note = score(enhanced, clean, rate, metrics)
    return {"id": utterance_id, **columns, **scores, "note": note}


def summarize(rows):
    """Mean of each metric over the utterances that have it.

    Arguments
    ---------
    rows : list of dict
        As `ScorePool.gather` gives them.

    Returns
    -------
    dict
        scores (metric to mean, None if no utterance has it), count (metric to
        number of utterances averaged), left_out (id to reason: utterances that
        miss at least one metric).

    Example
    -------
    >>> good = {"id": "a", "pesq": 2.0, "note": ""}
    >>> summarize([good, {"id": "b", "pesq": None, "note": "clean is silent"}])
    {'scores': {'pesq': 2.0}, 'count': {'pesq': 1},
     'left_out': {'b': 'clean is silent'}}
    """
    scores, count = {}, {}
    for metric in METRICS:
        column = [row[metric] for row in rows if metric in row]
        values = [value for value in column if value is not None]
        if column:
            scores[metric] = float(np.mean(values)) if values else None
            count[metric] = len(values)
    left_out = {row["id"]: row["note"] for row in rows if row["note"]}
    return {"scores": scores, "count": count, "left_out": left_out}


def write_csv(rows, path):
    """Write rows as CSV: id, speaker, further columns, METRICS, note.

    The file appears complete or not at all; None becomes an empty field.

    Arguments
    ---------
    rows : list of dict
        As `ScorePool.gather` gives them.
    path : str or Path
        File to write.
    """
    path = Path(path)
    fixed = {"id", "speaker", *METRICS, "note"}
    further = {key: None for row in rows for key in row if key not in fixed}
    header = ["id", "speaker", *further, *METRICS, "note"]
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, header, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def read_csv(path):
    """Read what `write_csv` wrote; metrics are floats or None, the rest text.

    Arguments
    ---------
    path : str or Path
        File to read.

    Returns
    -------
    list of dict

    Raises
    ------
    ValueError
        If the file is no table of scores; it names the missing columns.
    """
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows, header = list(reader), reader.fieldnames or []
    missing = [c for c in ("id", *METRICS, "note") if c not in header]
    if missing:
        raise ValueError(
            f"{path} is no table of scores: it lacks {missing}, has {header}."
        )
    for row in rows:
        row.update((m, float(row[m]) if row[m] else None) for m in METRICS)
    return rows
