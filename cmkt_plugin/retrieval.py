"""Token retrieval on held-out utterances: is language being learned?

A falling alignment loss proves nothing. Here the predicted embedding of a
token must pick its own token from the pool of distinct tokens of the
validation set. Beside it: the same with the latents rolled by one utterance,
which shows what is known without listening, and a guess by frequency alone.
"""

import torch
from torch.nn.utils.rnn import pad_sequence


class TokenRetrieval:
    """Collects validation utterances and retrieves their tokens.

    Arguments
    ---------
    training_tokens : collections.Counter
        Occurrences of each token id in the training transcripts.
    batch_size : int
        Utterances aligned at a time.

    Example
    -------
    >>> from collections import Counter
    >>> retrieval = TokenRetrieval(Counter({1: 5, 2: 1}))
    >>> retrieval.append(torch.rand(9, 4), torch.eye(2), torch.tensor([1, 2]))
    >>> perfect = lambda latent, frames, tokens, counts: (tokens, None)
    >>> retrieval.summarize(perfect)["retrieval_top1"]
    1.0
    >>> retrieval.summarize(perfect)["frequency_top1"]
    0.5
    """

    def __init__(self, training_tokens, batch_size=16):
        self.training_tokens = training_tokens
        self.batch_size = batch_size
        self.items = []

    def append(self, latent, tokens, token_ids):
        """Add an utterance, without padding.

        Arguments
        ---------
        latent : torch.Tensor
            (frames, width).
        tokens : torch.Tensor
            Teacher embeddings (tokens, width).
        token_ids : torch.Tensor
            (tokens,).
        """
        if len(token_ids):
            self.items.append((latent, tokens, token_ids))

    @torch.no_grad()
    def summarize(self, aligner):
        """Retrieve the tokens of all utterances.

        Arguments
        ---------
        aligner : callable
            ``aligner(latent, frame_counts, tokens, token_counts)``.

        Returns
        -------
        dict
            Parts from 0 to 1: ``retrieval_top1``, ``retrieval_top5``, the
            same with latents ``rolled`` by one utterance and by ``frequency``
            in the training transcripts; ``retrieval_pool``, the number of
            distinct tokens. Empty without utterances.
        """
        if not self.items:
            return {}
        latents, tokens, ids = zip(*self.items)
        wanted = torch.cat(ids)
        pool_ids, place = wanted.unique(return_inverse=True)
        pool = self._pool(torch.cat(tokens), place, len(pool_ids))
        stats = {"retrieval_pool": len(pool_ids)}
        rolled = [*latents[-1:], *latents[:-1]]
        for name, heard in (("retrieval", latents), ("rolled", rolled)):
            predicted = self._predict(aligner, heard, tokens)
            similarity = self._normalize(predicted) @ pool.T
            stats.update(self._hits(name, similarity, place))
        counts = [self.training_tokens[int(i)] for i in pool_ids]
        frequency = torch.tensor(counts, device=place.device).float()
        frequency = frequency.expand(len(place), -1)
        stats.update(self._hits("frequency", frequency, place))
        return stats

    def _predict(self, aligner, latents, tokens):
        """Predicted embeddings of all real tokens, in order."""
        predicted = []
        for start in range(0, len(latents), self.batch_size):
            part = slice(start, start + self.batch_size)
            frames, frame_counts = self._pad(latents[part])
            padded, token_counts = self._pad(tokens[part])
            rows, _ = aligner(frames, frame_counts, padded, token_counts)
            predicted += [r[:n] for r, n in zip(rows, token_counts)]
        return torch.cat(predicted)

    @staticmethod
    def _pad(sequences):
        counts = [len(sequence) for sequence in sequences]
        padded = pad_sequence(list(sequences), batch_first=True)
        return padded, torch.tensor(counts, device=padded.device)

    def _pool(self, tokens, place, size):
        """One embedding per distinct token: the mean over its occurrences."""
        pool = tokens.new_zeros(size, tokens.shape[1])
        pool.index_add_(0, place, tokens)
        return self._normalize(pool)

    @staticmethod
    def _normalize(rows):
        return torch.nn.functional.normalize(rows.float(), dim=-1)

    @staticmethod
    def _hits(name, score, place):
        best = score.topk(min(5, score.shape[1]), dim=1).indices
        hit = best == place.unsqueeze(1)
        return {
            f"{name}_top1": hit[:, :1].any(1).float().mean().item(),
            f"{name}_top5": hit.any(1).float().mean().item(),
        }
