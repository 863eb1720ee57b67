"""Parts of the report: the log, the choice, the plots' figures, the maps."""

import numpy as np
import pytest
import torch
from report_html import Page, samples, texts
from report_runs import (
    GAINS,
    SECONDS,
    WORDS,
    write_corpus,
    write_log,
    write_run,
)

from cmkt_plugin.mixture_groups import read_groups
from cmkt_plugin.report import attention_map, failures, listener, snr_plot
from cmkt_plugin.report.figures import colours
from cmkt_plugin.report.page import write_report
from cmkt_plugin.report.runs import find_runs, flag_other_data
from cmkt_plugin.report.scores import finished, kinds, summarise
from cmkt_plugin.report.spectrograms import common_factor, picture, seen, sound
from cmkt_plugin.report.training_curves import draw, panels, read_log
from cmkt_plugin.report.utterances import read_utterance
from cmkt_plugin.run_test_set import RunTestSet


@pytest.fixture(scope="module")
def root(tmp_path_factory, tiny_bert):
    root = tmp_path_factory.mktemp("parts")
    corpus = write_corpus(root / "corpus")
    write_run(root / "baseline" / "1", corpus)
    write_run(root / "cmkt" / "1", corpus, tiny_bert)
    return root


def test_an_epoch_trained_again_counts_once(tmp_path):
    write_log(tmp_path, 3)
    path = tmp_path / "train_log.txt"
    text = path.read_text()
    path.write_text(
        text
        + "epoch: 2, lr: 2.00e-02 - train loss: 7.50 - valid loss: nan\n"
        + "epoch loaded: 3 - test loss: 1.0, test pesq: 3.0\n"
        + "epoch: 4, lr: 1.00e-0"
    )
    log = read_log(path)
    assert list(log) == [1, 2, 3]
    assert log[2] == {"lr": 0.02, "train loss": 7.5}
    assert log[1]["train loss"] == 1.0 and log[3]["lr"] == 0.01
    assert "valid estoi" not in log[1]  # None
    assert log[1]["valid rolled_top1"] == 0.25


def test_panels_hold_every_entry_once(tmp_path):
    write_log(tmp_path, 2)
    log = read_log(tmp_path / "train_log.txt")
    shown = panels([log])
    drawn = [entry for lines in shown.values() for entry in lines]
    assert sorted([*drawn, "valid retrieval_pool"]) == sorted(log[1])
    assert shown["token retrieval, top-1"] == {
        "valid retrieval_top1": "-",
        "valid rolled_top1": "--",
    }
    assert shown["loss: cosine"] == {
        "train cosine": "-",
        "valid cosine": "--",
    }
    ensemble = panels([{1: {"valid bert_rolled_top5": 0.1}}])
    assert list(ensemble) == ["bert_token retrieval, top-5"]


def test_curves_show_means_and_range_over_seeds():
    logs = {
        "a": [
            {1: {"train loss": 1.0}, 2: {"train loss": 3.0}},
            {1: {"train loss": 2.0}},
        ]
    }
    panel = draw(logs, colours(logs)).axes[0]
    (line,) = panel.get_lines()
    assert line.get_xydata().tolist() == [[1, 1.5], [2, 3.0]]
    band = panel.collections[0].get_paths()[0].vertices
    at_first = band[band[:, 0] == 1][:, 1]
    assert (at_first.min(), at_first.max()) == (1.0, 2.0)
    assert draw({}, {}) is None


def test_gains_by_snr_are_those_of_the_utterances(root):
    runs = find_runs([root / "baseline", root / "cmkt"])
    flag_other_data(runs, "baseline")
    mixtures = root / "corpus" / "mixtures.csv"
    found = summarise(runs, "baseline", mixtures)
    over_noisy = snr_plot.gains(found, "benefit")
    assert set(over_noisy) == {
        (metric, kind)
        for metric in ("pesq", "estoi", "si_sdr")
        for kind in ("babble", "hum")
    }
    # One utterance in each: p2_a is hum at 0 dB; 0.01 is the seed's shift.
    point = over_noisy["pesq", "hum"]["cmkt"]["0 dB"]["mean"]
    assert point == pytest.approx(GAINS["cmkt"]["p2_a"] + 0.01)
    over_base = snr_plot.gains(found, "difference")
    assert list(over_base["pesq", "hum"]) == ["cmkt"]
    assert over_base["pesq", "hum"]["cmkt"]["0 dB"]["mean"] == pytest.approx(
        GAINS["cmkt"]["p2_a"] - GAINS["baseline"]["p2_a"]
    )
    figure = snr_plot.draw(found, "benefit", colours(found["runs"]))
    panel = figure.axes[1]  # PESQ, hum
    line = panel.containers[1].lines[0]
    drawn = [
        over_noisy["pesq", "hum"]["cmkt"][level]["mean"]
        for level in ("0 dB", "5 dB")
    ]
    assert line.get_ydata().tolist() == pytest.approx(drawn)
    bars = panel.containers[1].lines[2][0].get_segments()
    ends = [(drawn[0], drawn[0]), (drawn[1], drawn[1])]  # one speaker each
    assert [tuple(bar[:, 1]) for bar in bars] == [
        pytest.approx(end) for end in ends
    ]
    assert snr_plot.draw(summarise(runs, "baseline"), "benefit", {}) is None


def test_bars_are_the_intervals():
    gain = {"mean": 0.5, "low": 0.2, "high": 0.9}
    run = {"benefit": dict.fromkeys(("pesq", "estoi"), gain)}
    group = {"runs": {"cmkt": run}}
    found = {"groups": {"noise and SNR": {"hum, 5 dB": group}}}
    panel = snr_plot.draw(found, "benefit", {"cmkt": "red"}).axes[0]
    (bar,) = panel.containers[0].lines[2][0].get_segments()
    assert bar[:, 1].tolist() == pytest.approx([0.2, 0.9])


def test_ranks_of_both_metrics_make_the_worst(root):
    run = find_runs([root / "baseline" / "1"])[0].scores
    run.scores["si_sdr"] = dict(zip(SECONDS, (9.0, -9.0, 12.0, 9.0)))
    groups = read_groups(root / "corpus" / "mixtures.csv")
    found = failures.worsened({1: run}, kinds(groups))
    assert found["worse"] == {"pesq": 1, "si_sdr": 1} and found["total"] == 4
    # First in one metric each; p1_b is the worse one in the other.
    assert [row["id"] for row in found["rows"]] == ["p1_b", "p2_a"]
    assert len(failures.worsened({1: run}, {}, count=1)["rows"]) == 1
    del run.scores["estoi"]["p2_b"]
    runs = find_runs([root / "baseline" / "1"])
    runs[0].scores = run
    reason = "no estoi, without a reason given"
    assert failures.left_out(runs) == [("p2_b", reason, "baseline 1")]
    assert list(finished(runs)) == ["baseline"]


def test_sounds_of_an_utterance_keep_their_levels():
    loud, soft = np.array([0.5, -2.0]), np.array([0.25, 0.1])
    factor = common_factor([loud, soft])
    assert factor * 2.0 == pytest.approx(0.99)
    assert common_factor([soft]) == 1.0
    wav, rate = samples(sound(loud, 16000, factor))
    assert rate == 16000 and np.allclose(wav, loud * factor, atol=1e-4)
    long = np.zeros(16000 * 60)
    assert len(samples(sound(long, 16000))[0]) == 8 * 16000


def test_a_picture_even_of_silence_or_a_click():
    for wav in (np.zeros(100), np.ones(1), np.zeros(48000)):
        loudest = seen(wav, 48000).loudest
        assert "Time (s)" in texts(picture(wav, 48000, loudest))


@pytest.fixture(scope="module")
def heard(root):
    """The run's aligner, tokens and utterances."""
    (run,) = find_runs([root / "cmkt" / "1"])
    (one,) = listener.open_listeners(run)
    tokens = listener.read_tokens(one, run, WORDS)
    test_set = RunTestSet(run.folder)
    heard = {name: read_utterance(test_set, name) for name in SECONDS}
    return one, tokens, heard


def test_a_row_per_token_and_a_column_per_frame(heard, root):
    one, tokens, utterances = heard
    own, other = utterances["p2_a"], utterances["p2_b"]
    found = attention_map.map_attention(one, tokens["p2_a"], own, other)
    assert found.tokens == ["six", "spoons", "of", "snow_peas"]
    for coupling, given in ((found.own, own), (found.other, other)):
        frames = len(given.noisy) // 256 + 1
        assert coupling.shape == (4, frames)
        assert np.allclose(coupling.sum(1), 1, atol=1e-5)
    labels = texts(attention_map.picture(found, own, other))
    place = labels.index("six")
    assert labels[place : place + 4] == found.tokens
    assert labels.count("Time (s)") == 2
    found.tokens = ["$a_b$", "<i>", "我", "&"]  # no formula, no markup
    assert set(found.tokens) <= set(
        texts(attention_map.picture(found, own, other))
    )


def test_the_map_is_that_of_the_trained_aligner(heard, root):
    one, tokens, utterances = heard
    best = next(
        path.parent
        for path in root.glob("cmkt/1/save/CKPT*/CKPT.yaml")
        if "pesq: 2.0" in path.read_text()
    )
    for module, name in (
        (one.transfer.aligner, "aligner"),
        (one.enhancer, "enhancer"),
    ):
        saved = torch.load(best / f"{name}.ckpt")
        loaded = module.state_dict()
        assert all(torch.equal(loaded[key], saved[key]) for key in saved)
        assert not module.training
    # The tap listens to the very student that was loaded.
    assert one.transfer.tap.module is one.enhancer
    noisy = utterances["p1_a"].noisy
    embeddings = tokens["p1_a"][0]
    with torch.no_grad(), one.transfer.tap as tap:
        one.enhancer(torch.tensor(noisy)[None], torch.ones(1))
        wanted = one.transfer.aligner(
            tap.latent,
            torch.tensor([tap.latent.shape[1]]),
            embeddings[None],
            torch.tensor([len(embeddings)]),
        ).coupling[0]
    assert np.allclose(one.coupling(one.latent(noisy), embeddings), wanted)


def test_a_prior_alone_is_called_one(heard):
    one, tokens, utterances = heard
    own, other = utterances["p1_b"], utterances["p2_a"]
    aligner = one.transfer.aligner
    kept = {k: v.clone() for k, v in aligner.state_dict().items()}
    for parameter in aligner.from_latent.parameters():
        parameter.data.zero_()  # deaf
    found = attention_map.map_attention(one, tokens["p1_b"], own, other)
    aligner.load_state_dict(kept)
    assert found.correlation > 0.9
    assert "They look alike" in found.verdict
    assert f"{found.correlation:.2f}" in found.verdict
    crossed = attention_map.AttentionMap(["a"] * 3, np.eye(3), np.eye(3)[::-1])
    assert "They differ" in crossed.verdict
    even = attention_map.AttentionMap(["a"], np.ones((1, 4)), np.eye(4)[:1])
    assert "constant" in even.verdict


def test_without_tokens_there_is_no_map(heard):
    one, _, utterances = heard
    own = utterances["p1_a"]
    with pytest.raises(ValueError, match="p1_a has no tokens"):
        attention_map.map_attention(one, (torch.zeros(0, 16), []), own, own)
    lengths = {"a": 1.0, "b": 1.0}
    with pytest.raises(ValueError, match="nothing|no utterance says"):
        attention_map.nearest_in_length("a", lengths, lambda name: "same")


def test_a_query_that_sees_tokens_gets_them_as_in_training(
    root, tmp_path, tiny_bert
):
    folder = write_run(
        tmp_path / "cmkt" / "1", root / "corpus", tiny_bert, "Shifted"
    )
    before = sorted(path for path in folder.rglob("*"))
    (run,) = find_runs([folder])
    (one,) = listener.open_listeners(run)
    words = {"p1_a": WORDS["p1_a"]}
    embeddings, strings = listener.read_tokens(one, run, words)["p1_a"]
    assert strings == ["we", "call", "it", "bear"]
    every = one.transfer.teacher.embed(list(WORDS.values()))
    train = torch.cat([item.embeddings for item in every]).half().double()
    raw = every[0].embeddings.half().double()
    deviation = train.std(0, correction=0)
    floor = 0.1 * deviation.median()
    wanted = (raw - train.mean(0)) / deviation.clamp(min=floor)
    assert torch.allclose(embeddings.double(), wanted, atol=1e-3)
    # Nothing is left in the run's folder, nor in its cache.
    assert sorted(path for path in folder.rglob("*")) == before


def test_a_teacher_that_is_not_at_hand(root, tmp_path, tiny_bert):
    folder = write_run(tmp_path / "cmkt" / "1", root / "corpus", tiny_bert)
    path = folder / "hyperparams.yaml"
    text = path.read_text()
    path.write_text(text.replace(str(tiny_bert), str(tmp_path / "gone")))
    write_report([folder], tmp_path / "r.html", utterances=1)
    page = Page((tmp_path / "r.html").read_text())
    assert "No map: " in page.words and "teacher" in page.words
    assert len(page.players) == 3
    assert str(tmp_path) not in page.words
