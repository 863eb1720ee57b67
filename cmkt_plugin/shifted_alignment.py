"""The misalignment strategy: controlled shifts of one modality (method 1.5).

Speech and text never line up exactly. Moving one against the other by a
controlled amount during training keeps the student from leaning on one exact
alignment. What a shift pushes over an end is masked, never wrapped around.
"""

import torch
from speechbrain.dataio.dataio import length_to_mask

from cmkt_plugin.random_stream import RandomStream


class Fixed:
    """Always the same shift.

    Arguments
    ---------
    amount : int
        Signed shift, in the unit's own steps; positive moves later.
    """

    def __init__(self, amount):
        self.minimum = self.maximum = amount

    def sample(self, batch):
        """Shifts (batch,) of a batch."""
        return torch.full((batch,), self.maximum)


class Uniform:
    """Every shift from ``minimum`` to ``maximum`` is equally likely.

    Arguments
    ---------
    minimum, maximum : int
        Signed ends of the range, both included: -3 and 3 shift either way,
        1 and 3 only later.

    Raises
    ------
    ValueError
        If the ends are reversed.
    """

    def __init__(self, minimum, maximum):
        if minimum > maximum:
            raise ValueError(
                f"minimum is {minimum} and maximum {maximum}: swap them."
            )
        self.minimum, self.maximum = minimum, maximum

    def sample(self, batch):
        """Shifts (batch,) of a batch."""
        return torch.randint(self.minimum, self.maximum + 1, (batch,))


class Frames:
    """Moves the acoustic latent over the time axis.

    Example
    -------
    >>> latent = torch.tensor([[[1.0], [2.0], [3.0], [0.0]]])
    >>> moved, mask = Frames().move(
    ...     latent, torch.tensor([3]), torch.tensor([1])
    ... )
    >>> moved[0, :, 0], mask[0]
    (tensor([0., 1., 2., 0.]), tensor([False,  True,  True, False]))
    """

    moves_tokens = False

    def move(self, latent, frame_counts, shift):
        """Shift every utterance: ``H'[i] = H[i - shift]``.

        Arguments
        ---------
        latent : torch.Tensor
            (batch, frames, width).
        frame_counts, shift : torch.Tensor
            Real frames, and signed shift, of each item (batch,).

        Returns
        -------
        latent : torch.Tensor
            Moved; zero where nothing arrived.
        mask : torch.Tensor
            True where a frame arrived (batch, frames).
        """
        # At least one frame stays, or attention would have none to look at.
        limit = frame_counts - 1
        shift = torch.minimum(torch.maximum(shift, -limit), limit)
        place = torch.arange(latent.shape[1], device=latent.device)
        source = place - shift.unsqueeze(1)  # (batch, frames)
        count = frame_counts.unsqueeze(1)
        mask = (source >= 0) & (source < count) & (place < count)
        index = source.clamp(0, latent.shape[1] - 1).unsqueeze(-1)
        moved = latent.gather(1, index.expand_as(latent))
        return moved * mask.unsqueeze(-1), mask

    def pair(self, predicted, tokens, token_ids, token_counts, shift):
        """The text stays where it is."""
        return predicted, tokens, token_ids, token_counts


class Tokens:
    """Moves the text: token j is expected where token ``j + shift`` stood.

    Example
    -------
    >>> places = torch.tensor([[[0.0], [1.0], [2.0]]])
    >>> ids = torch.tensor([[7, 8, 9]])
    >>> predicted, tokens, ids, counts = Tokens().pair(
    ...     places, places, ids, torch.tensor([3]), torch.tensor([1])
    ... )
    >>> predicted[0, :2, 0], ids[0, :2], counts
    (tensor([1., 2.]), tensor([7, 8]), tensor([2]))
    """

    moves_tokens = True

    def move(self, latent, frame_counts, shift):
        """The acoustics stay where they are."""
        return latent, length_to_mask(frame_counts, latent.shape[1]).bool()

    def pair(self, predicted, tokens, token_ids, token_counts, shift):
        """Pair the prediction made for position p with token ``p - shift``.

        Arguments
        ---------
        predicted, tokens : torch.Tensor
            (batch, tokens, width).
        token_ids : torch.Tensor
            (batch, tokens).
        token_counts, shift : torch.Tensor
            Real tokens, and signed shift, of each item (batch,).

        Returns
        -------
        tuple
            The same four, the pairs first; ``token_counts`` counts pairs.
        """
        place = torch.arange(tokens.shape[1], device=tokens.device)
        last = tokens.shape[1] - 1
        position = (place + shift.clamp(min=0).unsqueeze(1)).clamp(max=last)
        token = (place + (-shift).clamp(min=0).unsqueeze(1)).clamp(max=last)

        def take(tensor, index):
            return tensor.gather(1, index.unsqueeze(-1).expand_as(tensor))

        counts = (token_counts - shift.abs()).clamp(min=0)
        ids = token_ids.gather(1, token)
        return take(predicted, position), take(tokens, token), ids, counts


class ShiftedAlignment:
    """Shifts one modality against the other in training.

    Arguments
    ---------
    unit : Frames or Tokens
        What is moved.
    amount : Fixed or Uniform
        By how much, sign and distribution.
    probability : float
        Part of the items that are shifted; 0 turns the strategy off.
    schedule : callable, optional
        Called with the epoch, multiplies the probability (see
        ``cmkt_plugin.schedules``).
    seed : int
        Seed of its own stream of random numbers.

    Example
    -------
    >>> shift = ShiftedAlignment(Frames(), Uniform(-4, 4), probability=0.5)
    >>> shift.sample(batch=8, device="cpu").shape
    torch.Size([8])
    """

    def __init__(self, unit, amount, probability=1.0, schedule=None, seed=0):
        if not 0.0 <= probability <= 1.0:
            raise ValueError(
                f"probability is {probability}, expected a part from 0 to 1."
            )
        self.unit = unit
        self.amount = amount
        self.probability = probability
        self.schedule = schedule
        self.stream = RandomStream(seed)
        self.scale = 1.0

    def set_epoch(self, epoch):
        """Follow the schedule to an epoch, counted from 1."""
        if self.schedule is not None:
            self.scale = self.schedule(epoch)

    def sample(self, batch, device):
        """Draw the shift of every item.

        Returns
        -------
        torch.Tensor
            Signed shifts (batch,), 0 for items left alone.
        """
        with self.stream.active():
            amount = self.amount.sample(batch)
            moved = torch.rand(batch) < self.probability * self.scale
        return (amount * moved).to(device)
