"""Scoring in worker processes, beside the enhancement."""

import numpy as np

from cmkt_plugin.metrics import METRICS, check_metrics, check_pair, score


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
