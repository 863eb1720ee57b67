"""The transfer's side of a training: teacher, tap and aligner, put together."""

from collections import Counter

import torch
from speechbrain.utils.distributed import run_on_main
from speechbrain.utils.logger import get_logger

from cmkt_plugin.dataset import OUTPUT_KEYS
from cmkt_plugin.embedding_cache import EmbeddingCache

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

    Raises
    ------
    ValueError
        If the aligner's query would tell the target (see ``check_leaks``).
    """

    def __init__(
        self,
        teacher,
        tap,
        aligner,
        standardization,
        control,
        shifted_alignment,
        cache_folder,
    ):
        self.teacher = teacher
        self.tap = tap
        self.standardization = standardization
        self.control = control
        self.shifted_alignment = shifted_alignment
        self.cache = EmbeddingCache(cache_folder, teacher.settings)
        self.aligner = aligner(
            latent_width=tap.measure(), token_width=teacher.width
        )
        check_leaks(self.aligner.query, teacher, shifted_alignment)

    def prepare(self, datasets):
        """Embed the transcripts once and let the datasets read them.

        Arguments
        ---------
        datasets : dict
            ``train`` and ``valid`` sets; their items get ``tokens``,
            ``token_ids`` and ``token_count``.
        """
        words = {
            name: {u: dataset.data[u]["words"] for u in dataset.data_ids}
            for name, dataset in datasets.items()
        }
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
            self._add_tokens(dataset, words[name])

    def _measure(self, words):
        """Count tokens and fit the standardisation on the training set."""
        self.training_tokens = Counter()
        counts = {}
        for utterance, text in words.items():
            ids = self.cache.read(text).token_ids
            counts[utterance] = len(ids)
            self.training_tokens.update(ids.tolist())
        if self.training_tokens:
            self.standardization.fit(
                self.cache.read(text).embeddings for text in words.values()
            )
        return counts

    def _log_transcripts(self, words, counts):
        without = sum(count == 0 for count in counts.values())
        logger.info(
            f"transfer: {len(counts)} training utterances, {without} without "
            f"tokens (enhancement loss only), {sum(counts.values())} tokens, "
            f"{len(self.training_tokens)} distinct."
        )

    def _add_tokens(self, dataset, words):
        def tokens(utterance):
            return self.read(utterance, words[utterance])

        dataset.add_dynamic_item(
            tokens,
            takes=["id"],
            provides=["token_item"],
        )
        for key in ("tokens", "token_ids", "token_count"):
            dataset.add_dynamic_item(
                lambda item, key=key: item[key],
                takes=["token_item"],
                provides=[key],
            )
        dataset.set_output_keys(
            [*OUTPUT_KEYS, "tokens", "token_ids", "token_count"]
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


def check_leaks(query, teacher, shifted_alignment):
    """Refuse a query that can see its target.

    A query with earlier tokens is honest only if their embeddings do not
    tell the next token, as those of a bidirectional model do, and if the
    misalignment does not pair it with a token that it has seen.

    Arguments
    ---------
    query : torch.nn.Module
        One of ``cmkt_plugin.queries``.
    teacher : cmkt_plugin.teacher.LanguageModelTeacher
        Tells whether its embeddings are contextual and causal.
    shifted_alignment : cmkt_plugin.shifted_alignment.ShiftedAlignment
        Tells the largest shift of the tokens.

    Raises
    ------
    ValueError
        If the target leaks.
    """
    if not query.sees_tokens:
        return
    if teacher.contextual and not teacher.causal:
        raise ValueError(
            "a query of shifted tokens with bidirectional contextual "
            "embeddings tells the target: every embedding knows its "
            "neighbours. Use layer: null (input word embeddings), a causal "
            "language model, or a position query."
        )
    shift = shifted_alignment
    latest = shift.amount.maximum if shift.unit.moves_tokens else 0
    if shift.probability > 0 and latest >= query.shift:
        raise ValueError(
            f"tokens shifted by up to {latest} are paired with queries that "
            f"have seen them (query shift {query.shift}). Use a maximum "
            f"below {query.shift}, or shift frames."
        )
