"""Enhances many recordings in threads that share one model."""

import errno
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import NamedTuple

import torch
from speechbrain.utils.parallel import get_available_cpu_count

from cmkt_plugin.enhancing.progress import EnhancementProgress
from cmkt_plugin.enhancing.sound_files import SoundFiles
from cmkt_plugin.enhancing.work_meter import Stopped, WorkMeter
from cmkt_plugin.leftovers import remove_leftovers
from cmkt_plugin.threads import map_in_threads

TICK = 0.5  # seconds between two looks at how far it is
ROOM = 2  # times the size of an input: free space that its output may need


@dataclass
class Outcome:
    """What came of enhancing many files.

    Arguments
    ---------
    finished : dict
        Source to its seconds of audio.
    failed : dict
        Source to the reason.
    wall : float
        Seconds that it took.
    stopped : str
        Why not every file was tried; empty if every one was.
    interrupted : bool
        Whether that was the user.
    """

    finished: dict = field(default_factory=dict)
    failed: dict = field(default_factory=dict)
    wall: float = 0.0
    stopped: str = ""
    interrupted: bool = False


class _Work(NamedTuple):
    """What the threads share."""

    model: object
    kind: SoundFiles
    options: dict
    durations: dict  # source: seconds
    meter: WorkMeter
    outcome: Outcome
    note: object
    tried: SimpleQueue  # the files that had their turn


def enhance_files(
    model, targets, jobs=None, note=None, kind=SoundFiles(), **options
):
    """Enhances files; a bad one does not keep the others from it.

    Arguments
    ---------
    model : cmkt_plugin.inference.CMKTEnhancement
        The model.
    targets : dict
        Source to target, as ``plan_files`` gives it. Targets that exist are
        replaced; each appears whole or not at all.
    jobs : int or None
        Threads; None takes as many as there are cores, or one on a GPU.
    note : callable or None
        Called with the ``os.stat_result`` of a source, from before it was
        read, and the target, once that is finished; in several threads.
    kind : SoundFiles
        What kind of files they are.
    **options
        Of its ``enhance``: ``dry_wet``, ``keep_high_band``.

    Returns
    -------
    Outcome
        Also after a Ctrl-C, and where the disk is full: what was finished.
    """
    begun = time.monotonic()
    for folder in {target.parent for target in targets.values()}:
        remove_leftovers(folder)
    durations, faults = _read_headers(targets, kind)
    outcome = Outcome(failed=faults)
    meter = WorkMeter(model)
    with (
        meter.watch(),
        EnhancementProgress(durations) as progress,
        _threads(min(jobs or _default_jobs(model), len(durations))) as pool,
    ):
        work = _Work(
            *(model, kind, options, durations),
            *(meter, outcome, note, SimpleQueue()),
        )
        try:
            # The longest first: at the end, all would wait for them.
            for source in sorted(durations, key=durations.get, reverse=True):
                pool.submit(_attempt, work, source, targets[source])
            _wait(work, progress)
        except KeyboardInterrupt:
            outcome.stopped, outcome.interrupted = "interrupted", True
        finally:
            meter.stop()
            pool.shutdown(cancel_futures=True)
    # In the order in which they were given.
    failed = outcome.failed
    outcome.failed = {s: failed[s] for s in targets if s in failed}
    outcome.wall = time.monotonic() - begun
    return outcome


def _read_headers(targets, kind):
    """Seconds of audio by source, and what is wrong with the others."""
    headers = map_in_threads(kind.header, list(targets), "Reading headers")
    durations, faults = {}, {}
    for source, header in zip(targets, headers):
        if header.fault:
            faults[source] = header.fault
        else:
            durations[source] = header.frames / header.rate
    return durations, faults


def _default_jobs(model):
    on_cpu = torch.device(model.device).type == "cpu"
    return get_available_cpu_count() if on_cpu else 1


@contextmanager
def _threads(jobs):
    """A pool that has as many threads of torch as there were without it."""
    before = torch.get_num_threads()
    each = max(1, before // max(1, jobs))
    try:
        # Every thread has a number of its own.
        with ThreadPoolExecutor(
            max(1, jobs), initializer=torch.set_num_threads, initargs=(each,)
        ) as pool:
            yield pool
    finally:
        torch.set_num_threads(before)


def _attempt(work, source, target):
    """Enhances one file in a thread of the pool, and notes what came of it.

    Here and not where it is waited for, which Ctrl-C may end at any time.
    """
    outcome, seconds = work.outcome, work.durations[source]
    try:
        before = source.stat()
        channels = work.kind.channels(source)
        with work.meter.file(seconds, channels):
            work.kind.enhance(work.model, source, target, **work.options)
        if work.note:
            work.note(before, target)
        outcome.finished[source] = seconds
    except Stopped:
        pass
    # Whatever it is: it must not keep thousands of others from their turn.
    except Exception as error:
        if isinstance(error, OSError) and _is_full(error, source, target):
            outcome.stopped = f"no space left on the disk for {target}"
        else:
            outcome.failed[source] = _reason(error, source)
    finally:
        work.tried.put(source)


def _is_full(error, source, target):
    """Whether every further file would fail for the same reason."""
    if error.errno is None:  # libsndfile does not tell
        folder = next(f for f in target.parents if f.exists())
        return shutil.disk_usage(folder).free < ROOM * source.stat().st_size
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def _wait(work, progress):
    """Tells how far it is, until all is tried or the disk is full."""
    durations, finished = work.durations, work.outcome.finished
    files, seconds, shown = 0, 0.0, 0.0
    while files < len(durations) and not work.outcome.stopped:
        with suppress(Empty):
            source = work.tried.get(timeout=TICK)
            files += 1
            if source in finished:
                seconds += durations[source]
            else:  # what was heard of it is not enhanced
                progress.leave_out(durations[source])
                shown = 0.0
        # A file that has just ended is for a moment in neither of them.
        shown = max(shown, seconds + work.meter.seconds())
        progress.update(files, shown)


def _reason(error, source):
    """One line, without the file's name: it is told beside it."""
    text = " ".join(str(error).split()) or repr(error)
    return text.removeprefix(f"{source}: ")
