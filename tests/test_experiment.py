"""One experiment in one folder: the user's command, resuming, refusals."""

import json

import pytest
import soundfile as sf
import tiny_voicebank
from tiny_voicebank import flags, run


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return tiny_voicebank.make_corpus(tmp_path_factory.mktemp("corpus"))


def test_the_users_command_trains_tests_and_exports(
    corpus, tmp_path, tiny_bert
):
    """With what users add: bf16, accumulation, a limit, saved output."""
    out = tmp_path / "cmkt"
    arguments = flags(
        corpus,
        out,
        tiny_bert,
        precision="bf16",
        grad_accumulation_factor=2,
        valid_items=3,
        save_enhanced=True,
        objective="{waveform: {l1: !name:speechbrain.nnet.losses.l1_loss , "
        "distortion: !name:cmkt_plugin.losses.si_sdr_loss }, "
        "weights: {l1: 1.0, distortion: 0.01}}",
        dataloader_options="{num_workers: 1}",
    )
    run("cmkt.yaml", arguments)
    summary = json.loads((out / "test_summary.json").read_text())
    assert summary["count"]["si_sdr"] == 4 and summary["epochs"] == 1
    assert "retrieval_top1" in summary["valid"]
    assert summary["noisy"]["si_sdr"] is not None
    assert (out / "test_scores.csv").read_text().count("p401") == 8
    assert (out / "export" / "hyperparams.yaml").exists()
    enhanced = sorted((out / "enhanced_wavs").iterdir())
    assert len(enhanced) == 4
    assert sf.info(enhanced[0]).frames == 9600
    record = json.loads((out / "experiment.json").read_text())
    assert str(tmp_path) not in json.dumps(record)

    log = run(
        "cmkt.yaml",
        [a for a in arguments if "epochs" not in a] + ["--number_of_epochs=2"],
    )
    assert "epoch: 2" in log and "epoch: 1," not in log
    record = json.loads((out / "experiment.json").read_text())
    (resumed,) = record["resumed"]
    assert "--number_of_epochs=2" in resumed["command"]
    assert "--number_of_epochs=2" not in record["command"]

    changed = {
        "model": "--backbone={base_channels: 64, num_blocks: 2, nhead: 2}",
        "teacher or transfer": "--teacher={layer: -1}",
        "data": "--valid_speakers=[p301]",
    }
    for part, flag in changed.items():
        key = flag.split("=")[0] + "="
        others = [a for a in arguments if not a.startswith(key)]
        log = run("cmkt.yaml", [*others, flag], status=1)
        assert f"experiment with another {part} (made by" in log


def test_a_folder_of_another_recipe_is_refused(corpus, tmp_path, tiny_bert):
    out = tmp_path / "x"
    run("baseline.yaml", flags(corpus, out))
    before = (out / "train_log.txt").read_text()
    log = run("cmkt.yaml", flags(corpus, out, tiny_bert), status=1)
    assert "another objective and teacher or transfer" in log
    assert (out / "train_log.txt").read_text() == before


def test_a_wrong_flag_can_be_put_right_in_the_same_folder(corpus, tmp_path):
    arguments = flags(corpus, tmp_path / "x")
    wrong = [*arguments, "--valid_speakers=[p999]"]
    assert "p999" in run("baseline.yaml", wrong, status=1)
    run("baseline.yaml", arguments)
    assert (tmp_path / "x" / "test_summary.json").exists()


def test_baseline_and_cmkt_differ_only_in_the_transfer():
    keys = []
    for yaml in ("baseline.yaml", "cmkt.yaml"):
        lines = (tiny_voicebank.RECIPE / "hparams" / yaml).read_text()
        keys.append(set(lines.split("objective: !new:")[0].splitlines()))
    added = {line for line in keys[1] - keys[0] if not line.startswith("#")}
    assert {line.split(":")[0] for line in added} == {"output_folder", "latent"}


BAD_INPUT = {
    "missing data": ({"data_folder": "/nowhere"}, "/nowhere"),
    "latent": ({"latent": "encoder.layer.0"}, "net.encoder.layers.0"),
    "knob": ({"backbone": "{base_chanels: 8}"}, "'base_channels'"),
    "term": (
        {"objective": "{weights: {log_magnitude: 1.0, cosin: 1.0}}"},
        "weights without a loss: ['cosin']",
    ),
    "bare flag": ({}, "--skip_bad True"),
    "hub": ({"source": "no/such-model"}, "source"),
    "metric": ({"best_metric": "pesk"}, "not among valid_metrics"),
    "unknown key": ({"transfer_wieght": 0.1}, "transfer_wieght"),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_answered_by_name(case, corpus, tmp_path, tiny_bert):
    more, answer = BAD_INPUT[case]
    values = dict(more)
    source = values.pop("source", tiny_bert)
    arguments = flags(corpus, tmp_path / "x", source, **values)
    if case == "bare flag":
        arguments.append("--skip_bad")
    assert answer in run("cmkt.yaml", arguments, status=1)


def test_a_teacher_folder_without_tokenizer(corpus, tmp_path):
    empty = tmp_path / "no_tokenizer"
    empty.mkdir()
    (empty / "config.json").write_text('{"model_type": "bert"}')
    log = run("cmkt.yaml", flags(corpus, tmp_path / "x", empty), status=1)
    assert "okenizer" in log and str(empty) in log
