"""The teacher: a frozen pretrained language model that embeds transcripts."""

from pathlib import Path

import torch
import transformers
from speechbrain.utils.autocast import AMPConfig
from speechbrain.utils.logger import get_logger
from torch.nn.utils.rnn import pad_sequence

from cmkt_plugin.language_model import FrozenLanguageModel, architecture_of
from cmkt_plugin.teacher_checks import (
    check_layer,
    check_repeat,
    check_tokenizer,
)
from cmkt_plugin.teacher_source import (
    content_hash,
    find_folder,
    read_config,
    weight_files,
)
from cmkt_plugin.tokenization import Tokenization, read_tokenizer
from cmkt_plugin.units import Sentence, SubWords, TokenEmbeddings

logger = get_logger(__name__)


class LanguageModelTeacher:
    """Embeds transcripts with one layer of a pretrained language model.

    Encoders (BERT class, T5's, CANINE) and causal models (GPT, LLaMA, Qwen
    class). Construction reads config and tokenizer only, so that a wrong source
    fails before any work is done; the first `embed` loads the weights.

    Arguments
    ---------
    source : str
        Folder with config, tokenizer and weights, or name on the hub.
    layer : int or None
        None: the input word embeddings, without position or context. Else the
        index of a hidden state: 0 the embedding output, -1 the last.
    units : SubWords, WholeWords or Characters
        How pieces become tokens (default: SubWords).
    dtype : str
        "fp32", "fp16" or "bf16"; on a CPU always fp32.
    batch_size : int
        Sentences per forward pass.
    save_path : str
        Where models from the hub are kept.
    revision : str or None
        Branch, tag or commit on the hub.
    keep_bos : bool
        Whether the special token that the tokenizer puts first (BOS, [CLS]) is
        a token too. The model reads it in any case.
    prefix : str
        Text before each transcript, read but not kept (a prompt).
    repeat : bool
        For causal models: the transcript is fed twice, separated by a new line,
        and the second copy is read, whose tokens have seen their right context
        (Springer et al. 2024, arXiv 2402.15449).
    device : str or None
        None: the GPU if there is one.

    Raises
    ------
    FileNotFoundError
        If the source lacks config, tokenizer or weights, or the hub does not
        give it.
    ValueError
        If the model is of another kind, has no such layer, or an option does
        not go with it.

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
        keep_bos=False,
        prefix="",
        repeat=False,
        device=None,
    ):
        self.source = str(source)
        self.layer = layer
        self.units = SubWords() if units is None else units
        self.batch_size = batch_size
        self.save_path = str(save_path)
        self.keep_bos = keep_bos
        self.prefix = prefix or ""
        self.repeat = repeat
        self.device = torch.device(
            device or ("cuda" if torch.cuda.is_available() else "cpu")
        )
        self.dtype = _supported_dtype(dtype, self.device)
        self.folder = find_folder(self.source, revision, self.save_path)
        # None for a folder of one's own, which is known by its content
        self.commit = None
        if self.folder != self.source:
            self.commit = Path(self.folder).name
        else:
            weight_files(self.folder)
        self._describe(
            architecture_of(read_config(self.folder)),
            read_tokenizer(self.folder),
        )
        self._model = None

    def _describe(self, architecture, tokenizer):
        """Width, kind and limits, without the weights."""
        check_layer(self.source, architecture, self.layer)
        if self.repeat:
            check_repeat(self.source, architecture, self.layer)
        self.model_type = architecture.config.model_type
        self.contextual = self.layer is not None
        # A repeated sentence has told its tokens what comes after them.
        self.causal = architecture.is_causal and not self.repeat
        self.width = architecture.width(self.layer)
        self.tokenization = Tokenization(
            tokenizer,
            architecture.piece_limit(tokenizer),
            self.prefix,
            self.repeat,
        )
        check_tokenizer(
            self.source,
            self.tokenization,
            self.units,
            architecture.piece_count,
            self.keep_bos,
        )

    @property
    def counts(self):
        """Transcripts empty or truncated and unknown pieces, so far (dict)."""
        return self.tokenization.counts

    @property
    def settings(self):
        """All that changes the embeddings (a dict that JSON can hold)."""
        return {
            "source": self.source if self.commit else "folder",
            "revision": self.commit or content_hash(self.folder),
            "model": self.model_type,
            "layer": self.layer,
            **self.units.settings,
            "keep_bos": self.keep_bos,
            "prefix": self.prefix,
            "repeat": self.repeat,
            "dtype": str(self.dtype).replace("torch.", ""),
            "max_pieces": self.tokenization.max_pieces,
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
        coded = self.tokenization([self.units.spell(text) for text in texts])
        nothing = self.units(
            Sentence("", [], [], []), torch.zeros(0, self.width)
        )
        results = [nothing] * len(coded)
        order = [i for i, item in enumerate(coded) if item.kept]
        order.sort(key=lambda i: len(coded[i].piece_ids))
        for start in range(0, len(order), self.batch_size):
            batch = order[start : start + self.batch_size]
            hidden = self._forward([coded[i].piece_ids for i in batch])
            for i, row in zip(batch, hidden):
                results[i] = self._tokens(coded[i], row)
        return results

    def _tokens(self, coded, hidden):
        """Tokens of one transcript from the states of its pieces."""
        result = self.units(coded.sentence, hidden[coded.kept])
        if not self.keep_bos or not result.tokens:
            return result
        first = coded.piece_ids[:1]
        return TokenEmbeddings(
            torch.cat([hidden[:1], result.embeddings]),
            torch.cat([torch.tensor(first), result.token_ids]),
            self.tokenization.tokenizer.convert_ids_to_tokens(first)
            + result.tokens,
        )

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
            self.unload()  # or the next embed would not ask again
            raise ValueError(
                f"The teacher {self.source} counts as causal, but its earlier "
                "tokens change with later ones: a query could see its target. "
                "Use layer null, or another model."
            )

    def _forward(self, rows):
        """Hidden states (batch, pieces, width) of lists of piece ids."""
        # GPT and LLaMA have no padding piece: any will do behind the mask.
        padding = self.tokenization.tokenizer.pad_token_id or 0
        ids = [torch.tensor(row) for row in rows]
        mask = [torch.ones_like(row) for row in ids]
        hidden = self._model(
            pad_sequence(ids, True, padding).to(self.device),
            pad_sequence(mask, True, 0).to(self.device),
            self.layer,
            padding,
        )
        return hidden.float().cpu()


def _supported_dtype(name, device):
    dtype = AMPConfig.from_name(name).dtype
    if device.type == "cpu" and dtype != torch.float32:
        logger.info(f"Teacher: {name} is for GPUs, on the CPU it runs in fp32.")
        return torch.float32
    return dtype
