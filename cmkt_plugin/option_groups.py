"""Options of a command under headings, as `--help` shows them."""

import click


class GroupedOption(click.Option):
    """An option with the heading that it is listed under.

    Arguments
    ---------
    group : str
        The heading.
    *arguments, **settings
        As for ``click.Option``.
    """

    def __init__(self, *arguments, group, **settings):
        super().__init__(*arguments, **settings)
        self.group = group


class GroupedCommand(click.Command):
    """A command whose options are listed under their headings.

    Example
    -------
    >>> option = GroupedOption(["--jobs"], group="Speed", help="Threads.")
    >>> command = GroupedCommand("run", params=[option])
    >>> print(command.get_help(click.Context(command, info_name="run")))
    Usage: run [OPTIONS]
    <BLANKLINE>
    Speed:
      --jobs TEXT  Threads.
    <BLANKLINE>
    Other:
      --help  Show this message and exit.
    """

    def format_options(self, ctx, formatter):
        """Write the options, heading by heading."""
        groups = {}
        for parameter in self.get_params(ctx):
            if isinstance(parameter, click.Option):
                group = getattr(parameter, "group", "Other")
                shown = parameter.get_help_record(ctx)
                groups.setdefault(group, []).append(shown)
        for heading, options in groups.items():
            with formatter.section(heading):
                formatter.write_dl(options)
