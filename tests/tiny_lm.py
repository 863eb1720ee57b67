"""``cmkt train-lm`` at a size that trains in seconds."""

from click.testing import CliRunner

from cmkt_plugin.cli import main

SMALL = [
    "--width", "32", "--layers", "1", "--steps", "150", "--batch-symbols",
    "512", "--lr", "0.01", "--positions", "32",
]  # fmt: skip


def train_lm(*arguments):
    """Runs the command as a user would."""
    return CliRunner().invoke(main, ["train-lm", *map(str, arguments)])
