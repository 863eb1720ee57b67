"""One experiment in one folder: its identity, its training, its result."""

import hashlib
import json
from pathlib import Path

from hyperpyyaml import resolve_references
from ruamel.yaml import YAML
from speechbrain.utils.distributed import if_main_process, run_on_main

from cmkt_plugin import provenance
from cmkt_plugin.atomic import write_text
from cmkt_plugin.dataset import (
    equal_length_batches,
    make_dataset,
    training_batches,
)
from cmkt_plugin.export import export

# What a resumed run must share with the run that it resumes, by YAML key.
IDENTITY = {
    "model": ("seed", "backbone"),
    "data": ("data_folder", "valid_speakers", "skip_bad"),
    "teacher": ("teacher", "transfer"),
}


def start_experiment(hparams_file, overrides, output_folder):
    """Record what an experiment is, or refuse a folder made by another.

    Arguments
    ---------
    hparams_file : str
        The YAML file of the experiment.
    overrides : str
        What the command line changed in it.
    output_folder : str
        Its folder; new, or made by the same experiment, which is resumed.

    Raises
    ------
    ValueError
        If the folder was made with another model, data or teacher.
    """
    fingerprint = identify(hparams_file, overrides)
    record = Path(output_folder) / "experiment.json"
    if record.exists():
        check_identity(fingerprint, json.loads(record.read_text()), record)
    elif if_main_process():
        text = {**provenance.record(), "fingerprint": fingerprint}
        write_text(record, json.dumps(text, indent=2) + "\n")


def identify(hparams_file, overrides):
    """Hash the parts of a YAML file that make an experiment what it is.

    Arguments
    ---------
    hparams_file : str
        The YAML file.
    overrides : str
        What the command line changes in it.

    Returns
    -------
    dict
        A hash of each of ``model``, ``data`` and ``teacher``.
    """
    with open(hparams_file, encoding="utf-8") as file:
        tree = YAML().load(resolve_references(file, overrides))
    return {
        part: hashlib.sha256(
            repr([plain(tree.get(key)) for key in keys]).encode()
        ).hexdigest()[:16]
        for part, keys in IDENTITY.items()
    }


def plain(node):
    """A YAML node as nested tuples, tags included, comments left out."""
    tag = str(getattr(node, "tag", None))
    if isinstance(node, dict):
        items = tuple((str(k), plain(v)) for k, v in node.items())
        return tag, tuple(i for i in items if i[0] != "cache_folder")
    if isinstance(node, (list, tuple)):
        return tag, tuple(plain(item) for item in node)
    return str(getattr(node, "value", node))


def check_identity(fingerprint, found, record):
    """Compare a fingerprint with the one that a folder holds."""
    changed = [
        part
        for part, value in fingerprint.items()
        if found["fingerprint"].get(part) != value
    ]
    if changed:
        raise ValueError(
            f"{record.parent} holds an experiment with another "
            f"{' and '.join(changed)} (made by: {found['command']}). Resuming "
            "would mix the two: choose another --output_folder, or remove "
            "this one. More epochs alone resume it."
        )


def make_datasets(hparams):
    """The three sets; transcripts are joined to the training ones.

    Arguments
    ---------
    hparams : dict
        The loaded YAML.

    Returns
    -------
    dict
        ``train``, ``valid`` and ``test`` datasets.
    """
    datasets = {
        name: make_dataset(
            hparams[f"{name}_annotation"], str(hparams["data_folder"])
        )
        for name in ("train", "valid", "test")
    }
    if hparams["transfer"] is not None:
        hparams["transfer"].prepare(
            {name: datasets[name] for name in ("train", "valid")}
        )
    return datasets


def make_brain(hparams, run_opts):
    """The Brain of the YAML, with the transfer's aligner where there is one.

    Arguments
    ---------
    hparams : dict
        The loaded YAML.
    run_opts : dict
        SpeechBrain's run options.

    Returns
    -------
    cmkt_plugin.brain.EnhancementBrain
    """
    modules = dict(hparams["modules"])
    if hparams["transfer"] is not None:
        modules["aligner"] = hparams["transfer"].aligner
        hparams["checkpointer"].add_recoverable("aligner", modules["aligner"])
    return hparams["brain"](
        modules=modules,
        opt_class=hparams["opt_class"],
        hparams=hparams,
        run_opts=run_opts,
        checkpointer=hparams["checkpointer"],
    )


def train_and_test(hparams, run_opts):
    """Train, evaluate the best checkpoint, export it.

    Arguments
    ---------
    hparams : dict
        The loaded YAML; its annotations exist.
    run_opts : dict
        SpeechBrain's run options.
    """
    datasets = make_datasets(hparams)
    brain = make_brain(hparams, run_opts)
    options = hparams["dataloader_options"]
    batches = training_batches(
        datasets["train"],
        hparams["batch_seconds"],
        hparams["num_buckets"],
        hparams["seed"],
    )
    # SpeechBrain moves the sampler to the epoch only if it made it itself.
    brain.train_sampler = batches
    evaluation = {
        name: {
            **options,
            "batch_sampler": equal_length_batches(
                datasets[name], hparams["evaluation_batch_size"]
            ),
        }
        for name in ("valid", "test")
    }
    brain.fit(
        hparams["epoch_counter"],
        datasets["train"],
        datasets["valid"],
        train_loader_kwargs={**options, "batch_sampler": batches},
        valid_loader_kwargs=evaluation["valid"],
    )
    brain.evaluate(
        datasets["test"],
        max_key=hparams["best_metric"],
        test_loader_kwargs=evaluation["test"],
    )
    folder = Path(hparams["output_folder"])
    run_on_main(export, args=[folder, folder / "export"])
