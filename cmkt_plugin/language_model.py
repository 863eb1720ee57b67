"""The language model itself: frozen."""

import torch
from speechbrain.integrations.huggingface.huggingface import (
    HFTransformersInterface,
)
from torch.nn.functional import pad

from cmkt_plugin.architecture import Architecture
from cmkt_plugin.canine import Canine


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
        self.architecture = architecture_of(self.config)
        self.model, report = self.architecture.auto_class.from_pretrained(
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
    def forward(self, piece_ids, mask, layer, padding=0):
        """Embed pieces.

        Arguments
        ---------
        piece_ids : torch.Tensor
            Padded on the right (batch, pieces).
        mask : torch.Tensor
            1 for pieces, 0 for padding (batch, pieces).
        layer : int or None
            Hidden state to take; None: the input word embeddings.
        padding : int
            Id of the padding piece, where the model needs more of it.

        Returns
        -------
        torch.Tensor
            (batch, pieces or more, width)
        """
        if layer is None:
            return self.architecture.input_embeddings(self.model, piece_ids)
        longest = piece_ids.shape[1]
        more = self.architecture.padded_length(longest) - longest
        output = self.model(
            input_ids=pad(piece_ids, (0, more), value=padding),
            attention_mask=pad(mask, (0, more)),
            output_hidden_states=True,
        )
        return output.hidden_states[layer]


def architecture_of(config):
    """What a config tells of its model.

    Arguments
    ---------
    config : transformers.PretrainedConfig
        Config of the model.

    Returns
    -------
    Architecture
    """
    kind = Canine if config.model_type == "canine" else Architecture
    return kind(config)
