"""An optimizer that keeps an average of the weights that it trains."""

import torch
from torch.optim.swa_utils import get_ema_multi_avg_fn


class WeightAverage(torch.optim.Optimizer):
    """Another optimizer, and an exponential moving average of its weights.

    ``eval()`` puts the average into the model, ``train()`` the weights that
    are trained, as optimizers without schedule have it; the Brain calls them
    where it switches the model. A checkpoint that is saved in between holds
    the average, and this optimizer's state the weights that training goes on
    with. Buffers are not averaged.

    Arguments
    ---------
    params : iterable
        Parameters, or groups of them.
    optimizer : callable
        Makes the other optimizer of ``params``.
    decay : float
        Of the average, for every step; grows from 0.1 to this over the first
        steps, so that it soon forgets what the training began with.

    Raises
    ------
    ValueError
        If the decay is not from 0 to 1.

    Example
    -------
    >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
    >>> sgd = lambda params: torch.optim.SGD(params, lr=1.0)
    >>> optimizer = WeightAverage([weight], sgd, decay=0.5)
    >>> weight.grad = torch.tensor([1.0])
    >>> optimizer.step()  # to 0; the first decay is 2 / 11
    >>> optimizer.eval()
    >>> weight.data
    tensor([0.1818])
    >>> optimizer.train()
    >>> weight.data
    tensor([0.])
    """

    def __init__(self, params, optimizer, decay=0.999):
        if not 0 <= decay < 1:
            raise ValueError(f"decay is {decay}, expected 0 up to below 1")
        self.optimizer = optimizer(params)
        super().__init__(self.optimizer.param_groups, {})
        self.decay = decay
        self.steps = 0
        # Weights that do not stand in the model at the moment: the average,
        # while in training mode, and in evaluation mode those in training.
        self.others = [weight.detach().clone() for weight in self._weights()]
        self.training = True
        self._share()

    def _share(self):
        # Learning rates are set, and gradients scaled, in these.
        self.param_groups = self.optimizer.param_groups
        self.state = self.optimizer.state

    def _weights(self):
        groups = self.optimizer.param_groups
        weights = [weight for group in groups for weight in group["params"]]
        return [weight for weight in weights if weight.requires_grad]

    @torch.no_grad()
    def step(self, closure=None):
        """A step of the other optimizer, which the average follows.

        Arguments
        ---------
        closure : callable or None
            As ``torch.optim.Optimizer.step`` takes it.

        Returns
        -------
        What the other optimizer returns.

        Raises
        ------
        RuntimeError
            If the average is in the model: it would be trained.
        """
        if not self.training:
            raise RuntimeError(
                "the average of the weights is in the model, not the weights "
                "to train: call the optimizer's train() first"
            )
        loss = self.optimizer.step(closure)
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        follow = get_ema_multi_avg_fn(decay)
        follow(self.others, self._weights(), self.steps)
        return loss

    def eval(self):
        """Puts the average into the model."""
        if self.training:
            self._swap()

    def train(self):
        """Puts the weights that are trained into the model."""
        if not self.training:
            self._swap()

    @torch.no_grad()
    def _swap(self):
        for weight, other in zip(self._weights(), self.others):
            kept = weight.clone()
            weight.copy_(other)
            other.copy_(kept)
        self.training = not self.training

    def state_dict(self):
        """All that a run goes on with, beside what is in the model.

        Returns
        -------
        dict
        """
        return {
            "optimizer": self.optimizer.state_dict(),
            "others": self.others,
            "training": self.training,
            "steps": self.steps,
        }

    def load_state_dict(self, state_dict):
        """Takes a state over; that of the model belongs to it.

        Arguments
        ---------
        state_dict : dict
            What ``state_dict`` gave.

        Raises
        ------
        ValueError
            If it is that of other weights.
        """
        found = [tuple(other.shape) for other in state_dict["others"]]
        expected = [tuple(other.shape) for other in self.others]
        if found != expected:
            raise ValueError(
                f"the saved average is of {len(found)} weights, expected the "
                f"shapes of the {len(expected)} in training: it is that of "
                "another model"
            )
        self.optimizer.load_state_dict(state_dict["optimizer"])
        self._share()
        for other, saved in zip(self.others, state_dict["others"]):
            other.copy_(saved)
        self.training = state_dict["training"]
        self.steps = state_dict["steps"]
