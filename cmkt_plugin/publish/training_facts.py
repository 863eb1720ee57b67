"""How a run was trained, read from its files and without this machine's paths.

The YAML is read as nodes: nothing in it is imported or built.
"""

import json
import re
from collections import Counter
from pathlib import Path

from cmkt_plugin.loading.run_config import HYPERPARAMS, best_metric
from cmkt_plugin.loading.yaml_nodes import children, compose
from cmkt_plugin.publish.given_text import members_of
from cmkt_plugin.publish.node_text import class_name, shown

# The embedded teacher is named by the function that finds its folder.
EMBEDDED = {
    "cmkt_plugin.minilm.folder": "sentence-transformers/all-MiniLM-L6-v2"
}
GIVEN = "Transcripts given"  # the right ones, shuffled ones or none at all
RECIPE = re.compile(r"/(recipes/[\w.-]+)/hparams/")
SPLITS = ("train", "valid", "test")


def training_settings(run_folder, summary, experiment):
    """The settings that a reader of the card needs, by name.

    Arguments
    ---------
    run_folder : str or pathlib.Path
        Output folder of ``train.py``.
    summary : dict
        Content of its ``test_summary.json``.
    experiment : dict
        Content of its ``experiment.json``.

    Returns
    -------
    dict
        Name to text; without those of the transfer.
    """
    path = Path(run_folder) / HYPERPARAMS
    run = children(compose(path))
    settings = {
        "Network": _network(children(run["backbone"])["enhancer"])
        + f", {summary['parameters']:,} parameters",
        "Optimizer": shown(run.get("opt_class")),
        "Learning rate": shown(run.get("lr_schedule") or run.get("lr")),
        "Epochs": f"{summary['epochs']}; epoch {summary['best_epoch']} is "
        f"published, the best by {best_metric(path)} on the validation set",
        "Batch": f"{shown(run.get('batch_seconds'))} s of audio",
        "Seed": shown(run.get("seed")),
        "Precision": _flag(experiment["command"], "precision") or "fp32",
    }
    weights = children(children(run.get("objective")).get("weights"))
    for term, weight in weights.items():
        settings[f"Weight of {term}"] = shown(weight)
    minutes = summary.get("train_minutes")
    settings["Machine"] = experiment["machine"]
    if minutes is not None:
        settings["Machine"] += f"; {minutes:.0f} minutes"
    return settings


def _network(enhancer):
    parts = children(enhancer)
    inner = parts.get("net") or parts.get("masknet")
    if inner is None:
        return class_name(enhancer)
    name = class_name(inner)
    if name.endswith("Sequential"):  # says nothing, its layers do
        layers = [n for n in children(inner).values() if n.tag[0] == "!"]
        counts = Counter(map(class_name, layers))
        name = ", ".join(f"{n} {kind}" for kind, n in counts.items())
    return f"{name} as {class_name(enhancer)}"


def transfer_settings(run_folder):
    """What the transfer was, in words: the teacher, its text, the alignment.

    Arguments
    ---------
    run_folder : str or pathlib.Path
        Output folder of ``train.py``.

    Returns
    -------
    dict
        Name to text; empty if the run was trained without a transfer.
    """
    run = children(compose(Path(run_folder) / HYPERPARAMS))
    transfer = children(run.get("transfer"))
    if not transfer:
        return {}
    members = members_of(run["transfer"])
    if "" in members:
        return _one_transfer(transfer)
    found = {"Weights of the teachers": shown(transfer.get("weights"))}
    for name, member in members.items():
        for part, text in _one_transfer(member).items():
            found[f"{part} ({name})"] = text
    return found


def in_short(run_folder):
    """In what a run differs from the one that it is compared with.

    Arguments
    ---------
    run_folder : str or pathlib.Path
        Output folder of ``train.py``.

    Returns
    -------
    str
    """
    seed = children(compose(Path(run_folder) / HYPERPARAMS)).get("seed")
    given = [
        text
        for part, text in transfer_settings(run_folder).items()
        if part.startswith(GIVEN)
    ]
    how = f"the transfer with {', '.join(given)}" if given else "no transfer"
    return f"{how}, seed {shown(seed)}"


def recipe(run_folder):
    """The recipe that a run was made with, such as ``recipes/Voicebank``.

    Arguments
    ---------
    run_folder : str or pathlib.Path
        Output folder of ``train.py``; the head of its YAML says it.

    Returns
    -------
    str or None
    """
    text = (Path(run_folder) / HYPERPARAMS).read_text(encoding="utf-8")
    found = RECIPE.search(text)
    return found and found[1]


def _one_transfer(transfer):
    teacher = children(transfer.get("teacher"))
    layer = shown(teacher.get("layer"))
    if layer == "null":
        layer = "its input embeddings"
    found = {
        "Teacher": f"{_source(teacher.get('source'))}, layer: {layer}",
        "Tokens": shown(teacher.get("units")),
    }
    for name, key in (
        ("Transcripts", "transcripts"),
        (GIVEN, "control"),
        ("Aligner", "aligner"),
        ("Targets", "standardization"),
        ("Misalignment", "shifted_alignment"),
    ):
        if key in transfer:
            found[name] = shown(transfer[key])
    return found


def _source(node):
    function = getattr(node, "tag", "").rpartition(":")[2]
    return EMBEDDED.get(function) or shown(node)


def data_facts(run_folder):
    """Number and hours of the utterances of each set.

    Arguments
    ---------
    run_folder : str or pathlib.Path
        Output folder of ``train.py``, with ``save/train.json`` and the like.

    Returns
    -------
    dict
        Set to ``utterances``, ``hours``, ``speakers`` and ``words`` (all
        transcripts as one text); a set without an annotation is not in it.
    """
    facts = {}
    for split in SPLITS:
        path = Path(run_folder) / "save" / f"{split}.json"
        if path.is_file():
            entries = json.loads(path.read_text(encoding="utf-8")).values()
            facts[split] = {
                "utterances": len(entries),
                "hours": sum(float(e["length"]) for e in entries) / 3600,
                "speakers": len({e["speaker"] for e in entries}),
                "words": " ".join(e.get("words") or "" for e in entries),
            }
    return facts


def _flag(text, name):
    found = re.search(rf"--{name}[= ](\S+)", text)
    return found[1].strip("'\"") if found else None
