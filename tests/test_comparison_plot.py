"""The picture shows the comparison's figures, and what is not run yet."""

import sys

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.container import ErrorbarContainer
from test_comparison import better, same, write_runs

from cmkt_plugin.cli import main
from cmkt_plugin.comparison import compare
from cmkt_plugin.comparison_plot import BETTER, WORSE, draw, write_plot

METRICS = ("pesq", "estoi", "si_sdr")


def worse(utterance, generator):
    return -better(utterance, generator)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Five runs: one not run, one with a seed that the baseline lacks."""
    root = tmp_path_factory.mktemp("runs")
    gains = {"base": same, "long_name": worse, "same": same}
    folders = write_runs(root / "two", gains, seeds=(1, 2))
    folders["not_yet"] = {1: root / "gone", 2: root / "gone"}
    folders["alone"] = write_runs(root / "7", {"a": same}, seeds=(7,))["a"]
    folders["better"] = write_runs(root / "1", {"b": better}, (1,))["b"]
    folders["better"][2] = root / "gone"
    return compare(folders, "base")


def points(panel):
    """Place to (mean, low, high, colour) of what a panel shows."""
    shown = {}
    for drawn in panel.containers:
        assert isinstance(drawn, ErrorbarContainer)
        line, _, (bar,) = drawn.lines
        ((x, y),) = line.get_xydata()
        ((_, low), (_, high)) = bar.get_segments()[0]
        shown[x] = (y, low, high, line.get_markerfacecolor())
    return shown


def test_every_point_is_the_comparisons(found):
    panels = draw(found).axes
    assert len(panels) == len(METRICS)
    runs = found["runs"]
    for panel, metric in zip(panels, METRICS):
        shown = points(panel)
        places = {0: "long_name", 1: "same", 4: "better"}
        assert shown.keys() == places.keys()
        for place, name in places.items():
            given = runs[name]["difference"][metric]
            wanted = [given["mean"], given["low"], given["high"]]
            assert np.allclose(shown[place][:3], wanted)
        colours = [colour for *_, colour in shown.values()]
        assert colours == [WORSE, "white", BETTER]


def test_slots_without_a_difference_are_empty_and_say_why(found):
    for panel in draw(found).axes:
        said = {text.get_position()[0]: text.get_text() for text in panel.texts}
        assert said.keys() == {2, 3} and said[2] == "not run"
        assert said[3].split() == ["none", "in", "common"]
        spans = [
            patch.get_x() + patch.get_width() / 2 for patch in panel.patches
        ]
        assert spans == pytest.approx([2, 3])
        low, high = panel.get_xlim()
        assert low < 0 and high > 4


def test_names_and_seeds_are_below(found):
    lowest = draw(found).axes[-1]
    named = [label.get_text() for label in lowest.get_xticklabels()]
    assert [" ".join(name.split("\n")) for name in named] == [
        "long_name 2 seeds",
        "same 2 seeds",
        "not_yet 0 of 2 seeds",
        "alone 0 of 1 seed",
        "better 1 of 2 seeds",
    ]
    assert lowest.get_ylabel() == "SI-SDR (dB)\n(base: {:.2f})".format(
        found["runs"]["base"]["scores"]["si_sdr"]["mean"]
    )


def test_nothing_run_but_the_baseline_is_drawn_too(tmp_path):
    folders = write_runs(tmp_path, {"base": same}, seeds=(1,))
    folders["cmkt"] = {1: tmp_path / "gone"}
    (panel, *_) = draw(compare(folders, "base")).axes
    assert not panel.containers and panel.texts[0].get_text() == "not run"
    del folders["cmkt"]
    with pytest.raises(ValueError, match="a run besides the baseline 'base'"):
        draw(compare(folders, "base"))


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_the_same_comparison_gives_the_same_bytes(tmp_path, found, kind):
    paths = [tmp_path / "new" / f"{name}.{kind}" for name in "ab"]
    for path in paths:
        write_plot(found, path)
    first, second = (path.read_bytes() for path in paths)
    assert first == second and len(first) > 1000
    assert b"date" not in first and b"Software" not in first
    assert sorted(paths[0].parent.iterdir()) == paths


def test_a_failed_plot_leaves_the_old_one(tmp_path, found, monkeypatch):
    path = tmp_path / "a.png"
    write_plot(found, path)
    before = path.read_bytes()

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_plot({**found, "baseline": "same"}, path)
    assert path.read_bytes() == before and [path] == list(tmp_path.iterdir())


@pytest.fixture
def runs(tmp_path):
    """A list of which everything has run."""
    (tmp_path / "train.py").write_text("raise SystemExit('not to be run')")
    (tmp_path / "a.yaml").write_text("")
    write_runs(tmp_path / "results", {"base": same, "cmkt": better}, seeds=(1,))
    (tmp_path / "runs.yaml").write_text(
        "{recipe: train.py, results: results, seeds: [1], baseline: base, "
        "runs: {base: {hparams: a.yaml}, cmkt: {hparams: a.yaml}}}"
    )
    return tmp_path / "runs.yaml"


def cmkt(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def test_compare_draws(runs):
    plot = runs.parent / "benefit.png"
    done = cmkt("compare", runs, "--table-only", "--plot", plot)
    assert done.exit_code == 0, done.output
    assert plot.read_bytes().startswith(b"\x89PNG") and "# runs" in done.stdout


def test_a_plot_that_cannot_be_is_told_before_anything_runs(runs, monkeypatch):
    monkeypatch.setattr(
        "cmkt_plugin.runner.run_missing", lambda *_, **__: pytest.fail("ran")
    )
    done = cmkt("compare", runs, "--plot", "benefit.jpg")
    assert done.exit_code == 1 and "ends in .png or .svg" in done.stderr
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = cmkt("compare", runs, "--plot", "benefit.png")
    assert done.exit_code == 1 and "install 'cmkt_plugin[plot]'" in done.stderr
