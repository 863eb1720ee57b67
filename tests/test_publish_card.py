"""Tests of the model card: every figure from the runs, nothing claimed."""

import json
import re
import shutil

import pytest
import yaml
from finished_run import EXPERIMENT, finished_run
from huggingface_hub import ModelCard

from cmkt_plugin import __version__
from cmkt_plugin.exporting.export import export
from cmkt_plugin.publish import training_facts
from cmkt_plugin.publish.findings import findings
from cmkt_plugin.publish.model_card import Publication, model_card
from cmkt_plugin.publish.node_text import shown
from cmkt_plugin.publish.published_command import published_command
from cmkt_plugin.publish.published_scores import read_scores, score_rows

# Gain, and what the transfer was given; None: there was none.
RUNS = {
    "cmkt": (0.2, "CorpusTranscripts"),
    "weak": (0.0, "CorpusTranscripts"),
    "base": (0.1, None),
    "shuffled": (0.2, "ShuffledTranscripts [7]"),
    "random": (0.0, "RandomEmbeddings [7]"),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Runs by name: a baseline, better and worse ones; an export of one."""
    folder = tmp_path_factory.mktemp("runs")
    for name, (gain, control) in RUNS.items():
        finished_run(folder / name, gain, control=control)
    export(folder / "cmkt", folder / "export")
    return folder


@pytest.fixture
def card(runs):
    """Makes the card of the run; a function of the runs beside it."""

    def make(run="cmkt", baseline=None, controls=None, example=None, **said):
        scores = read_scores(runs / run, baseline, controls)
        publication = Publication("me/enhancer", **said)
        return model_card(
            publication, runs / run, runs / "export", scores, example
        )

    return make


def test_the_hubs_own_classes_read_the_results_back(card, runs, tmp_path):
    card(data="My Corpus", licence="mit").save(tmp_path / "README.md")
    data = ModelCard.load(tmp_path / "README.md").data
    assert data.license == "mit"
    assert data.library_name == "speechbrain"
    assert data.pipeline_tag == "audio-to-audio"
    assert data.language == "en"
    assert data.datasets == ["my-corpus"]
    assert {"speech-enhancement", "CMKT"} <= set(data.tags)
    assert data.metrics == ["pesq", "stoi", "estoi", "si-sdr"]
    means = json.loads((runs / "cmkt" / "test_summary.json").read_text())
    for result in data.eval_results:
        metric = result.metric_type.replace("-", "_")
        assert result.metric_value == round(means["scores"][metric], 4)
        assert result.dataset_name == "My Corpus (18 test files)"
        assert result.dataset_args == {"files": 18}
    assert len(data.eval_results) == 4


def test_metadata_hold_baseline_and_controls_beside(card, runs, tmp_path):
    controls = {"random": runs / "random"}
    made = card(baseline=runs / "base", controls=controls)
    made.save(tmp_path / "README.md")
    results = ModelCard.load(tmp_path / "README.md").data.eval_results
    others = {"baseline": "base", "random": "random"}
    assert len(results) == 4  # none of them is of another model
    for result in results:
        metric = result.metric_type.replace("-", "_")
        beside = result.metric_args["compared_with"]
        assert list(beside) == ["noisy input", *others]
        for name, folder in others.items():
            path = runs / folder / "test_summary.json"
            summary = json.loads(path.read_text())
            assert beside[name] == round(summary["scores"][metric], 4)
        assert beside["noisy input"] == round(summary["noisy"][metric], 4)


def test_figures_of_all_runs_stand_in_the_table(card, runs):
    controls = {"shuffled": runs / "shuffled", "random": runs / "random"}
    text = str(card(baseline=runs / "base", controls=controls))
    table = dict(
        re.findall(r"^\| (\S+(?: \w+)?\S*) \| (\d.\d{3}) \|", text, re.M)
    )
    names = {"**this model**": "cmkt", "baseline": "base", **controls}
    for name, folder in names.items():
        summary = json.loads((runs / folder / "test_summary.json").read_text())
        assert table[name] == f"{summary['scores']['pesq']:.3f}", name
    assert table["noisy input"] == f"{summary['noisy']['pesq']:.3f}"
    assert "| 18 | 1,234 | 3 |" in text
    assert "- baseline: no transfer, seed 7" in text
    assert "- random: the transfer with RandomEmbeddings(7), seed 7" in text


def test_of_another_run_there_are_other_figures(runs):
    one = score_rows(read_scores(runs / "cmkt"))
    other = score_rows(read_scores(runs / "random"))
    assert one[:2] == other[:2]
    assert all(a != b for a, b in zip(one[2][1:5], other[2][1:5]))


@pytest.mark.parametrize(
    ("run", "baseline", "controls", "said"),
    [
        ("cmkt", "base", ["shuffled"], "not shown to come from language"),
        ("cmkt", "base", ["random", "shuffled"], "not shown to come from"),
        ("cmkt", "base", ["random"], "there the gain depends on the text"),
        ("cmkt", "base", [], "not shown to come from language"),
        ("cmkt", None, ["random"], "by language, is not shown"),
        ("weak", "base", ["shuffled"], "none that comes from language"),
        ("shuffled", "base", ["random"], "read what ShuffledTranscripts gave"),
        ("base", None, [], "trained without language model"),
    ],
)
def test_what_is_said_follows_from_the_figures(
    runs, run, baseline, controls, said
):
    scores = read_scores(
        runs / run,
        baseline and runs / baseline,
        {name: runs / name for name in controls},
    )
    text = " ".join(findings(scores))
    assert said in text
    # Praise only where right text is ahead of every control.
    praised = "depends on the text" in text
    assert praised == (said == "there the gain depends on the text")


@pytest.mark.parametrize(
    ("baseline", "controls", "said"),
    [
        ("shuffled", [], "--baseline .*shuffled: .* with ShuffledTranscripts"),
        ("weak", [], "--baseline .*weak: .* transfer with CorpusTranscripts"),
        ("base", ["base"], "--control base=.* found no transfer.*--baseline"),
        ("base", ["random", "weak"], "--control weak=.* CorpusTranscripts"),
    ],
)
def test_what_is_no_control_is_refused(runs, baseline, controls, said):
    given = {name: runs / name for name in controls}
    with pytest.raises(ValueError, match=said):
        read_scores(runs / "cmkt", runs / baseline, given)


def ensemble(run, **controls):
    """Gives a run without transfer one with several teachers."""
    members = ", ".join(
        f"{name}: {{control: !new:cmkt_plugin.controls.{control} }}"
        for name, control in controls.items()
    )
    with open(run / "hyperparams.yaml", "a") as file:
        file.write(f"transfer: !new:x.Ensemble {{members: {{{members}}}}}\n")


def test_of_an_ensemble_every_member_counts(runs, tmp_path):
    for name in ("right", "mixed", "wrong"):
        finished_run(tmp_path / name, 0.3, control=None)
    right, wrong = "CorpusTranscripts", "ShuffledTranscripts [1]"
    ensemble(tmp_path / "right", one=right, two=right)
    ensemble(tmp_path / "mixed", one=right, two=wrong)
    ensemble(tmp_path / "wrong", one=wrong, two=wrong)

    def praised(run, control):
        given = runs / "base", {"control": control}
        said = " ".join(findings(read_scores(run, *given)))
        return "depends on the text" in said

    assert praised(tmp_path / "right", runs / "random")
    assert not praised(tmp_path / "mixed", runs / "random")
    assert not praised(tmp_path / "right", tmp_path / "wrong")  # it is as good
    with pytest.raises(ValueError, match="CorpusTranscripts, Shuffled"):
        praised(tmp_path / "right", tmp_path / "mixed")


@pytest.mark.parametrize(
    ("transfer", "said"),
    [
        ("control: *right", "embeddings of the transcript ("),
        ("control: *wrong", "what ShuffledTranscripts gave in place of the"),
        ("control: *right, transcripts: {source: units}", "discrete units"),
        ("control: *right, transcripts: {source: none}", "no text at all"),
        (
            "control: *right, transcripts: {source: asr_noisy}",
            "of a transcript from asr_noisy (",
        ),
        (None, "it was trained without a language model"),
    ],
)
def test_the_card_says_what_was_read(runs, tmp_path, transfer, said):
    run = tmp_path / "run"
    finished_run(run, control=None)
    text = (
        "right: &right !new:cmkt_plugin.controls.CorpusTranscripts\n"
        "wrong: &wrong !new:cmkt_plugin.controls.ShuffledTranscripts [1]\n"
    )
    if transfer:
        text += f"transfer: !new:cmkt_plugin.transfer.Transfer {{{transfer}}}\n"
    with open(run / "hyperparams.yaml", "a") as file:
        file.write(text)
    card = model_card(
        Publication("me/x"), run, runs / "export", read_scores(run)
    )
    assert said in str(card)


def test_what_taught_the_first_stage_is_left_open(runs, tmp_path):
    run = tmp_path / "run"
    finished_run(run, control=None)
    with open(run / "hyperparams.yaml", "a") as file:
        file.write("predictive_run: results/cmkt/1\n")
    scores = read_scores(run)
    card = str(model_card(Publication("me/x"), run, runs / "export", scores))
    assert "without a language model" not in card
    assert "without language model" not in card
    assert "its first stage is that of another run" in card


def test_a_gain_within_the_interval_is_none(runs, tmp_path):
    finished_run(tmp_path / "run", 0.15, spread=0.9)
    scores = read_scores(tmp_path / "run", runs / "base")
    given = scores.run.means()["pesq"], scores.baseline.means()["pesq"]
    assert given[0] > given[1]
    said = findings(scores)
    assert said[0] == "Against baseline: no difference beyond the interval."
    assert "A gain over the baseline is not shown" in said[-1]


def test_behind_the_baseline_is_said(runs):
    said = findings(read_scores(runs / "weak", runs / "base"))
    assert said[0].startswith("Against baseline: below it in PESQ, STOI")


def test_runs_on_other_recordings_are_refused(runs, tmp_path):
    finished_run(tmp_path / "run", 0.1, control=None)
    csv = tmp_path / "run" / "test_scores.csv"
    lines = csv.read_text().splitlines(keepends=True)
    csv.write_text("".join(lines[:-1]))
    with pytest.raises(ValueError, match="17 recordings and the run on 18"):
        read_scores(runs / "cmkt", tmp_path / "run")


def record(run, name, **entries):
    """Changes entries of what a run records of itself."""
    path = run / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **entries}))


@pytest.mark.parametrize("entry", ["model", "data"])
def test_runs_of_another_model_or_data_are_refused(tmp_path, entry):
    """The objective and the teacher may differ: they are what is compared."""
    same = {"model": "a1", "data": "b2"}
    given = {
        "run": ("CorpusTranscripts", {**same, "objective": "c3"}),
        "base": (None, {**same, "objective": "d4"}),
        "wrong": ("RandomEmbeddings [7]", {**same, "objective": "c3"}),
    }
    run, base, wrong = (tmp_path / name for name in given)
    for name, (control, fingerprint) in given.items():
        finished_run(tmp_path / name, control=control)
        record(tmp_path / name, "experiment.json", fingerprint=fingerprint)
    assert read_scores(run, base, {"c": wrong}).files == 18
    for other, option in ((wrong, f"control c={wrong}"), (base, "baseline")):
        record(other, "experiment.json", fingerprint={**same, entry: "x"})
        said = (
            f"--{option}.*of its {entry} is x in {other}/exp.*expected "
            f"{same[entry]} as in {run}/exp.*Name a run with the {entry} of"
        )
        with pytest.raises(ValueError, match=said):
            read_scores(run, base, {"c": wrong})


def test_another_number_of_epochs_is_said_beside_the_differences(
    card, runs, tmp_path
):
    shutil.copytree(runs / "base", tmp_path / "base")
    controls = {"random": runs / "random"}
    said = "trained for 3 epochs, baseline for 10: the difference to baseline"
    text = str(card(baseline=tmp_path / "base", controls=controls))
    assert "epochs, " not in text
    record(tmp_path / "base", "test_summary.json", epochs=10)
    text = str(card(baseline=tmp_path / "base", controls=controls))
    differences = text.index("| this model minus")
    assert differences < text.index(said) < text.index("Against baseline:")
    assert "epochs, random" not in text


def test_settings_are_the_runs_and_no_path_is_in_them(card, runs):
    text = str(card())
    for expected in (
        "| Network | 1 LSTM, 2 Linear, 1 LeakyReLU, 1 Sigmoid as SpectralMask, 1,234 parameters |",
        "| Optimizer | Adam(lr: 0.001) |",
        "| Seed | 7 |",
        "| Precision | bf16 |",
        "| Epochs | 3; epoch 2 is published, the best by pesq",
        "| Weight of cosine | Linear(start: 0.014, end: 0) |",
        "| Teacher | bert-base-uncased, layer: -1 |",
        "| Transcripts given | CorpusTranscripts |",
        "--data_folder DATA_FOLDER --output_folder=OUTPUT_FOLDER",
        "commit 0123456789abcdef",
        "speechbrain 1.1.2, Python 3.11.7",
        "arXiv:2503.07078",
        "arXiv:2106.04624",
    ):
        assert expected in text, expected
    for place in ("/srv", "my_corpus", "my_results", str(runs)):
        assert place not in text, place


def test_three_ways_to_load_it(card):
    text = str(card())
    assert 'SpectralMaskEnhancement.from_hparams(source="me/enhancer")' in text
    assert 'CMKTEnhancement.from_safe("me/enhancer")' in text
    assert "cmkt enhance -m me/enhancer" in text
    assert f"package cmkt_plugin {__version__}.\n" in text
    assert "FOLDER noisy" not in text and '"FOLDER"' not in text


def test_what_is_not_stated_is_not_made_up(card):
    text = str(card())
    assert "Licence of the data: not stated by the publisher" in text
    assert "datasets:" not in text
    assert "## Example" not in text
    text = str(card(data="C", data_url="https://c.org", data_licence="CC0"))
    assert "[C](https://c.org). Licence of the data: CC0" in text


def test_language_is_told_by_the_script(card, runs, tmp_path):
    finished_run(tmp_path / "run", words="今天 下雨")
    facts = training_facts.data_facts(tmp_path / "run")
    scores = read_scores(tmp_path / "run")
    made = model_card(
        Publication("me/x"), tmp_path / "run", runs / "export", scores
    )
    assert made.data.language == "zh"
    assert facts["test"]["utterances"] == 18
    assert facts["test"]["hours"] == pytest.approx(18 * 2.1 / 3600)
    assert card(language="de").data.language == "de"


def test_several_teachers_each_have_their_settings(runs, tmp_path):
    finished_run(tmp_path / "run", control=None)
    path = tmp_path / "run" / "hyperparams.yaml"
    member = "{teacher: {source: a/b, layer: 2}, control: !new:x.Shuffled [1]}"
    text = (
        "transfer: !new:cmkt_plugin.ensemble.TeacherEnsemble\n"
        f"  weights: {{one: 0.7, two: 0.3}}\n"
        f"  members: {{one: {member}, two: {member}}}\n"
    )
    path.write_text(path.read_text() + text)
    found = training_facts.transfer_settings(tmp_path / "run")
    assert found["Weights of the teachers"] == "one: 0.7, two: 0.3"
    assert found["Teacher (one)"] == "a/b, layer: 2"
    assert found["Transcripts given (two)"] == "Shuffled(1)"


def test_the_recipe_is_named_without_where_it_lies(runs):
    path = runs / "cmkt" / "hyperparams.yaml"
    assert training_facts.recipe(path.parent) is None
    text = path.read_text()
    path.write_text("# /home/x/recipes/AISHELL-1/hparams/cmkt.yaml\n" + text)
    assert training_facts.recipe(path.parent) == "recipes/AISHELL-1"
    path.write_text(text)


def test_commands_that_resumed_the_run_are_told(tmp_path):
    finished_run(tmp_path / "run")
    told = {"command": "python train.py a.yaml --number_of_epochs 2"}
    record(tmp_path / "run", "experiment.json", resumed=[told])
    export(tmp_path / "run", tmp_path / "export")
    scores = read_scores(tmp_path / "run")
    publication = Publication("me/enhancer")
    card = model_card(
        publication, tmp_path / "run", tmp_path / "export", scores, None
    )
    begun = published_command(EXPERIMENT["command"])
    assert f"```bash\n{begun}\n{told['command']}\n```" in str(card)


def test_nodes_are_shown_and_never_built():
    node = yaml.compose("!apply:os.system [touch me, ~, 1.0e-05, C|D]")
    assert shown(node) == "system(touch me, ~, 1e-05, C|D)"
    command = EXPERIMENT["command"] + " --x '{a: /home/me/b}'"
    assert published_command(command).endswith("'{a: b}'")


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("test_summary.json", {"epochs": None}, "no epochs: it is damaged"),
        ("test_summary.json", {"parameters": "x"}, "'parameters' is 'x', exp"),
        ("test_summary.json", {"noisy": {"pesq": "x"}}, "pesq of the noisy"),
        ("experiment.json", {"command": None}, "experiment.json has no comm"),
        ("experiment.json", {"fingerprint": 1}, "'fingerprint' is 1, expected"),
    ],
)
def test_damaged_records_are_named(tmp_path, name, change, said):
    finished_run(tmp_path / "run")
    path = tmp_path / "run" / name
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, **change}))
    with pytest.raises(ValueError, match=said):
        read_scores(tmp_path / "run")
    for content, found in (("[]", r"the whole is \[\]"), ("{", "is not JSON")):
        path.write_text(content)
        with pytest.raises(ValueError, match=f"{name}.* {found}"):
            read_scores(tmp_path / "run")


def test_a_baseline_without_its_figures_is_named(runs, tmp_path):
    finished_run(tmp_path / "base", control=None)
    (tmp_path / "base" / "test_summary.json").write_text("{}")
    with pytest.raises(ValueError, match="base/test_summary.json has no param"):
        read_scores(runs / "cmkt", tmp_path / "base")


def test_an_export_is_no_run(runs):
    with pytest.raises(ValueError, match="export is an export: .*run's own"):
        read_scores(runs / "export")
