"""Whether pictures can be drawn: matplotlib is an extra."""

INSTALL = "pip install 'cmkt_plugin[plot]'"


def check_matplotlib(what, way_out=INSTALL):
    """Refuses early what could not be drawn.

    Arguments
    ---------
    what : str
        What needs it.
    way_out : str
        What to do.

    Raises
    ------
    ImportError
        If matplotlib is not installed; says how to install it.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"{what} needs matplotlib, which is not installed: {way_out}"
        ) from error
