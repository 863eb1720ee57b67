"""The folder of a model as it will stand on the hub."""

from pathlib import Path
from tempfile import TemporaryDirectory

import soundfile

from cmkt_plugin.exporting.export import export
from cmkt_plugin.exporting.exported import may_replace, replace_folder
from cmkt_plugin.matplotlib_check import INSTALL, check_matplotlib
from cmkt_plugin.publish.example_pair import (
    SECONDS,
    WAY_OUT,
    median_example,
    write_example,
)
from cmkt_plugin.publish.model_card import model_card
from cmkt_plugin.publish.private_traces import check_private_traces
from cmkt_plugin.recordings import read_header
from cmkt_plugin.run_test_set import RunTestSet


def make_hub_folder(
    publication,
    run_folder,
    folder,
    scores,
    example=None,
    with_example=True,
    data_folder=None,
):
    """Makes the folder: exported model, card, one pair of recordings.

    Arguments
    ---------
    publication : cmkt_plugin.publish.model_card.Publication
        What the publisher says.
    run_folder : str or pathlib.Path
        Output folder of a finished ``train.py``.
    folder : str or pathlib.Path
        Folder to make; an earlier one is replaced.
    scores : cmkt_plugin.publish.published_scores.PublishedScores
        Figures of the run, its baseline and its controls.
    example : str or pathlib.Path, optional
        A noisy recording to show in place of one of the test set.
    with_example : bool
        Whether to show one at all.
    data_folder : str or pathlib.Path, optional
        The corpus, if it is not where it was when the run was made.

    Returns
    -------
    pathlib.Path
        The folder, complete; on an error what was there before stays.

    Raises
    ------
    FileExistsError
        If the folder holds something else than an export.
    ImportError
        If the example's picture cannot be drawn.
    ValueError
        If the run cannot be exported, or a file would hold what is private.
    """
    if with_example:
        check_matplotlib(
            "the example's picture",
            f"{INSTALL}, or leave it out: --no-example",
        )
    folder = Path(folder).absolute()
    if folder.exists() and not may_replace(folder):
        raise FileExistsError(
            f"{folder} exists and is no hub folder: name another one with "
            "--output"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{folder.name}."
    with TemporaryDirectory(prefix=prefix, dir=folder.parent) as work:
        new = export(run_folder, Path(work) / "new")
        said = None
        if with_example:
            said = (
                _add_recording(new, example)
                if example
                else (_add_median(new, run_folder, data_folder, scores.run))
            )
        card = model_card(publication, run_folder, new, scores, said)
        card.save(new / "README.md")
        check_private_traces(new, publication.repo, [run_folder, folder])
        replace_folder(folder, new)
    return folder


def _add_median(folder, run_folder, data_folder, scores):
    """Writes an example of the test set; returns what the card says of it."""
    try:
        test_set = RunTestSet(run_folder, data_folder)
        name, said = median_example(test_set.lengths, scores)
        (noisy,), rate = test_set.read(name, ["noisy"])
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{error}. {WAY_OUT}") from error
    return said + write_example(folder, noisy, rate)


def _add_recording(folder, example):
    """Writes a recording as the example; returns what the card says of it."""
    fault = read_header(example, channels=None).fault
    if fault:
        raise ValueError(f"{example}: {fault}. Name another with --example")
    samples, rate = soundfile.read(example, dtype="float32")
    chosen = f"A recording of the publisher's choice, {SECONDS[1]:g} s at most."
    return chosen + write_example(folder, samples, rate)


def listing(folder):
    """The files of a hub folder with their sizes.

    Arguments
    ---------
    folder : str or pathlib.Path

    Returns
    -------
    list of str
        One line each, the sum last.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> (folder / "README.md").write_text("# Model")
    7
    >>> print(*listing(folder), sep="|")
             7  README.md|         7  bytes in 1 file
    """
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    sizes = [path.stat().st_size for path in files]
    lines = [
        f"{size:>10,}  {path.relative_to(folder)}"
        for size, path in zip(sizes, files)
    ]
    noun = "file" if len(files) == 1 else "files"
    return [*lines, f"{sum(sizes):>10,}  bytes in {len(files)} {noun}"]
