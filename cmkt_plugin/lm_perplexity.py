"""Perplexity of language models on held-out lines, per symbol.

The masked model's is the pseudo-perplexity of J. Salazar et al., "Masked
language model scoring", Proc. ACL, 2020: one symbol is masked at a time, and
both of its sides are seen. All models choose among the symbols only: special
tokens are never a target.
"""

import numpy as np
import torch

from cmkt_plugin.lm_tokenizer import FIRST_SYMBOL

CHUNK = 256  # positions at a time


@torch.no_grad()
def masked_perplexity(predict, lines, mask_id):
    """Pseudo-perplexity of a masked language model.

    Arguments
    ---------
    predict : callable
        Piece ids (batch, time) to logits (batch, time, pieces).
    lines : list of list of int
        Piece ids, with those of begin and end.
    mask_id : int
        The piece that hides a symbol.

    Returns
    -------
    float
        exp of the mean negative log-likelihood of the known symbols.

    Example
    -------
    >>> uniform = lambda ids: torch.zeros(*ids.shape, FIRST_SYMBOL + 30)
    >>> round(masked_perplexity(uniform, [[2, 7, 8, 9, 3]], mask_id=4), 3)
    30.0
    """
    losses = []
    for line in lines:
        ids = torch.tensor(line)
        places = (ids >= FIRST_SYMBOL).nonzero().squeeze(1)
        for chosen in places.split(CHUNK):
            masked = ids.repeat(len(chosen), 1)
            rows = torch.arange(len(chosen))
            masked[rows, chosen] = mask_id
            logits = predict(masked)[rows, chosen, FIRST_SYMBOL:]
            losses.append(
                torch.nn.functional.cross_entropy(
                    logits.double(),
                    ids[chosen] - FIRST_SYMBOL,
                    reduction="none",
                )
            )
    return float(torch.cat(losses).mean().exp())


def bigram_perplexities(model, lines):
    """Perplexities of a bigram model, with one and with both neighbours.

    Arguments
    ---------
    model : cmkt_plugin.bigram.BigramModel
        The bigram model.
    lines : list of list of int
        Piece ids, with those of begin and end.

    Returns
    -------
    left : float
        Of the symbols given their left neighbours.
    both : float
        Given both neighbours: comparable with a masked model.
    """
    ids = np.concatenate(lines)
    # Begin and end are special tokens: every symbol has two neighbours.
    places = (ids >= FIRST_SYMBOL).nonzero()[0]
    one_side, both_sides = [], []
    for chosen in np.array_split(places, len(places) // CHUNK + 1):
        left, symbol, right = (ids[chosen + step] for step in (-1, 0, 1))
        one_side.append(model.given_left(left, symbol))
        both_sides.append(model.given_both(left, right, symbol))
    return _perplexity(one_side), _perplexity(both_sides)


def _perplexity(probabilities):
    return float(np.exp(-np.log(np.concatenate(probabilities)).mean()))
