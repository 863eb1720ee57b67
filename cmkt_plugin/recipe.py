"""What every recipe's train.py does; they differ in the preparation."""

import inspect
import sys
from pathlib import Path

import speechbrain as sb
from hyperpyyaml import load_hyperpyyaml
from speechbrain.utils.distributed import ddp_init_group, run_on_main

from cmkt_plugin.experiment import (
    leave_process_group,
    load_pretrained,
    roots_of,
    start_experiment,
    train_and_test,
)
from cmkt_plugin.mixing.disjoint import check_disjoint
from cmkt_plugin.mixing.entries import read_entries, read_noisy_entries
from cmkt_plugin.mixing.manifest import write_manifest
from cmkt_plugin.training_data import check_training_data


def run_recipe(prepare):
    """Train, evaluate and export as the command line says.

    Arguments
    ---------
    prepare : callable
        Writes the annotations of the corpus; gets those keys of the YAML that
        its signature names.
    """
    hparams_file, run_opts, overrides = sb.parse_arguments(sys.argv[1:])
    ddp_init_group(run_opts)
    with open(hparams_file, encoding="utf-8") as file:
        hparams = load_hyperpyyaml(file, overrides)

    start_experiment(hparams_file, overrides, hparams["output_folder"])
    sb.create_experiment_directory(
        experiment_directory=hparams["output_folder"],
        hyperparams_to_save=hparams_file,
        overrides=overrides,
    )
    run_on_main(check_sources, args=[hparams])
    run_on_main(prepare, kwargs=arguments(prepare, hparams))
    if hparams["mixing"] is not None:
        run_on_main(write_manifests, args=[hparams])
    run_on_main(check_training_data, args=[hparams])
    train_and_test(hparams, run_opts)
    leave_process_group()


def arguments(prepare, hparams):
    """Those values of the YAML that a preparation asks for.

    Example
    -------
    >>> def prepare(data_folder, jobs=None):
    ...     pass
    >>> arguments(prepare, {"data_folder": "D", "seed": 1})
    {'data_folder': 'D'}
    """
    names = inspect.signature(prepare).parameters
    return {name: hparams[name] for name in names if name in hparams}


def check_sources(hparams):
    """Refuses what would stop the run after a long preparation.

    Arguments
    ---------
    hparams : dict
        The loaded YAML.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no noise for a set, or no earlier run, or one of another
        model, where the training begins with its weights.
    """
    if "pretrainer" in hparams:
        load_pretrained(hparams["pretrainer"])
    mixing = hparams["mixing"]
    if mixing is None:
        return
    mixing["train"].check_folders()
    for split in ("valid", "test"):
        if draws_mixtures(hparams, split):
            mixing[split].check_folders()


def draws_mixtures(hparams, split):
    """Whether this run draws the mixtures of a set, or finds them written.

    Any other annotation than the experiment's own (a published manifest, the
    validation set in the place of the test set) is read as it is.
    """
    save_folder = Path(hparams["save_folder"])
    path = Path(hparams[f"{split}_annotation"])
    if path != save_folder / f"{split}.json":
        return False
    trained = any(save_folder.glob("CKPT*"))
    return not (trained and path.is_file())


def write_manifests(hparams):
    """Mixtures of validation and test, fixed before the training starts."""
    mixing, save_folder = hparams["mixing"], Path(hparams["save_folder"])
    train = read_entries(hparams["train_annotation"])
    sampler = mixing["train"]
    rirs = sampler.rirs if sampler.rir_probability > 0 else None
    for split in ("valid", "test"):
        path = Path(hparams[f"{split}_annotation"])
        roots = roots_of(hparams, split)
        if draws_mixtures(hparams, split):
            clean = read_entries(save_folder / f"{split}_clean.json")
            # Rendered once: silent spans of noise are drawn again now.
            write_manifest(clean, mixing[split], path, roots, checksums=True)
        check_disjoint(
            train, sampler.noise, read_noisy_entries(path), roots, rirs
        )
