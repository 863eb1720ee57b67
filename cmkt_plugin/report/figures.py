"""What all pictures of the report share: style, colours, data URIs."""

import base64
import io
import itertools
import warnings

INSTALL = "pip install 'cmkt_plugin[plot]'"
# Okabe and Ito's palette without its yellow, which is pale on white: told
# apart with every kind of colour vision.
PALETTE = ("#4D4D4D", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9")
GREY, GRID = "#4D4D4D", "#DDDDDD"


def check_matplotlib():
    """Refuses early what could not be drawn.

    Raises
    ------
    ImportError
        If matplotlib is not installed; says how to install it.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"a report needs matplotlib, which is not installed. Run: {INSTALL}"
        ) from error


def colours(names):
    """A colour for each name, the same in every figure.

    Arguments
    ---------
    names : iterable of str
        Names of runs, the baseline first: it is grey.

    Returns
    -------
    dict
        Name to colour; after six they repeat.

    Example
    -------
    >>> colours(["baseline", "cmkt"])
    {'baseline': '#4D4D4D', 'cmkt': '#0072B2'}
    """
    return dict(zip(names, itertools.cycle(PALETTE)))


def style():
    """Matplotlib's own defaults, whatever the user's settings say."""
    from matplotlib import style as styles

    changed = {
        "font.size": 8,
        "axes.titlesize": 8.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "svg.hashsalt": "cmkt",  # ids inside an SVG would be random
        # The browser has fonts for every script; matplotlib for Latin only.
        "svg.fonttype": "none",
    }
    return styles.context(["default", changed])


def svg(figure):
    """A figure as the data URI of an SVG.

    Arguments
    ---------
    figure : matplotlib.figure.Figure
        What to show.

    Returns
    -------
    str
    """
    content = io.BytesIO()
    metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with warnings.catch_warnings():
        # The browser draws the text, not matplotlib.
        warnings.filterwarnings("ignore", message="Glyph")
        figure.savefig(content, format="svg", metadata=metadata)
    return data_uri("image/svg+xml", content.getvalue())


def data_uri(kind, content):
    """Bytes in a page instead of beside it.

    Arguments
    ---------
    kind : str
        Media type.
    content : bytes
        What a file would hold.

    Returns
    -------
    str

    Example
    -------
    >>> data_uri("audio/flac", b"abc")
    'data:audio/flac;base64,YWJj'
    """
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
