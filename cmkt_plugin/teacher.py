"""The teacher: a frozen pretrained language model that embeds transcripts."""

from pathlib import Path

import torch
import transformers
from speechbrain.integrations.huggingface.huggingface import (
    HFTransformersInterface,
)
from speechbrain.utils.autocast import AMPConfig
from speechbrain.utils.logger import get_logger
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoModel
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
)

from cmkt_plugin.teacher_source import (
    content_hash,
    find_folder,
    read_config,
    read_tokenizer,
    weight_files,
)
from cmkt_plugin.units import Sentence, SubWords

logger = get_logger(__name__)

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


class LanguageModelTeacher:
    """Embeds transcripts with one layer of a pretrained language model.

    Encoders (BERT class) and causal models (GPT, LLaMA, Qwen class).
    Construction reads config and tokenizer only, so that a wrong source fails
    before any work is done; the first `embed` loads the weights.

    Arguments
    ---------
    source : str
        Folder with config, tokenizer and weights, or name on the hub.
    layer : int or None
        None: the input word embeddings, without position or context. Else the
        index of a hidden state: 0 the embedding output, -1 the last.
    units : SubWords or WholeWords
        How pieces become tokens (default: SubWords).
    dtype : str
        "fp32", "fp16" or "bf16"; on a CPU always fp32.
    batch_size : int
        Sentences per forward pass.
    save_path : str
        Where models from the hub are kept.
    revision : str or None
        Branch, tag or commit on the hub.
    device : str or None
        None: the GPU if there is one.

    Raises
    ------
    FileNotFoundError
        If the source lacks config, tokenizer or weights, or the hub does not
        give it.
    ValueError
        If the model is of another kind, or has no such layer.

    Example
    -------
    >>> from cmkt_plugin import minilm
    >>> teacher = LanguageModelTeacher(minilm.folder())
    >>> bear, nothing = teacher.embed(["We call it bear.", ""])
    >>> bear.tokens, bear.embeddings.shape, len(nothing.tokens)
    (['we', 'call', 'it', 'bear', '.'], torch.Size([5, 384]), 0)
    """

    def __init__(
        self,
        source,
        layer=None,
        units=None,
        dtype="fp32",
        batch_size=32,
        save_path="pretrained_models",
        revision=None,
        device=None,
    ):
        self.source = str(source)
        self.layer = layer
        self.units = SubWords() if units is None else units
        self.batch_size = batch_size
        self.save_path = str(save_path)
        self.device = torch.device(
            device or ("cuda" if torch.cuda.is_available() else "cpu")
        )
        self.dtype = _supported_dtype(dtype, self.device)
        self.counts = {"empty": 0, "truncated": 0, "unknown": 0}
        self.folder = find_folder(self.source, revision, self.save_path)
        self.is_local = self.folder == self.source
        self.commit = None if self.is_local else Path(self.folder).name
        if self.is_local:
            weight_files(self.folder)
        self.tokenizer = read_tokenizer(self.folder)
        self._model = None
        self._describe(read_config(self.folder))

    def _describe(self, config):
        """Width, kind and limits, read from an empty shell of the model."""
        layers = config.num_hidden_layers + 1
        if self.layer is not None and not -layers <= self.layer < layers:
            raise ValueError(
                f"The teacher {self.source} has no layer {self.layer}: "
                f"expected {-layers} to {layers - 1} (0 the embedding output, "
                "-1 the last), or null for the input word embeddings."
            )
        if self.units.needs_spans and not self.tokenizer.is_fast:
            raise ValueError(
                f"{type(self.units).__name__} needs a tokenizer that tells "
                f"where its pieces stand; {self.source} has only "
                f"{type(self.tokenizer).__name__}. Use SubWords, or add a "
                "tokenizer.json to the folder."
            )
        with torch.device("meta"):
            shell = AutoModel.from_config(config)
        word_embeddings = shell.get_input_embeddings()
        if self.tokenizer.vocab_size > word_embeddings.num_embeddings:
            raise ValueError(
                f"The tokenizer of {self.source} has "
                f"{self.tokenizer.vocab_size} pieces, the model only "
                f"{word_embeddings.num_embeddings}: they do not belong "
                "together."
            )
        self.model_type = config.model_type
        self.contextual = self.layer is not None
        self.causal = _is_causal(config)
        self.max_pieces = _piece_limit(shell, config, self.tokenizer)
        self.width = (
            config.hidden_size
            if self.contextual
            else word_embeddings.embedding_dim
        )

    @property
    def settings(self):
        """All that changes the embeddings (a dict that JSON can hold)."""
        # A folder is known by its content: moving it changes nothing.
        local = self.is_local
        return {
            "source": "folder" if local else self.source,
            "revision": content_hash(self.folder) if local else self.commit,
            "model": self.model_type,
            "layer": self.layer,
            **self.units.settings,
            "dtype": str(self.dtype).replace("torch.", ""),
            "max_pieces": self.max_pieces,
            "transformers": int(transformers.__version__.split(".")[0]),
        }

    def embed(self, texts):
        """Embed transcripts, in batches of similar length.

        Arguments
        ---------
        texts : list of str
            Transcripts; an empty one has no tokens.

        Returns
        -------
        list of TokenEmbeddings
            In the order of the texts, float32, on the CPU.
        """
        self._load()
        coded = self._tokenize(texts)
        nothing = self.units(
            Sentence("", [], [], []), torch.zeros(0, self.width)
        )
        results = [nothing] * len(coded)
        order = [i for i, (_, kept, _) in enumerate(coded) if kept]
        order.sort(key=lambda i: len(coded[i][0]))
        for start in range(0, len(order), self.batch_size):
            batch = order[start : start + self.batch_size]
            hidden = self._forward([coded[i][0] for i in batch])
            for i, row in zip(batch, hidden):
                _, kept, sentence = coded[i]
                results[i] = self.units(sentence, row[kept])
        self.counts["empty"] += len(coded) - len(order)
        return results

    def unload(self):
        """Give the model's memory back; the next `embed` loads it again."""
        self._model = None

    def _load(self):
        if self._model is not None:
            return
        # The commit that `settings` tells, even if the branch has moved on.
        self.folder = find_folder(
            self.source, self.commit, self.save_path, with_weights=True
        )
        weight_files(self.folder)
        # Parameters that a checkpoint lacks are drawn at random: the seed of
        # the experiment must not notice whether the cache was full.
        with torch.random.fork_rng(devices=[]):
            self._model = FrozenLanguageModel(
                self.folder, self.device, self.dtype
            )
        if self.causal and self.contextual:
            self._check_causal()

    def _check_causal(self):
        first, second = self._forward([[0, 1, 2, 3], [0, 1, 2, 4]])
        if not torch.allclose(first[:3], second[:3], rtol=1e-2, atol=1e-3):
            raise ValueError(
                f"The teacher {self.source} counts as causal, but its earlier "
                "tokens change with later ones: a query could see its target. "
                "Use layer null, or another model."
            )

    def _tokenize(self, texts):
        """(all piece ids, indices that are no special tokens, Sentence)"""
        if not texts:
            return []
        tokenizer, limit = self.tokenizer, self.max_pieces
        coded = tokenizer(
            list(texts),
            truncation=limit is not None,
            max_length=limit,
            padding=False,
            return_special_tokens_mask=True,
            return_offsets_mapping=tokenizer.is_fast,
        )
        special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
        rows = []
        for index, text in enumerate(texts):
            ids = coded["input_ids"][index]
            mask = coded["special_tokens_mask"][index]
            kept = [
                i
                for i, piece in enumerate(ids)
                if not mask[i] and piece not in special
            ]
            kept = kept if text.strip() else []
            own = [ids[i] for i in kept]
            spans = None
            if tokenizer.is_fast:
                spans = [coded["offset_mapping"][index][i] for i in kept]
            pieces = tokenizer.convert_ids_to_tokens(own)
            rows.append((ids, kept, Sentence(text, own, pieces, spans)))
            self.counts["unknown"] += own.count(tokenizer.unk_token_id)
            self.counts["truncated"] += self._is_truncated(text, ids)
        return rows

    def _is_truncated(self, text, ids):
        if self.max_pieces is None or len(ids) < self.max_pieces:
            return False
        whole = self.tokenizer(text, truncation=False, verbose=False)
        return len(whole["input_ids"]) > len(ids)

    def _forward(self, rows):
        """Hidden states (batch, pieces, width) of lists of piece ids."""
        # GPT and LLaMA have no padding piece: any will do behind the mask.
        padding = self.tokenizer.pad_token_id or 0
        ids = [torch.tensor(row) for row in rows]
        mask = [torch.ones_like(row) for row in ids]
        hidden = self._model(
            pad_sequence(ids, True, padding).to(self.device),
            pad_sequence(mask, True, 0).to(self.device),
            self.layer,
        )
        return hidden.float().cpu()


def _supported_dtype(name, device):
    dtype = AMPConfig.from_name(name).dtype
    if device.type == "cpu" and dtype != torch.float32:
        logger.info(f"Teacher: {name} is for GPUs, on the CPU it runs in fp32.")
        return torch.float32
    return dtype


def _is_causal(config):
    # BERT has a class for either use, GPT only the causal one.
    return bool(
        getattr(config, "is_decoder", False)
        or config.model_type in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
        and config.model_type not in MODEL_FOR_MASKED_LM_MAPPING_NAMES
    )


def _piece_limit(shell, config, tokenizer):
    """Longest input in pieces, special ones included; None: no limit."""
    limits = [tokenizer.model_max_length]
    positions = getattr(config, "max_position_embeddings", None)
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
