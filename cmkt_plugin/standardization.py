"""Standardisation of the teacher's embeddings over the training set."""

import torch


class Standardization:
    """Brings every dimension to mean 0 and deviation 1.

    Language models' spaces are anisotropic: without this all tokens are alike
    to the cosine.

    Arguments
    ---------
    floor : float
        Smallest deviation, relative to the median one of all dimensions. Some
        layers have a (nearly) constant dimension; divided by its deviation it
        would be NaN or noise.
    per_position : bool
        Whether the mean is taken per token position. Even the first hidden
        state of a BERT tells where a token stands, and a query that knows this
        too needs no acoustics to meet it.
    minimum_count : int
        Positions with fewer training tokens share one last mean.

    Example
    -------
    >>> train = [torch.randn(9, 4) * 5 + 2, torch.randn(30, 4) * 5 + 2]
    >>> standardise = Standardization().fit(train)
    >>> round(float(standardise(torch.cat(train)).std(correction=0)), 3)
    1.0
    """

    def __init__(self, floor=0.1, per_position=False, minimum_count=20):
        if minimum_count < 1 or floor < 0:
            raise ValueError(
                "Standardization: expected minimum_count of at least 1 and a "
                f"floor of at least 0, found {minimum_count} and {floor}."
            )
        self.floor = floor
        self.per_position = per_position
        self.minimum_count = minimum_count
        self.mean = None  # (positions, width); one row for all positions
        self.deviation = None  # (width,)

    def fit(self, sequences):
        """Collect the statistics.

        Arguments
        ---------
        sequences : iterable of torch.Tensor
            Embeddings of the training utterances (tokens, width), read once.

        Returns
        -------
        Standardization
            Itself.

        Raises
        ------
        ValueError
            If there are no tokens, widths differ, a value is not finite, or
            most dimensions are constant.
        """
        sums = _Sums(self.per_position)
        for index, embeddings in enumerate(sequences):
            embeddings = torch.as_tensor(embeddings)
            _check(embeddings, sums.width, f"Training sequence {index}")
            if len(embeddings):
                sums.add(embeddings.to("cpu", torch.float64))
        if sums.width is None:
            raise ValueError(
                "The training set has no token to standardise with: expected "
                "at least one transcript that is not empty."
            )
        mean, variance = sums.statistics(self.minimum_count)
        deviation = variance.clamp(min=0).sqrt()
        # rounding leaves a constant dimension a tiny deviation
        median = deviation.median()
        if not median > 1e-9 * (1 + mean.abs().max()):
            raise ValueError(
                "Most dimensions of the training embeddings are constant "
                f"(median deviation {median:.1e} over {sums.tokens} tokens): "
                "expected different tokens."
            )
        self.mean = mean.float()
        self.deviation = deviation.clamp(min=self.floor * median).float()
        return self

    def __call__(self, embeddings):
        """Standardise one utterance.

        Arguments
        ---------
        embeddings : torch.Tensor
            All tokens from the first on (tokens, width).

        Returns
        -------
        torch.Tensor
            float32 (tokens, width)
        """
        if self.mean is None:
            raise RuntimeError(
                "Standardization has no statistics yet: call fit with the "
                "training set's embeddings first."
            )
        embeddings = torch.as_tensor(embeddings)
        _check(embeddings, self.mean.shape[1], "Embeddings")
        position = torch.arange(len(embeddings)).clamp(max=len(self.mean) - 1)
        mean = self.mean.to(embeddings.device)[position]
        return (embeddings.float() - mean) / self.deviation.to(mean.device)


class _Sums:
    """Count, sum and squares per position, in float64."""

    def __init__(self, per_position):
        self.per_position = per_position
        self.width = None

    def add(self, embeddings):
        if self.width is None:
            self.width = embeddings.shape[1]
            # Near the mean, so that squares lose nothing to cancellation.
            self.origin = embeddings.mean(dim=0)
            self.count = torch.zeros(0, dtype=torch.float64)
            self.sum = torch.zeros(0, self.width, dtype=torch.float64)
            self.squares = torch.zeros(self.width, dtype=torch.float64)
        shifted = embeddings - self.origin
        self.squares += shifted.square().sum(dim=0)
        if not self.per_position:
            shifted, length = shifted.sum(dim=0, keepdim=True), len(shifted)
            self._accumulate(shifted, torch.full((1,), float(length)))
        else:
            self._accumulate(shifted, torch.ones(len(shifted)))

    def _accumulate(self, sums, counts):
        new = len(sums) - len(self.sum)
        if new > 0:
            self.sum = torch.cat(
                [self.sum, self.sum.new_zeros(new, self.width)]
            )
            self.count = torch.cat([self.count, self.count.new_zeros(new)])
        self.sum[: len(sums)] += sums
        self.count[: len(sums)] += counts

    @property
    def tokens(self):
        return int(self.count.sum())

    def statistics(self, minimum_count):
        """Mean (positions, width) and variance around it (width,)."""
        # Counts fall with the position: the rare ones are the tail, which
        # takes the last frequent position along if it is too small itself.
        own = int((self.count >= minimum_count).sum())
        if own and self.count[own:].sum() < minimum_count:
            own -= 1
        count = torch.cat([self.count[:own], self.count[own:].sum()[None]])
        sums = torch.cat([self.sum[:own], self.sum[own:].sum(dim=0)[None]])
        mean = sums / count[:, None]
        between = (count[:, None] * mean.square()).sum(dim=0)
        return mean + self.origin, (self.squares - between) / count.sum()


def _check(embeddings, width, name):
    if embeddings.dim() != 2 or width not in (None, embeddings.shape[1]):
        raise ValueError(
            f"{name}: expected shape (tokens, {width or 'width'}), found "
            f"{tuple(embeddings.shape)}."
        )
    if not torch.isfinite(embeddings).all():
        raise ValueError(f"{name}: expected finite numbers, found inf or NaN.")
