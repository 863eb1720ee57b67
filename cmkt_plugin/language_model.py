"""The language model itself: frozen, and what its config tells of it."""

import torch
from speechbrain.integrations.huggingface.huggingface import (
    HFTransformersInterface,
)
from transformers import AutoModel
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
)

UNLIMITED = 10**9  # pieces; tokenizers without a limit say 1e30


class FrozenLanguageModel(HFTransformersInterface):
    """SpeechBrain's Hugging Face interface to a model in a folder, frozen.

    Arguments
    ---------
    folder : str
        Folder with config and weights.
    device : torch.device
        Where the model runs.
    dtype : torch.dtype
        Type it computes in.
    """

    def __init__(self, folder, device, dtype):
        super().__init__(folder, save_path=folder, freeze=True)
        # Transformers 5 keeps the checkpoint's type, 4 gives float32.
        self.to(device, dtype).eval()

    def _from_pretrained(self, source, save_path, cache_dir, **kwargs):
        self.model, report = self.auto_class.from_pretrained(
            source,
            config=self.config,
            local_files_only=True,
            output_loading_info=True,
        )
        # A part left at random would teach noise without a word. The pooler
        # comes after the hidden states; many encoders are saved without it.
        missing = [k for k in report["missing_keys"] if "pooler" not in k]
        if missing:
            raise ValueError(
                f"The weights in {source} lack {len(missing)} parameters of "
                f"{type(self.model).__name__} (first: {sorted(missing)[0]}). "
                "Check that config.json and weights belong together."
            )

    @torch.no_grad()
    def forward(self, piece_ids, mask, layer):
        """Embed pieces.

        Arguments
        ---------
        piece_ids : torch.Tensor
            Padded on the right (batch, pieces).
        mask : torch.Tensor
            1 for pieces, 0 for padding (batch, pieces).
        layer : int or None
            Hidden state to take; None: the input word embeddings.

        Returns
        -------
        torch.Tensor
            (batch, pieces, width)
        """
        if layer is None:
            return self.model.get_input_embeddings()(piece_ids)
        output = self.model(
            input_ids=piece_ids,
            attention_mask=mask,
            output_hidden_states=True,
        )
        return output.hidden_states[layer]


def empty_shell(config):
    """The model without memory for its parameters, to read shapes from.

    Arguments
    ---------
    config : transformers.PretrainedConfig
        Config of the model.

    Returns
    -------
    transformers.PreTrainedModel
        On the meta device.
    """
    with torch.device("meta"):
        return AutoModel.from_config(config)


def is_causal(config):
    """Whether no token of the model sees a later one.

    Arguments
    ---------
    config : transformers.PretrainedConfig
        Config of the model.

    Returns
    -------
    bool
        By class: the model itself is tried when it is loaded.
    """
    # BERT has a class for either use, GPT only the causal one.
    return bool(
        getattr(config, "is_decoder", False)
        or config.model_type in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
        and config.model_type not in MODEL_FOR_MASKED_LM_MAPPING_NAMES
    )


def piece_limit(shell, tokenizer):
    """Longest input of a model.

    Arguments
    ---------
    shell : transformers.PreTrainedModel
        The model, or its empty shell.
    tokenizer : transformers.PreTrainedTokenizerBase
        Its tokenizer, which may have a limit too.

    Returns
    -------
    int or None
        Pieces, special tokens included. None: no limit.
    """
    limits = [tokenizer.model_max_length]
    positions = getattr(shell.config, "max_position_embeddings", None)
    if positions and positions > 0:
        # RoBERTa counts positions from its padding index + 1.
        offsets = [
            module.padding_idx + 1
            for name, module in shell.named_modules()
            if name.endswith("position_embeddings")
            and getattr(module, "padding_idx", None) is not None
        ]
        limits.append(positions - max(offsets, default=0))
    limit = min(limits)
    return limit if limit < UNLIMITED else None
