"""Scores of enhanced speech per utterance, computed beside the enhancement.

PESQ-WB (ITU-T P.862.2, package `pesq`), STOI and ESTOI (package `pystoi`),
SI-SDR in dB, and CSIG, CBAK, COVL (`cmkt_plugin.composite`).

Worker processes import this file: the scoring packages are imported where they
are used, torch nowhere, so that a worker starts in a fraction of a second.
"""

import warnings
from functools import cached_property

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
