"""The bigram model that a language model of our own has to beat."""

import numpy as np
from scipy.sparse import csr_array


class BigramModel:
    """Bigrams with interpolated Kneser-Ney smoothing.

    R. Kneser and H. Ney, "Improved backing-off for m-gram language modeling",
    Proc. ICASSP, 1995; interpolated as by S. F. Chen and J. Goodman, 1999. The
    discount is n1 / (n1 + 2 n2), from the numbers of bigrams seen once and
    twice.

    Arguments
    ---------
    lines : list of list of int
        Training lines as piece ids, with those of their begin and end.
    size : int
        Number of pieces, special tokens included.
    first_symbol : int
        Pieces from here on are symbols, which alone are predicted.

    Example
    -------
    >>> model = BigramModel([[0, 2, 3, 2, 3, 1]] * 9, size=4, first_symbol=2)
    >>> model.given_left(left=[2], symbol=[3]).round(1)
    array([1.])
    """

    def __init__(self, lines, size, first_symbol):
        left = np.concatenate([line[:-1] for line in lines])
        right = np.concatenate([line[1:] for line in lines])
        counts = csr_array(
            (np.ones(len(left)), (left, right)), shape=(size, size)
        )
        counts.sum_duplicates()
        once, twice = ((counts.data == n).sum() for n in (1, 2))
        # Kept off 0 and 1: an unseen bigram must stay possible, a seen one
        # must count.
        self.discount = float(
            np.clip(once / max(once + 2 * twice, 1), 0.1, 0.9)
        )
        self.first_symbol = first_symbol
        followers = np.diff(counts.indptr)
        total = np.asarray(counts.sum(axis=1))
        # A left neighbour never seen says nothing: the whole mass backs off.
        self.back_off = np.where(
            total > 0, self.discount * followers / np.maximum(total, 1), 1.0
        )
        kinds = np.bincount(counts.indices, minlength=size)
        self.continuation = kinds / kinds.sum()
        counts.data -= self.discount
        scale = csr_array(
            (1 / np.maximum(total, 1), (np.arange(size), np.arange(size))),
            shape=(size, size),
        )
        self.rows = csr_array(scale @ counts)
        self.columns = csr_array(self.rows.T)

    def given_left(self, left, symbol):
        """Probability of symbols after their left neighbours.

        Arguments
        ---------
        left : array_like of int
            Left neighbours (positions,).
        symbol : array_like of int
            The symbols (positions,).

        Returns
        -------
        numpy.ndarray
            (positions,); over the symbols they sum to 1: that the line does
            not end here is known, as to the masked model.
        """
        return self._normalised(self._after(left), symbol)

    def given_both(self, left, right, symbol):
        """Probability of symbols between both neighbours.

        Proportional to p(symbol | left) p(right | symbol): what a bigram model
        can say with the context that a masked model has.

        Arguments
        ---------
        left : array_like of int
            Left neighbours (positions,).
        right : array_like of int
            Right neighbours (positions,).
        symbol : array_like of int
            The symbols (positions,).

        Returns
        -------
        numpy.ndarray
            (positions,); over the symbols they sum to 1.
        """
        return self._normalised(self._after(left) * self._before(right), symbol)

    def _after(self, left):
        """p(piece | left), (positions, pieces)."""
        back_off = self.back_off[left][:, None] * self.continuation
        return self.rows[left].toarray() + back_off

    def _before(self, right):
        """p(right | piece), (positions, pieces)."""
        back_off = self.continuation[right][:, None] * self.back_off
        return self.columns[right].toarray() + back_off

    def _normalised(self, scores, symbol):
        chosen = scores[np.arange(len(scores)), symbol]
        return chosen / scores[:, self.first_symbol :].sum(axis=1)
