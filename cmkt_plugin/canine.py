"""CANINE (Clark et al. 2022, arXiv 2103.06874): what differs from a BERT.

It reads code points. Instead of a table of words it has hashed embeddings of
characters; its deep layers hold one state for `downsampling_rate` characters.
"""

import sys

from cmkt_plugin.architecture import Architecture

# A character's state depends on the two after it, each of which needs its own
# downsampled state; and the model drops the last of these.
MARGIN = 2  # downsampled states


class Canine(Architecture):
    """Kind, shapes and layers of a CANINE.

    Hidden states: 0 the embedding output, 1 the local layer, then the deep
    ones, not one per character, and at the end the upsampled and the last.

    Arguments
    ---------
    config : transformers.CanineConfig
        Config of the model.

    Example
    -------
    >>> from transformers import CanineConfig
    >>> canine = Canine(CanineConfig(num_hidden_layers=3, hidden_size=96))
    >>> [
    ...     layer
    ...     for layer in range(canine.hidden_states)
    ...     if canine.has_layer(layer)
    ... ]
    [0, 1, 6, 7]
    >>> canine.padded_length(20), canine.padded_length(121)
    (128, 256)
    """

    @property
    def hidden_states(self):
        """Number of hidden states of all three encoders."""
        return self.config.num_hidden_layers + 5

    @property
    def layers(self):
        """Which layers there are, in words."""
        last = self.hidden_states - 1
        return (
            f"0 (the embedding output), 1, {last - 1} or -2, {last} or -1 (the "
            f"last); the layers between have one state for "
            f"{self.config.downsampling_rate} characters"
        )

    def has_layer(self, layer):
        """As ``Architecture.has_layer``."""
        if layer is None or not super().has_layer(layer):
            return layer is None
        count = self.hidden_states
        return layer % count in (0, 1, count - 2, count - 1)

    def width(self, layer):
        """As ``Architecture.width``."""
        return self.config.hidden_size

    @property
    def piece_count(self):
        """Every code point is hashed to an embedding."""
        return sys.maxunicode + 1

    @property
    def _margin(self):
        return MARGIN * self.config.downsampling_rate

    def piece_limit(self, tokenizer):
        """As ``Architecture.piece_limit``, less what is padded."""
        return super().piece_limit(tokenizer) - self._margin

    def padded_length(self, longest):
        """Whole chunks of the local attention, a margin included.

        The original is always padded to 2048. Unpadded, the last characters
        would change with the length of the longest sentence of the batch.
        """
        chunk = self.config.local_transformer_stride
        return -(-(longest + self._margin) // chunk) * chunk

    def input_embeddings(self, model, piece_ids):
        """Hashed embeddings of the characters, without position."""
        # The public forward adds positions, which tell where a token stands.
        return model.char_embeddings._embed_hash_buckets(
            piece_ids,
            self.config.hidden_size,
            self.config.num_hash_functions,
            self.config.num_hash_buckets,
        )
