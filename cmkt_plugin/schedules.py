"""Values that change over the epochs: weights of loss terms, probabilities."""


class Linear:
    """Goes from one value to another between two epochs, and stays there.

    SpeechBrain's ``LinearScheduler`` has no value after its last epoch, so it
    cannot let a weight fall to zero and stay there.

    Arguments
    ---------
    start, end : float
        Value up to epoch ``first`` and from epoch ``last`` on.
    first, last : float
        Epochs, counted from 1; may be fractions of the whole training.

    Example
    -------
    >>> weight = Linear(start=1.0, end=0.0, first=1, last=5)
    >>> [weight(epoch) for epoch in (1, 3, 5, 9)]
    [1.0, 0.5, 0.0, 0.0]
    """

    def __init__(self, start, end, first, last):
        if last <= first:
            raise ValueError(
                f"first is {first} and last {last}: a schedule needs an "
                "epoch or more between them."
            )
        self.start, self.end = start, end
        self.first, self.last = first, last

    def __call__(self, epoch):
        """Value at an epoch, counted from 1."""
        done = (epoch - self.first) / (self.last - self.first)
        done = min(max(done, 0.0), 1.0)
        return self.start + done * (self.end - self.start)
