"""Recordings that come from standard input or go to standard output."""

import shutil
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from cmkt_plugin.enhancing.file_plan import Plan, names_file, plan_files

STREAM = "-"


@contextmanager
def plan_with_streams(inputs, output):
    """Plans as ``plan_files``, with ``-`` for the standard streams.

    Formats with their lengths in a header cannot be read or written in one
    go, so the streams pass through temporary files. What was made for
    standard output is written to it at the end of the ``with`` block.

    Arguments
    ---------
    inputs : list of str
        As for ``plan_files``; or ``["-"]``, one recording of any format.
    output : str
        As for ``plan_files``; or ``-`` where there is one recording.

    Yields
    ------
    cmkt_plugin.enhancing.file_plan.Plan

    Raises
    ------
    ValueError
        If there is more than one recording, a terminal on the other side, or
        no name for the recording of standard input.
    """
    if STREAM not in inputs and output != STREAM:
        yield plan_files(inputs, output)
        return
    with TemporaryDirectory(prefix="cmkt_") as folder:
        # Errors say "not a readable audio file".
        source, target = Path(folder, "stdin.audio"), Path(folder, "stdout")
        if STREAM in inputs:
            _refuse_as_stream(inputs, output)
            _spool(source)
            inputs = [source]
        if output != STREAM:
            yield plan_files(inputs, output)
            return
        yield _plan_one(inputs, target)
        if target.exists():
            with open(target, "rb") as file:
                shutil.copyfileobj(file, click.get_binary_stream("stdout"))


def _refuse_as_stream(inputs, output):
    if len(inputs) > 1:
        raise ValueError(
            f"standard input (-) is one recording: found {len(inputs) - 1} "
            "more inputs; enhance them by another command"
        )
    if output != STREAM and not names_file(output):
        raise ValueError(
            "a recording from standard input has no name: expected -o FILE "
            f"such as enhanced.wav, or -o - for standard output; found {output}"
        )


def _spool(path):
    stream = click.get_binary_stream("stdin")
    if stream.isatty():
        raise ValueError(
            "standard input (-) is a terminal: pipe a recording into it"
        )
    with open(path, "wb") as file:
        shutil.copyfileobj(stream, file)


def _plan_one(inputs, target):
    if click.get_binary_stream("stdout").isatty():
        raise ValueError(
            "standard output is a terminal: redirect it, or give -o FILE"
        )
    plan = plan_files(inputs, target.with_name("folder"))
    sources = list(plan.targets)
    if len(sources) > 1:
        raise ValueError(
            f"standard output takes one recording, found {len(sources)}: name "
            "a folder as output"
        )
    return Plan({sources[0]: target}, plan.unreadable)
