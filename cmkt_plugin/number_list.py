"""Numbers with commas between them, as an option of a verb."""

import click


class NumberList(click.ParamType):
    """Option of positive numbers: ``--lengths 10,60``.

    Example
    -------
    >>> NumberList()("10,0.5")
    [10.0, 0.5]
    """

    name = "N,N,..."

    def convert(self, value, param, ctx):
        """The numbers; a usage error names what is none."""
        if isinstance(value, list):  # a default
            return value
        try:
            numbers = [float(part) for part in value.split(",")]
        except ValueError:
            numbers = []
        if not numbers or not all(0 < number < 1e9 for number in numbers):
            self.fail(
                f"{value!r}: expected numbers above 0 with commas between "
                "them, such as 10,60",
                param,
                ctx,
            )
        return numbers
