"""Numbers with commas between them, as an option of a verb."""

import click


class NumberList(click.ParamType):
    """Option of positive numbers: ``--lengths 10,60``.

    Arguments
    ---------
    kind : type
        ``float``, or ``int`` for whole numbers.

    Example
    -------
    >>> NumberList()("10,0.5")
    [10.0, 0.5]
    >>> NumberList(int)("30,4")
    [30, 4]
    """

    name = "N,N,..."

    def __init__(self, kind=float):
        self.kind = kind

    def convert(self, value, param, ctx):
        """The numbers; a usage error names what is none."""
        if isinstance(value, list):  # a default
            return value
        try:
            numbers = [self.kind(part) for part in value.split(",")]
        except ValueError:
            numbers = []
        if not numbers or not all(0 < number < 1e9 for number in numbers):
            what = "whole numbers" if self.kind is int else "numbers"
            self.fail(
                f"{value!r}: expected {what} above 0 with commas between "
                "them, such as 10,60",
                param,
                ctx,
            )
        return numbers
