"""The verbs of ``cmkt``: one module each, its command named ``command``.

What a verb needs is imported inside it: `cmkt --help` must not load torch.
"""

import click


def progress(line):
    """Say how it goes, apart from what a verb prints as its result."""
    click.echo(line, err=True)
