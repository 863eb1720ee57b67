"""Folders that ``export`` made: how they are told and replaced."""

from pathlib import Path

from cmkt_plugin.loading.run_config import HYPERPARAMS
from cmkt_plugin.loading.yaml_nodes import children, compose

INTERFACES = ("speechbrain.inference.", "cmkt_plugin.inference.")


def is_export(folder):
    """Whether a folder's YAML names the interface to load it.

    Arguments
    ---------
    folder : pathlib.Path
        Any folder.

    Returns
    -------
    bool
    """
    path = folder / HYPERPARAMS
    if not path.is_file():
        return False
    interface = children(compose(path)).get("interface")
    return str(getattr(interface, "value", "")).startswith(INTERFACES)


def run_hyperparams(run_folder, refusal):
    """The YAML of a run; refuses what is none, an export above all.

    Arguments
    ---------
    run_folder : str or pathlib.Path
        Output folder of ``train.py``.
    refusal : str
        What is said of an export: that it is one, and what is wanted.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the folder is an export.
    """
    path = Path(run_folder) / HYPERPARAMS
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} not found: expected the output folder of train.py"
        )
    if is_export(path.parent):
        raise ValueError(f"{run_folder} {refusal}")
    return path


def may_replace(folder):
    """Whether a folder is an export or empty: nothing of value is lost.

    Arguments
    ---------
    folder : pathlib.Path
        What would be replaced.

    Returns
    -------
    bool
    """
    return folder.is_dir() and (is_export(folder) or not any(folder.iterdir()))


def replace_folder(folder, new):
    """Puts ``new`` in place of a folder, or leaves the folder there.

    Arguments
    ---------
    folder : pathlib.Path
        Where ``new`` goes; may exist.
    new : pathlib.Path
        The folder that takes its place, on the same file system.
    """
    old = new.with_name("old")
    if folder.exists():
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
