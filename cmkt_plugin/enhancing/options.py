"""Options that the commands have in common which enhance many files."""

from functools import partial

import click

from cmkt_plugin.option_groups import GroupedOption

option = partial(click.option, cls=GroupedOption)
model = partial(option, group="Model")
draw = partial(option, group="Diffusion models")
sound = partial(option, group="Sound")
work = partial(option, group="Work")
POSITIVE = click.FloatRange(min=0, min_open=True)

MODEL = (
    model(
        "-m",
        "--model",
        metavar="MODEL",
        required=True,
        help="Output folder of a training, an export, or a name on the hub.",
    ),
    model(
        "--revision",
        metavar="NAME",
        help="Of a model on the hub: branch, tag or commit.",
    ),
    model(
        "--savedir", metavar="FOLDER", help="Where a model of the hub is put."
    ),
    model(
        "--trust",
        is_flag=True,
        help="Run whatever the model's YAML names. Without it, only known "
        "classes are built and nothing is unpickled.",
    ),
)
DRAW = (
    draw(
        "--steps",
        metavar="N",
        type=click.IntRange(min=1),
        help="Steps of the sampler: fewer are faster.  [default: the model's]",
    ),
    draw(
        "--seed",
        metavar="S",
        type=int,
        help="Of what is drawn; the same gives the same samples.  [default: "
        "the model's]",
    ),
)
SOUND = (
    sound(
        "--dry-wet",
        metavar="SHARE",
        type=click.FloatRange(0, 1),
        default=1.0,
        show_default=True,
        help="How much is enhanced: 0 gives the input, 1 the model's output.",
    ),
    sound(
        "--keep-high-band",
        is_flag=True,
        help="Keep what lies above the model's band as it is in the input.",
    ),
    sound(
        "--window",
        metavar="SECONDS",
        type=POSITIVE,
        help="What is enhanced at a time of a long recording.",
    ),
    sound(
        "--context",
        metavar="SECONDS",
        type=POSITIVE,
        help="What a window hears of its neighbours, on each side.",
    ),
)
WORK = (
    work(
        "--device",
        metavar="NAME",
        help="Such as cpu or cuda:1.  [default: a GPU if there is one]",
    ),
    work(
        "--jobs",
        metavar="N",
        type=click.IntRange(min=1),
        help="Files at a time.  [default: cores; 1 on a GPU]",
    ),
    work("--resume", is_flag=True, help="Leave out what is done already."),
)


def options(*groups):
    """Gives a command the options of several groups.

    Arguments
    ---------
    *groups : tuple of callable
        Each of decorators such as ``MODEL``.

    Returns
    -------
    callable
        A decorator.

    Example
    -------
    >>> @options(MODEL, WORK)
    ... def command(**settings):
    ...     pass
    >>> [o.name for o in reversed(command.__click_params__)][:2]
    ['model', 'revision']
    """

    def decorate(command):
        for decorator in reversed([one for group in groups for one in group]):
            command = decorator(command)
        return command

    return decorate
