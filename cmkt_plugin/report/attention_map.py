"""The attention of tokens over frames, beside the same over other acoustics.

A query that knows where its token stands draws a diagonal whatever it hears.
What the map says about listening is how it differs from the map of the same
words over another utterance.
"""

from dataclasses import dataclass

import numpy as np

from cmkt_plugin.report.figures import style, svg
from cmkt_plugin.report.spectrograms import seen
from cmkt_plugin.spectrogram import paint

# Part of the variance that two maps share from which on they show the same.
ALIKE, MOSTLY = 0.8, 0.5
WIDTH = 9.5  # inches
TALLEST = 11  # inches of a map; more tokens get less room each


@dataclass
class AttentionMap:
    """The maps of one utterance.

    Arguments
    ---------
    tokens : list of str
        The rows.
    own, other : numpy.ndarray
        Coupling (tokens, frames) over its own acoustics and over another
        utterance's.
    """

    tokens: list
    own: np.ndarray
    other: np.ndarray

    @property
    def correlation(self):
        """Pearson's, over relative time; None if a map is constant."""
        return correlation(self.own, self.other)

    @property
    def verdict(self):
        """What the two maps together allow to say."""
        found = self.correlation
        if found is None:
            return "A map is constant: no token prefers any frame."
        shared = max(found, 0) ** 2
        said = (
            f"Correlation of the two maps: {found:.2f} ({shared:.0%} of the "
            "variance in common)."
        )
        if shared >= ALIKE:
            return (
                f"{said} They look alike: what is seen here hardly depends "
                "on what was heard."
            )
        if shared >= MOSTLY:
            return (
                f"{said} Most of what is seen here is the same whatever was "
                "heard."
            )
        return (
            f"{said} They differ: where the tokens look depends on what was "
            "heard (which alone does not prove that words were recognised: "
            "see the retrieval)."
        )


def correlation(own, other):
    """Pearson's correlation of two maps of the same tokens.

    Arguments
    ---------
    own, other : numpy.ndarray
        (tokens, frames); the numbers of frames may differ: the second is
        stretched to the first.

    Returns
    -------
    float or None

    Example
    -------
    >>> own = np.eye(4)
    >>> round(correlation(own, own), 3), correlation(own, np.ones((4, 4)))
    (1.0, None)
    >>> correlation(own, own[::-1]) < 0
    True
    """
    at = (np.arange(own.shape[1]) + 0.5) / own.shape[1]
    frames = (np.arange(other.shape[1]) + 0.5) / other.shape[1]
    stretched = np.stack([np.interp(at, frames, row) for row in other])
    if min(own.std(), stretched.std()) < 1e-9:
        return None
    return float(np.corrcoef(own.ravel(), stretched.ravel())[0, 1])


def map_attention(listener, tokens, own, other):
    """The maps of an utterance and their control.

    Arguments
    ---------
    listener : cmkt_plugin.report.listener.Listener
        The aligner with its student.
    tokens : tuple
        Embeddings (tokens, width) and their strings, of the utterance.
    own, other : Utterance
        The utterance, and whose acoustics are put in its place.

    Returns
    -------
    AttentionMap

    Raises
    ------
    ValueError
        If the utterance has no tokens.
    """
    embeddings, strings = tokens
    if not strings:
        raise ValueError(f"{own.name} has no tokens")
    return AttentionMap(
        strings,
        *(
            listener.coupling(listener.latent(given.noisy), embeddings)
            for given in (own, other)
        ),
    )


def picture(found, own, other):
    """Both maps, each under the spectrogram on its own time axis.

    Arguments
    ---------
    found : AttentionMap
        What to draw.
    own, other : Utterance
        As in ``map_attention``.

    Returns
    -------
    str
        Data URI of an SVG.
    """
    from matplotlib.figure import Figure

    rows = min(0.17 * len(found.tokens) + 0.5, TALLEST)
    with style():
        figure = Figure((WIDTH, rows + 1.9), layout="constrained")
        axes = figure.subplots(
            2, 2, sharex="col", height_ratios=[1.3, rows], squeeze=False
        )
        sides = ((own, found.own), (other, found.other))
        # In parts per frame a longer utterance would look paler.
        shown = [coupling * coupling.shape[1] for _, coupling in sides]
        highest = max(coupling.max() for coupling in shown)
        titles = ("its own acoustics", "acoustics of another utterance")
        for column, (given, _), title in zip(axes.T, sides, titles):
            column[0].set_title(f"{title}: {given.name} (clean shown)")
            drawn = seen(given.clean, given.rate)
            paint(column[0], drawn, drawn.loudest)
        for column, (given, _), coupling in zip(axes.T, sides, shown):
            image = _draw_map(column[1], coupling, given, highest)
        # Words may hold what matplotlib would take for formulas.
        axes[0, 1].set_ylabel("")
        size = min(8, 72 * rows / len(found.tokens))
        places = range(len(found.tokens))
        axes[1, 0].set_yticks(
            places, found.tokens, parse_math=False, fontsize=size
        )
        axes[1, 1].set_yticks(places, [""] * len(places))
        figure.colorbar(
            image, ax=axes, pad=0.02, label="attention, 1: even over all frames"
        )
        return svg(figure)


def _draw_map(panel, coupling, given, highest):
    panel.set_xlabel("Time (s)")
    return panel.imshow(
        coupling,
        aspect="auto",
        # The first token on top, as one reads.
        extent=(0, len(given.noisy) / given.rate, len(coupling) - 0.5, -0.5),
        vmin=0,
        vmax=highest,
        cmap="viridis",
        interpolation="none",
    )


def nearest_in_length(name, lengths, words):
    """The utterance whose acoustics serve as the control.

    Arguments
    ---------
    name : str
        The utterance.
    lengths : dict
        Utterance to seconds.
    words : callable
        Gives the transcript of an utterance.

    Returns
    -------
    str
        One of nearly the same duration with other words.

    Raises
    ------
    ValueError
        If there is none.

    Example
    -------
    >>> words = {"a": "one", "b": "one", "c": "two"}
    >>> nearest_in_length("a", {"a": 2.0, "b": 2.0, "c": 9.0}, words.get)
    'c'
    """
    others = [o for o in lengths if o != name and words(o) != words(name)]
    if not others:
        raise ValueError(f"no utterance says something else than {name}")
    return min(others, key=lambda o: (abs(lengths[o] - lengths[name]), o))
