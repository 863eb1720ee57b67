"""Several teachers: their terms add up, each keeps an aligner of its own."""

import pytest
import tiny_voicebank
import torch
from ruamel.yaml import YAML
from tiny_voicebank import RECIPE

from cmkt_plugin.ensemble import TeacherEnsemble
from cmkt_plugin.experiment import fit, make_brain, make_datasets


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return tiny_voicebank.make_corpus(tmp_path_factory.mktemp("corpus"))


def make(corpus, out, teacher, yaml="ensemble.yaml", **more):
    flags = tiny_voicebank.flags(corpus, out, teacher, **more)
    hparams, run_opts = tiny_voicebank.load(yaml, flags)
    datasets = make_datasets(hparams)
    return make_brain(hparams, run_opts), datasets, hparams


def test_trains_logs_and_resumes(corpus, tmp_path, tiny_bert):
    brain, datasets, hparams = make(corpus, tmp_path / "run", tiny_bert)
    before = {
        name: [p.clone() for p in brain.modules[name].parameters()]
        for name in ("words_aligner", "context_aligner")
    }
    fit(brain, datasets, hparams)
    for name, old in before.items():
        new = brain.modules[name].parameters()
        assert not all(torch.equal(a, b) for a, b in zip(old, new)), name
    stats = brain.train_stats
    for term in ("cosine", "contrastive"):
        parts = 0.7 * stats[f"words_{term}"] + 0.3 * stats[f"context_{term}"]
        assert stats[term] == pytest.approx(parts, rel=1e-4)
        assert stats[f"words_{term}"] != stats[f"context_{term}"]
    meta = brain.checkpointer.find_checkpoint().meta
    assert {"words_retrieval_top1", "context_rolled_top1"} <= set(meta)
    again, _, _ = make(corpus, tmp_path / "run", tiny_bert)
    again.on_fit_start()
    for name in before:
        one, two = again.modules[name], brain.modules[name]
        for a, b in zip(one.parameters(), two.parameters()):
            assert torch.equal(a, b)


def test_one_member_of_weight_one_is_the_plain_transfer(
    corpus, tmp_path, tiny_bert
):
    brain, datasets, hparams = make(
        corpus,
        tmp_path / "ensemble",
        tiny_bert,
        words_weight=1.0,
        context_weight=0.0,
    )
    fit(brain, datasets, hparams)
    plain, datasets, hparams = make(
        corpus, tmp_path / "plain", tiny_bert, "cmkt.yaml"
    )
    fit(plain, datasets, hparams)
    one = brain.modules.enhancer.state_dict()
    for name, value in plain.modules.enhancer.state_dict().items():
        assert torch.allclose(one[name], value, atol=1e-6), name


@pytest.mark.parametrize(
    "weights, message",
    [
        ({"a": 1.0}, "exactly one weight"),
        ({"a": 1.0, "b": 0.5, "c": 1.0}, "exactly one weight"),
    ],
)
def test_every_member_has_a_weight(weights, message):
    with pytest.raises(ValueError, match=message):
        TeacherEnsemble({"a": None, "b": None}, weights)


def test_names_are_identifiers():
    with pytest.raises(ValueError, match="bert-base"):
        TeacherEnsemble({"bert-base": None}, {"bert-base": 1.0})


def test_the_ensemble_differs_from_cmkt_in_the_transfer_only():
    def tree(name):
        path = RECIPE / "hparams" / name
        return YAML().load(path.read_text("utf-8"))

    plain, ensemble = tree("cmkt.yaml"), tree("ensemble.yaml")
    changed = {
        key
        for key in {*plain, *ensemble}
        if str(plain.get(key)) != str(ensemble.get(key))
    }
    assert changed == {
        "output_folder",
        "transfer",
        "words_weight",
        "context_weight",
        "context_layer",
        "context_teacher",
    }
