"""What a config tells of its language model, without the weights."""

import torch
from transformers import AutoModel, AutoModelForTextEncoding
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
)

UNLIMITED = 10**9  # pieces; tokenizers without a limit say 1e30


class Architecture:
    """Kind, shapes and layers of a language model.

    Arguments
    ---------
    config : transformers.PretrainedConfig
        Config of the model.

    Example
    -------
    >>> from transformers import T5Config
    >>> t5 = Architecture(T5Config(d_model=8, num_layers=2, vocab_size=99))
    >>> t5.auto_class.__name__, t5.width(-1), t5.piece_count, t5.is_causal
    ('AutoModelForTextEncoding', 8, 99, False)
    >>> t5.hidden_states, t5.has_layer(2), t5.has_layer(3), t5.has_layer(None)
    (3, True, False, True)
    """

    def __init__(self, config):
        self.config = config
        # An encoder-decoder (T5) is used as its encoder.
        self.auto_class = (
            AutoModelForTextEncoding if config.is_encoder_decoder else AutoModel
        )
        with torch.device("meta"):  # shapes without memory
            self.shell = self.auto_class.from_config(config)

    @property
    def is_causal(self):
        """Whether no token sees a later one: told by the class only."""
        # BERT has a class for either use, GPT only the causal one.
        kind = self.config.model_type
        return bool(
            getattr(self.config, "is_decoder", False)
            or kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
            and kind not in MODEL_FOR_MASKED_LM_MAPPING_NAMES
        )

    @property
    def hidden_states(self):
        """Number of hidden states, the embedding output included."""
        return self.config.num_hidden_layers + 1

    @property
    def layers(self):
        """Which layers there are, in words."""
        count = self.hidden_states
        return f"{-count} to {count - 1} (0 the embedding output, -1 the last)"

    def has_layer(self, layer):
        """Whether a layer can be the teacher.

        Arguments
        ---------
        layer : int or None
            Index of a hidden state; None: the input word embeddings.

        Returns
        -------
        bool
        """
        count = self.hidden_states
        return layer is None or -count <= layer < count

    def width(self, layer):
        """Width of the embeddings of a layer.

        Arguments
        ---------
        layer : int or None
            As in ``has_layer``.

        Returns
        -------
        int
        """
        if layer is None:
            return self.shell.get_input_embeddings().embedding_dim
        return self.config.hidden_size

    @property
    def piece_count(self):
        """How many different pieces the model can read."""
        return self.shell.get_input_embeddings().num_embeddings

    def piece_limit(self, tokenizer):
        """Longest input.

        Arguments
        ---------
        tokenizer : transformers.PreTrainedTokenizerBase
            The model's tokenizer, which may have a limit too.

        Returns
        -------
        int or None
            Pieces, special tokens included. None: no limit.
        """
        limits = [tokenizer.model_max_length]
        positions = getattr(self.config, "max_position_embeddings", None)
        if positions and positions > 0:
            # RoBERTa counts positions from its padding index + 1.
            offsets = [
                module.padding_idx + 1
                for name, module in self.shell.named_modules()
                if name.endswith("position_embeddings")
                and getattr(module, "padding_idx", None) is not None
            ]
            limits.append(positions - max(offsets, default=0))
        limit = min(limits)
        return limit if limit < UNLIMITED else None

    def padded_length(self, longest):
        """How far a batch is padded.

        Arguments
        ---------
        longest : int
            Pieces of its longest sentence.

        Returns
        -------
        int
        """
        return longest

    def input_embeddings(self, model, piece_ids):
        """Embeddings of pieces without position and context.

        Arguments
        ---------
        model : transformers.PreTrainedModel
            The model with its weights.
        piece_ids : torch.Tensor
            (batch, pieces)

        Returns
        -------
        torch.Tensor
            (batch, pieces, width)
        """
        return model.get_input_embeddings()(piece_ids)
