"""Puts the report together: one HTML file that needs nothing beside it."""

from pathlib import Path
from tempfile import TemporaryFile

import jinja2

from cmkt_plugin import comparison_plot, provenance
from cmkt_plugin.atomic import write_text
from cmkt_plugin.comparison_record import stated
from cmkt_plugin.matplotlib_check import check_matplotlib
from cmkt_plugin.mixture_groups import read_groups
from cmkt_plugin.report import (
    failures,
    figures,
    runs as run_folders,
    scores,
    snr_plot,
    training_curves,
)
from cmkt_plugin.report.listening import attention, listen, versions
from cmkt_plugin.report.spectrograms import SECONDS, colour_bar

# Entries of experiment.json that the runs of a comparison may share.
RECORDED = ("version", "commit", "machine", "torch", "speechbrain")


def write_report(
    folders,
    output,
    mixtures=None,
    utterances=3,
    ids=(),
    data_folder=None,
    baseline=None,
    say=lambda line: None,
):
    """Writes the page, whole or not at all.

    Arguments
    ---------
    folders : list of str or pathlib.Path
        Runs, as ``find_runs`` takes them.
    output : str or pathlib.Path
        The HTML file.
    mixtures : str, pathlib.Path or None
        ``mixtures.csv`` or manifest; None: the test set's own, if it is one
        of fixed mixtures.
    utterances : int
        How many to show.
    ids : sequence of str
        Which ones; chosen by their gain if empty.
    data_folder : str, pathlib.Path or None
        The corpus; None: where it was when the runs were made.
    baseline : str, pathlib.Path or None
        As ``choose_baseline`` takes it.
    say : callable
        Told what is being done, a line at a time.

    Raises
    ------
    FileNotFoundError
        If a folder is no run.
    ImportError
        If matplotlib is missing.
    ValueError
        If there is no such utterance, the mixtures are another corpus', or
        the page cannot be written where it shall be.
    """
    _check_output(Path(output).absolute())
    check_matplotlib("a report")
    made = provenance.record()
    runs = run_folders.find_runs(folders)
    base = run_folders.choose_baseline(runs, baseline)
    runs.sort(key=lambda run: run.name != base)
    run_folders.flag_other_data(runs, base)
    mixtures = mixtures or _own_mixtures(runs)
    say(f"{len(runs)} runs; scores and curves")
    kinds = scores.kinds(read_groups(mixtures))
    context = {
        "made": made,
        "runs": runs,
        "names": list(run_folders.by_name(runs)),
        "flagged": [run for run in runs if not run.comparable],
        "baseline": base,
        "seconds": SECONDS,
        **_records(runs, base, mixtures, kinds),
    }
    say("utterances")
    shown = listen(runs, base, utterances, ids, data_folder)
    context["shown"] = shown
    context["colour_bar"] = colour_bar() if shown.utterances else None
    context["utterances"] = versions(shown, kinds)
    say("attention maps")
    context["attention"] = attention(shown)
    write_text(output, _render(context))


def _check_output(output):
    """Refuses a place for the page before minutes of work, not after."""
    folder = output.parent
    while not folder.exists():
        folder = folder.parent
    try:
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise ValueError(
            f"{output} cannot be written: {folder}: {error.strerror}. Name "
            "another file with --output"
        ) from error


def _own_mixtures(runs):
    """The test manifest, if the test set is one of fixed mixtures."""
    for run in runs:
        path = run.folder / "save" / "test.json"
        if run.comparable and path.is_file():
            return path if '"mixture"' in path.read_text("utf-8") else None
    return None


def _records(runs, base, mixtures, kinds):
    """Tables and plots that need the runs' records only."""
    named = run_folders.by_name(runs)
    colours = figures.colours(named)
    found = scores.summarise(runs, base, mixtures)
    return {
        "comparison": found,
        **(_comparison(found, colours) if found else {"recorded": {}}),
        "curves": _curves(named, colours),
        "worse": {
            name: (one, failures.table(one))
            for name, seeds in scores.finished(runs).items()
            for one in [failures.worsened(seeds, kinds)]
        },
        "left_out": failures.left_out(runs),
        "commands": {f"{r.name} {r.seed}": r.record for r in runs},
    }


def _comparison(found, colours):
    """What is shown of the runs that are compared."""
    plots = {
        against: snr_plot.draw(found, against, colours)
        for against in ("benefit", "difference")
    }
    overall = None
    if any(run["difference"] for run in found["runs"].values()):
        with figures.style():
            overall = figures.svg(comparison_plot.draw(found))
    return {
        "score_table": scores.score_table(found),
        "cost_table": scores.cost_table(found),
        "retrieval_table": scores.retrieval_table(found),
        "group_tables": {
            grouping: scores.group_table(found, grouping)
            for grouping in found["groups"]
        },
        "overall": overall,
        "snr_plots": {k: figures.svg(v) for k, v in plots.items() if v},
        "recorded": {k: stated(found["runs"], k) for k in RECORDED},
    }


def _curves(named, colours):
    """The training curves of all runs that have logged an epoch."""
    logs = {
        name: [run.epochs for run in seeds.values() if run.epochs]
        for name, seeds in named.items()
    }
    logs = {name: seeds for name, seeds in logs.items() if seeds}
    curves = training_curves.draw(logs, colours)
    return None if curves is None else figures.svg(curves)


def _render(context):
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(context)
