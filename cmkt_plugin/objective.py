"""The training objective: named loss terms and their weights, from YAML."""

import inspect

import torch

from cmkt_plugin.metrics import METRICS


class Objective:
    """A weighted sum of named losses.

    Losses are ``f(prediction, target, lengths, reduction)`` and grouped by
    what they compare. A weight is a number, or a schedule
    (called with the epoch; see ``cmkt_plugin.schedules``). The paper's
    ``alpha * L_SE + (1 - alpha) * L_CMA`` is YAML arithmetic on top.

    Arguments
    ---------
    weights : dict
        Weight of every term; the names must be those of the losses.
    features : dict, optional
        Losses of compressed log-magnitudes (batch, frames, bins).
    waveform : dict, optional
        Losses of waveforms (batch, time).
    tokens : dict, optional
        Losses of token embeddings (batch, tokens, width); those that take
        ``token_ids`` are given them.

    Raises
    ------
    ValueError
        If a weight has no loss, a loss no weight, two losses one name, or a
        loss the name of a score.

    Example
    -------
    >>> from speechbrain.nnet.losses import mse_loss
    >>> objective = Objective(
    ...     weights={"log_magnitude": 2.0},
    ...     features={"log_magnitude": mse_loss},
    ... )
    >>> terms = {"log_magnitude": torch.tensor(1.5)}
    >>> objective.total(terms)
    tensor(3.)
    """

    def __init__(self, weights, features=None, waveform=None, tokens=None):
        self.features = features or {}
        self.waveform = waveform or {}
        self.tokens = tokens or {}
        self.schedules = dict(weights)
        self._check_names()
        self.set_epoch(1)

    def _check_names(self):
        names = [*self.features, *self.waveform, *self.tokens]
        twice = sorted({name for name in names if names.count(name) > 1})
        scores = sorted(set(names) & set(METRICS))
        if scores:
            raise ValueError(
                f"loss terms {scores} are named like scores, which the log "
                "shows under the same names: call them 'neg_...' or else."
            )
        unknown = sorted(set(self.schedules) - set(names))
        missing = sorted(set(names) - set(self.schedules))
        if twice or unknown or missing:
            raise ValueError(
                f"loss terms are {sorted(set(names))}; named twice: {twice}, "
                f"weights without a loss: {unknown}, losses without a weight: "
                f"{missing}. Give every term exactly one weight."
            )

    def set_epoch(self, epoch):
        """Take the weights of an epoch, counted from 1."""
        self.weights = {
            name: weight(epoch) if callable(weight) else weight
            for name, weight in self.schedules.items()
        }

    def enhancement(self, prediction, target, lengths):
        """Terms of the enhancement.

        Arguments
        ---------
        prediction, target : cmkt_plugin.enhancers.Enhanced
            Waveforms and features, enhanced and clean.
        lengths : torch.Tensor
            Relative lengths (batch,).

        Returns
        -------
        dict
            Loss of every term.
        """
        groups = (("features", self.features), ("wav", self.waveform))
        terms = {}
        for field, losses in groups:
            for name, loss in losses.items():
                predicted = getattr(prediction, field)
                wanted = getattr(target, field)
                self._check_shapes(name, predicted, wanted)
                terms[name] = loss(predicted, wanted, lengths)
        return terms

    def transfer(self, predicted, tokens, lengths, token_ids):
        """Terms of the knowledge transfer.

        Arguments
        ---------
        predicted, tokens : torch.Tensor
            Zhat and Z (batch, tokens, width).
        lengths : torch.Tensor
            Relative number of real tokens (batch,).
        token_ids : torch.Tensor
            Identity of every token (batch, tokens).

        Returns
        -------
        dict
            Loss of every term.
        """
        terms = {}
        for name, loss in self.tokens.items():
            self._check_shapes(name, predicted, tokens)
            takes_ids = "token_ids" in inspect.signature(loss).parameters
            extra = {"token_ids": token_ids} if takes_ids else {}
            terms[name] = loss(predicted, tokens, lengths, **extra)
        return terms

    def total(self, terms):
        """The weighted sum of the terms."""
        weighted = [self.weights[name] * term for name, term in terms.items()]
        return torch.stack(weighted).sum()

    @staticmethod
    def _check_shapes(name, prediction, target):
        # SpeechBrain's losses broadcast, and forgive three frames too many.
        if prediction.shape != target.shape:
            raise ValueError(
                f"loss '{name}': prediction {tuple(prediction.shape)} and "
                f"target {tuple(target.shape)} must have one shape."
            )
