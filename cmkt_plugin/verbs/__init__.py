"""The verbs of ``cmkt``: one module each, its command named ``command``.

What a verb needs is imported inside it: `cmkt --help` must not load torch.
"""

import click
from click.core import ParameterSource


def progress(line):
    """Say how it goes, apart from what a verb prints as its result."""
    click.echo(line, err=True)


def root_folders(data_root, noise_root=None, rir_root=None):
    """What the roots in an annotation's paths stand for.

    Arguments
    ---------
    data_root, noise_root, rir_root : str or None
        Folders, as given to a verb.

    Returns
    -------
    dict
        A root that was not given stays as it stands: a verb that reads
        nothing there does without, and the error of one that does names it.

    Example
    -------
    >>> root_folders("corpus")["noise_root"]
    '{noise_root}'
    """
    given = {
        "data_root": data_root,
        "noise_root": noise_root,
        "rir_root": rir_root,
    }
    return {name: root or f"{{{name}}}" for name, root in given.items()}


def refuse_beside(ctx, option, *others):
    """Refuse options that another one makes meaningless.

    Arguments
    ---------
    ctx : click.Context
        Of the command.
    option : str
        The parameter that was given, such as ``kmeans``.
    *others : str
        Parameters that must not be given too; their defaults may stand.

    Raises
    ------
    ValueError
        If one is given.
    """
    for other in others:
        if ctx.get_parameter_source(other) is not ParameterSource.DEFAULT:
            raise ValueError(
                f"--{other} and --{option} exclude each other: leave one out."
            )
