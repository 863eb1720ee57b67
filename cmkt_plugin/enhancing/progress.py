"""How far the enhancement of many files is, on standard error."""

import sys
import time

from tqdm import tqdm

EVERY = 30.0  # seconds between two lines where there is no terminal
BLINK = 0.1  # the same on one
LINE = "{percentage:3.0f}% |{bar}| {desc}"


class EnhancementProgress:
    """One line on a terminal; elsewhere a plain line now and then.

    Arguments
    ---------
    durations : dict
        File to seconds of audio: what remains is told by audio, as ten files
        may be a second or ten hours.
    stream : file
        Where to write; None takes standard error.

    Example
    -------
    >>> progress = EnhancementProgress({"a": 30.0, "b": 90.0}, sys.stdout)
    >>> progress.started -= 3.0
    >>> progress.describe(files=1, seconds=30.0)
    '1/2 files, 10.0 x real time, 0:09 left'
    """

    def __init__(self, durations, stream=None):
        self.files, self.total = len(durations), sum(durations.values())
        self.stream = stream or sys.stderr
        self.started = self.told = time.monotonic()
        self.bar = tqdm(
            total=self.total,
            bar_format=LINE,
            file=self.stream,
            disable=not self.stream.isatty(),
            leave=False,
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.bar.close()

    def update(self, files, seconds):
        """Tell how far it is.

        Arguments
        ---------
        files : int
            Files done, the failed ones included.
        seconds : float
            Audio done, without that of failed files.
        """
        now = time.monotonic()
        if now - self.told < (EVERY if self.bar.disable else BLINK):
            return
        self.told = now
        text = self.describe(files, seconds)
        if self.bar.disable:
            print(text, file=self.stream, flush=True)
        else:
            self.bar.n = min(seconds, self.total)
            self.bar.set_description_str(text)

    def leave_out(self, seconds):
        """Wait no more for the audio of a file that has failed."""
        self.total -= seconds
        self.bar.total = self.total

    def describe(self, files, seconds):
        """Files done, real-time factor, remaining time."""
        text = f"{files}/{self.files} files"
        if not seconds:
            return text
        speed = seconds / max(1e-9, time.monotonic() - self.started)
        left = clock((self.total - seconds) / speed)
        return f"{text}, {speed:.1f} x real time, {left} left"


def clock(seconds):
    """A duration in hours, minutes and seconds.

    Example
    -------
    >>> clock(59.6), clock(3723)
    ('1:00', '1:02:03')
    """
    minutes, seconds = divmod(round(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{seconds:02}"
    return f"{minutes}:{seconds:02}"
