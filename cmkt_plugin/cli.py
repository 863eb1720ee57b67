"""The console entry point ``cmkt``; its verbs are in ``cmkt_plugin.verbs``."""

import importlib
import pkgutil

import click

from cmkt_plugin import __version__, verbs
from cmkt_plugin.clean_errors import in_one_line


class Verbs(click.Group):
    """Finds each verb in the module of its name and shows clean errors."""

    def list_commands(self, ctx):
        """Names of all verbs."""
        modules = pkgutil.iter_modules(verbs.__path__)
        return sorted(module.name.replace("_", "-") for module in modules)

    def get_command(self, ctx, name):
        """The verb of a name; None if there is none."""
        if name not in self.list_commands(ctx):
            return None
        module = f"{verbs.__name__}.{name.replace('-', '_')}"
        return importlib.import_module(module).command

    def invoke(self, ctx):
        """Show errors that are no fault of the code as one line."""
        try:
            with in_one_line():
                return super().invoke(ctx)
        except ImportError as error:
            if error.name is not None:  # a fault, not an extra to install
                raise
            raise click.ClickException(str(error))


@click.group(cls=Verbs)
@click.version_option(__version__)
def main():
    """Speech enhancement taught by a language model."""
