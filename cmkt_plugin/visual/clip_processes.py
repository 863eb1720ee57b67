"""Runs work on clips in processes: OpenCV and FFmpeg keep cores busy."""

from concurrent.futures import as_completed

import joblib


def in_processes(work, sources, jobs=None):
    """Yields results as they come.

    Arguments
    ---------
    work : callable
        Called with a clip's name and its files; it must be picklable.
    sources : dict
        Name to files.
    jobs : int or None
        Processes; None takes as many as there are cores, 1 works in this one.

    Yields
    ------
    name : str
        The clip.
    result
        What ``work`` returned.

    Raises
    ------
    ValueError
        If jobs is below 1.
    RuntimeError
        If a process died.

    Example
    -------
    >>> dict(in_processes(max, {"a": "b"}, jobs=1))
    {'a': 'b'}
    """
    if jobs is not None and jobs < 1:
        raise ValueError(f"jobs is {jobs}, expected at least 1")
    jobs = min(jobs or joblib.cpu_count(), len(sources))
    if jobs <= 1:
        for name, files in sources.items():
            yield name, work(name, files)
    else:
        yield from _in_processes(work, sources, jobs)


def _in_processes(work, sources, jobs):
    # loky starts workers without importing the script that called this again
    from joblib.externals.loky import ProcessPoolExecutor
    from joblib.externals.loky.process_executor import BrokenProcessPool

    pool = ProcessPoolExecutor(jobs, initializer=_one_thread)
    waiting = {
        pool.submit(work, name, files): name for name, files in sources.items()
    }
    try:
        for future in as_completed(list(waiting)):
            yield waiting[future], future.result()
            del waiting[future]
    except BrokenProcessPool as error:
        raise RuntimeError(
            f"A process died at {', '.join(list(waiting.values())[:jobs])} or "
            f"after it ({error}). Out of memory: take fewer jobs. Otherwise: "
            "jobs=1 shows at which clip; what is prepared is kept."
        ) from error
    finally:
        # Also where an error or Ctrl-C ends it: thousands may be waiting.
        pool.shutdown(kill_workers=True)


def _one_thread():
    """The processes share the cores already."""
    from cmkt_plugin.visual.media import load_cv2

    load_cv2().setNumThreads(1)
