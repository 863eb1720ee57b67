"""What all pictures of the report share: style, colours, data URIs."""

import base64
import io
import itertools
import re
import warnings

# Okabe and Ito's palette without its yellow, which is pale on white: told
# apart with every kind of colour vision.
PALETTE = ("#4D4D4D", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9")
# How matplotlib puts a picture into an SVG.
INLINE = re.compile(rb"data:image/png;base64,([\w+/=\s]+)")
GRID = "#DDDDDD"


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
    # Some settings of the style count when a figure is written.
    with style(), warnings.catch_warnings():
        # The browser draws the text, not matplotlib.
        warnings.filterwarnings("ignore", message="Glyph")
        figure.savefig(content, format="svg", metadata=metadata)
    drawn = INLINE.sub(_with_palette, content.getvalue())
    return data_uri("image/svg+xml", drawn)


def _with_palette(found):
    """The picture in an SVG at a third of its size: one byte per point."""
    from PIL import Image

    picture = Image.open(io.BytesIO(base64.b64decode(found[1])))
    smaller = io.BytesIO()
    # Exact: no colour map that is used has more colours.
    picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
        smaller, "png", optimize=True
    )
    return data_uri("image/png", smaller.getvalue()).encode()


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
