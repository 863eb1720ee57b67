"""One experiment in one folder: its identity, its training, its result."""

import gc
import hashlib
import json
from pathlib import Path

import torch
from hyperpyyaml import resolve_references
from ruamel.yaml import YAML
from speechbrain.utils.distributed import if_main_process, run_on_main

from cmkt_plugin import provenance
from cmkt_plugin.atomic import write_text
from cmkt_plugin.dataset import (
    equal_length_batches,
    make_dataset,
    spread,
    training_batches,
)
from cmkt_plugin.exporting.export import export
from cmkt_plugin.knobs import check_knobs
from cmkt_plugin.visual.lip_items import add_lips, has_lips

# What a resumed run must share with the run that it resumes, by YAML key.
IDENTITY = {
    "model": ("seed", "backbone"),
    "data": (
        "data_folder",
        "valid_speakers",
        "speakers",
        "train_splits",
        "valid_splits",
        "test_splits",
        "skip_bad",
        "mixing",
    ),
    "objective": ("objective",),
    "teacher or transfer": ("teacher", "transcripts", "transfer"),
    "corpus or split": ("reader", "split"),
    "lips": ("lip_regions", "lip_control"),
    "predictive stage": ("predictive_run",),
}
# Keys left out: places on disk; the tapped module, which is the model; the
# end of a schedule, which more epochs move.
ELSEWHERE = {"cache_folder", "save_path", "module", "last"}


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
        If the folder was made with another model, data or teacher, or a knob
        is misspelt.
    """
    check_knobs(hparams_file, overrides)
    fingerprint = identify(hparams_file, overrides)
    record = Path(output_folder) / "experiment.json"
    # Without a checkpoint there is nothing to mix: a run that stopped at a
    # wrong flag is started again with the right one.
    if record.exists() and any(Path(output_folder).glob("save/CKPT*")):
        found = json.loads(record.read_text())
        check_identity(fingerprint, found, record)
        found = add_resumption(found, provenance.record())
    else:
        found = {**provenance.record(), "fingerprint": fingerprint}
    if if_main_process():
        write_text(record, json.dumps(found, indent=2) + "\n")


def add_resumption(found, now):
    """Notes a command that resumes a run otherwise than it was begun.

    Arguments
    ---------
    found : dict
        The record of the run.
    now : dict
        The record of the command that resumes it.

    Returns
    -------
    dict
        ``found``, with the command in ``resumed`` if it is not the last one:
        with more epochs, the first alone does not make the model again.

    Example
    -------
    >>> now = {"command": "train.py --epochs 2", "commit": "c", "date": "d"}
    >>> found = add_resumption({"command": "train.py --epochs 1"}, now)
    >>> found["resumed"]
    [{'command': 'train.py --epochs 2', 'commit': 'c', 'date': 'd'}]
    >>> add_resumption(found, now) == found
    True
    """
    resumed = found.get("resumed", [])
    if now["command"] == [found, *resumed][-1]["command"]:
        return found
    told = {key: now[key] for key in ("command", "commit", "date")}
    return {**found, "resumed": [*resumed, told]}


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
        A hash of every part in ``IDENTITY`` that the file has.
    """
    with open(hparams_file, encoding="utf-8") as file:
        tree = YAML().load(resolve_references(file, overrides))
    for folder in ("data_folder", "predictive_run"):
        if folder in tree:
            tree[folder] = str(Path(tree[folder]).resolve())
    return {
        part: hashlib.sha256(
            repr([plain(tree.get(key)) for key in keys]).encode()
        ).hexdigest()[:16]
        for part, keys in IDENTITY.items()
        if any(key in tree for key in keys)
    }


def plain(node):
    """A YAML node as nested tuples, tags included, comments left out."""
    tag = str(getattr(node, "tag", None))
    if isinstance(node, dict):
        items = tuple((str(k), plain(v)) for k, v in node.items())
        return tag, tuple(i for i in items if i[0] not in ELSEWHERE)
    if isinstance(node, (list, tuple)):
        return tag, tuple(plain(item) for item in node)
    # An object without arguments is a scalar, of which the tag tells all.
    value = str(getattr(node, "value", node))
    return f"{tag} {value}" if tag.startswith("!") else value


def check_identity(fingerprint, found, record):
    """Compare a fingerprint with the one that a folder holds."""
    made = found["fingerprint"]
    changed = [
        part
        for part in {**fingerprint, **made}
        if made.get(part) != fingerprint.get(part)
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

    Raises
    ------
    ValueError
        If a set has lips and the YAML does not say what is shown of them.
    """
    mixing = hparams["mixing"] or {}
    datasets = {
        name: make_dataset(
            hparams[f"{name}_annotation"],
            roots_of(hparams, name),
            mixing.get(name),
        )
        for name in ("train", "valid", "test")
    }
    for name, dataset in datasets.items():
        if has_lips(dataset):
            control = lip_control(hparams, name)
            add_lips(dataset, control, mixing.get(name))
    datasets["valid"] = spread(datasets["valid"], hparams["valid_items"])
    if hparams["transfer"] is not None:
        hparams["transfer"].prepare(
            {name: datasets[name] for name in ("train", "valid")}
        )
    return datasets


def lip_control(hparams, split):
    """What is shown of a set's lips."""
    if "lip_control" not in hparams:
        raise ValueError(
            f"{hparams[f'{split}_annotation']} has lips, and the YAML file has "
            "no lip_control: expected, for train, valid and test, "
            "!new:cmkt_plugin.visual.lip_control.OwnLips or another control, "
            "as in recipes/AVSE/hparams/audio_visual.yaml"
        )
    return hparams["lip_control"][split]


def roots_of(hparams, split):
    """The folders that names in the annotation of a set stand for.

    Arguments
    ---------
    hparams : dict
        The loaded YAML.
    split : str
        ``train``, ``valid`` or ``test``.

    Returns
    -------
    dict
        ``data_root`` and, for mixtures, ``noise_root`` and ``rir_root``.
    """
    roots = {"data_root": str(hparams["data_folder"])}
    if hparams["mixing"] is not None:
        sampler = hparams["mixing"][split]
        for name, folder in (
            ("noise_root", sampler.noise),
            ("rir_root", sampler.rirs),
        ):
            if folder is not None:
                roots[name] = str(folder.folder)
    return roots


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

    Raises
    ------
    FileNotFoundError
        If a part that an earlier run trains is not there.
    """
    if "pretrainer" in hparams:
        load_pretrained(hparams["pretrainer"])
    modules = dict(hparams["modules"])
    if hparams["transfer"] is not None:
        for prefix, member in hparams["transfer"].members.items():
            modules[f"{prefix}aligner"] = member.aligner
            hparams["checkpointer"].add_recoverable(
                f"{prefix}aligner", member.aligner
            )
    return hparams["brain"](
        modules=modules,
        opt_class=hparams["opt_class"],
        hparams=hparams,
        run_opts=run_opts,
        checkpointer=hparams["checkpointer"],
    )


def load_pretrained(pretrainer):
    """Load parts that an earlier run trained.

    Arguments
    ---------
    pretrainer : speechbrain.utils.parameter_transfer.Pretrainer
        With a path for each of its parts.

    Raises
    ------
    FileNotFoundError
        If the earlier run has not come that far.
    """
    for name, path in pretrainer.paths.items():
        if not Path(path).is_file():
            raise FileNotFoundError(
                f"{path}, the trained '{name}' of this experiment, is missing: "
                "train it first, to the end (python train.py HPARAMS "
                f"--output_folder {Path(path).parent.parent}), or name the "
                "folder of the run that did"
            )
    pretrainer.collect_files()
    pretrainer.load_collected()


def loader_options(dataset, hparams):
    """Loader options of an evaluation: batches without padding."""
    batches = equal_length_batches(dataset, hparams["evaluation_batch_size"])
    return {**hparams["dataloader_options"], "batch_sampler": batches}


def fit(brain, datasets, hparams):
    """Train, or go on where an earlier run stopped.

    Arguments
    ---------
    brain : cmkt_plugin.brain.EnhancementBrain
        From ``make_brain``.
    datasets : dict
        From ``make_datasets``.
    hparams : dict
        The loaded YAML.
    """
    batches = training_batches(
        datasets["train"],
        hparams["batch_seconds"],
        hparams["num_buckets"],
        hparams["seed"],
    )
    # SpeechBrain moves the sampler to the epoch only if it made it itself.
    brain.train_sampler = batches
    options = {**hparams["dataloader_options"], "batch_sampler": batches}
    brain.fit(
        hparams["epoch_counter"],
        datasets["train"],
        datasets["valid"],
        train_loader_kwargs=options,
        valid_loader_kwargs=loader_options(datasets["valid"], hparams),
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
    fit(brain, datasets, hparams)
    brain.evaluate(
        datasets["test"],
        max_key=hparams["best_metric"],
        test_loader_kwargs=loader_options(datasets["test"], hparams),
    )
    folder = Path(hparams["output_folder"])
    run_on_main(export, args=[folder, folder / "export"])
    # Last: the summary says that the run is complete.
    run_on_main(brain.write_summary, args=[folder / "test_summary.json"])


def leave_process_group():
    """End a distributed run together.

    A process that ends with its group alive may be aborted by gloo's threads
    after all its work is done, and torchrun then reports a failure.
    """
    if torch.distributed.is_initialized():
        torch.distributed.barrier()
        gc.collect()  # the wrapped modules hold on to the group
        torch.distributed.destroy_process_group()
