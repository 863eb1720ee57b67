"""A Brain for small models: warm-up at every update, the best epoch kept."""

import copy
from functools import partial

import speechbrain as sb
from transformers import get_linear_schedule_with_warmup


class BestEpochBrain(sb.Brain):
    """Keeps the weights of the epoch with the best validation figure.

    A child says what is trained (``trained``, its name in ``modules``), how
    it is judged (``validate``), what that figure is called (``figure``) and
    which of several is best (``better``, ``min`` or ``max``). ``hparams``
    needs ``schedule``, the optimizer to a learning rate schedule. After
    ``fit`` the figures are in ``epochs`` and the weights in ``best``.
    """

    def on_fit_start(self):
        """Make the optimizer's schedule."""
        super().on_fit_start()
        self.schedule = self.hparams.schedule(self.optimizer)
        self.epochs, self.best = [], None

    def on_fit_batch_end(self, batch, outputs, loss, should_step):
        """Move the learning rate."""
        self.schedule.step()

    def on_stage_end(self, stage, stage_loss, epoch):
        """Score the validation set; keep the weights if they are the best."""
        self.modules.eval()
        found = self.validate()
        self.epochs.append({"loss": float(stage_loss), self.figure: found})
        if found == self.better(e[self.figure] for e in self.epochs):
            self.best = copy.deepcopy(self.modules[self.trained].state_dict())


def warm_up(part, updates):
    """A learning rate that rises over a part of the updates, then falls to 0.

    Arguments
    ---------
    part : float
        Of the updates.
    updates : int
        Their number.

    Returns
    -------
    callable
        The optimizer to its schedule.

    Example
    -------
    >>> import torch
    >>> optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    >>> schedule = warm_up(0.5, 4)(optimizer)
    >>> rates = []
    >>> for _ in range(4):
    ...     optimizer.step()
    ...     schedule.step()
    ...     rates += schedule.get_last_lr()
    >>> rates
    [0.5, 1.0, 0.5, 0.0]
    """
    return partial(
        get_linear_schedule_with_warmup,
        num_warmup_steps=round(part * updates),
        num_training_steps=updates,
    )
