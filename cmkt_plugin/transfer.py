"""The transfer's side of a training: teacher, tap and aligner, put together."""

import itertools
from collections import Counter

import torch
from speechbrain.utils.distributed import run_on_main
from speechbrain.utils.logger import get_logger

from cmkt_plugin.embedding_cache import EmbeddingCache
from cmkt_plugin.leak_check import check_leaks
from cmkt_plugin.transcripts import Transcripts

logger = get_logger(__name__)


class Transfer:
    """Everything that exists in training only.

    Arguments
    ---------
    teacher : cmkt_plugin.teacher.LanguageModelTeacher
        The language model; loaded only if a transcript is not cached yet.
    tap : cmkt_plugin.latent.LatentTap
        Collects the student's latent.
    aligner : callable
        Makes the aligner from ``latent_width`` and ``token_width``.
    standardization : cmkt_plugin.standardization.Standardization
        Brings the dimensions of the teacher's space to one scale.
    control : object
        Which transcript and embeddings are used: the corpus' own, or one of
        the controls of ``cmkt_plugin.controls``.
    shifted_alignment : cmkt_plugin.shifted_alignment.ShiftedAlignment
        The misalignment strategy.
    cache_folder : str
        Where embeddings are kept; runs may share it.
    transcripts : cmkt_plugin.transcripts.Transcripts, optional
        Which text there is to train with; the corpus' own as it is written.

    Raises
    ------
    ValueError
        If the aligner's query would tell the target (see ``check_leaks``), or
        the enhancer trains on stretches that hold other words than the text.
    """

    weights = {"": 1.0}

    def __init__(
        self,
        teacher,
        tap,
        aligner,
        standardization,
        control,
        shifted_alignment,
        cache_folder,
        transcripts=None,
    ):
        self.teacher = teacher
        self.tap = tap
        self.standardization = standardization
        self.control = control
        self.shifted_alignment = shifted_alignment
        self.transcripts = transcripts or Transcripts()
        self.cache = EmbeddingCache(cache_folder, teacher.settings)
        self.aligner = aligner(
            latent_width=tap.measure(), token_width=teacher.width
        )
        check_leaks(self.aligner.query, teacher, shifted_alignment)
        _check_whole(tap.module)

    @property
    def members(self):
        """The one transfer that this is; an ensemble has more, with names."""
        return {"": self}

    def prepare(self, datasets, prefix=""):
        """Embed the transcripts once and let the datasets read them.

        Arguments
        ---------
        datasets : dict
            ``train`` and ``valid`` sets; their items get ``tokens``,
            ``token_ids`` and ``token_count``.
        prefix : str
            Put before these three names.
        """
        words = self.transcripts.texts(
            {
                name: {u: dataset.data[u]["words"] for u in dataset.data_ids}
                for name, dataset in datasets.items()
            }
        )
        texts = [text for part in words.values() for text in part.values()]
        run_on_main(
            self.cache.fill, kwargs={"texts": texts, "teacher": self.teacher}
        )
        self.teacher.unload()  # no language model in memory while training
        counts = self._measure(words["train"])
        self._log_transcripts(words, counts)
        # Validation keeps its own text: retrieval asks what was learned.
        words["train"] = self.control.texts(words["train"], counts)
        for name, dataset in datasets.items():
            self._add_tokens(dataset, words[name], prefix)

    def _measure(self, words):
        """Count tokens and fit the standardisation, in one pass."""
        self.training_tokens = Counter()
        counts = {}
        embeddings = self._count(words, counts)
        first = next((rows for rows in embeddings if len(rows)), None)
        if first is not None:
            self.standardization.fit(itertools.chain([first], embeddings))
        return counts

    def _count(self, words, counts):
        for utterance, text in words.items():
            item = self.cache.read(text)
            counts[utterance] = len(item.token_ids)
            self.training_tokens.update(item.token_ids.tolist())
            yield item.embeddings

    def _log_transcripts(self, words, counts):
        without = sum(count == 0 for count in counts.values())
        logger.info(
            f"transfer: {len(counts)} training utterances, {without} without "
            f"tokens (enhancement loss only), {sum(counts.values())} tokens, "
            f"{len(self.training_tokens)} distinct."
        )

    def _add_tokens(self, dataset, words, prefix):
        def tokens(utterance):
            return self.read(utterance, words[utterance])

        whole = f"{prefix}token_item"
        dataset.add_dynamic_item(tokens, takes=["id"], provides=[whole])
        keys = ("tokens", "token_ids", "token_count")
        for key in keys:
            dataset.add_dynamic_item(
                lambda item, key=key: item[key],
                takes=[whole],
                provides=[f"{prefix}{key}"],
            )
        dataset.set_output_keys(
            [
                *dataset.pipeline.output_mapping,
                *(f"{prefix}{key}" for key in keys),
            ]
        )

    def read(self, utterance, text):
        """Target tokens of an utterance.

        Arguments
        ---------
        utterance : str
            Its id.
        text : str
            Its transcript; may be empty.

        Returns
        -------
        dict
            ``tokens`` (tokens, width), ``token_ids`` (tokens,) and
            ``token_count``. Without transcript: one row of zeros, count 0,
            because an empty batch cannot be padded.
        """
        item = self.cache.read(text)
        # Without training text there is no scale to bring tokens to.
        count = len(item.token_ids) if self.training_tokens else 0
        if count == 0:
            tokens = torch.zeros(1, self.teacher.width)
            ids = torch.zeros(1, dtype=torch.long)
        else:
            tokens = self.control.embeddings(
                self.standardization(item.embeddings),
                item.token_ids,
                utterance,
            )
            ids = item.token_ids
        return {"tokens": tokens, "token_ids": ids, "token_count": count}


def _check_whole(enhancer):
    """Refuses a diffusion enhancer whose latent is that of random stretches."""
    frames = getattr(enhancer, "crop_frames", None)
    if frames is not None:
        raise ValueError(
            f"the enhancer trains on stretches of {frames} frames, in which "
            "not all words of the transcript are heard: expected whole "
            "utterances, set the backbone's crop_frames to null"
        )
