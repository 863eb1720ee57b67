"""Times the steps of a piece of work."""

import time


class Stopwatch:
    """Seconds that passed, and seconds of processor time, step by step.

    The second tells what a step takes where the machine does other work too.

    Example
    -------
    >>> watch = Stopwatch()
    >>> watch.lap("first")
    >>> sorted(watch.steps["first"])
    ['processor', 'seconds']
    """

    def __init__(self):
        self.steps = {}
        self._clock, self._processor = time.perf_counter(), time.process_time()

    def lap(self, name):
        """Ends a step; the next one begins.

        Arguments
        ---------
        name : str
            Its name.
        """
        clock, processor = time.perf_counter(), time.process_time()
        self.steps[name] = {
            "seconds": clock - self._clock,
            "processor": processor - self._processor,
        }
        self._clock, self._processor = clock, processor
