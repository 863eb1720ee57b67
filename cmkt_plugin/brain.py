"""Training: one Brain for enhancement, and the transfer on top of it."""

import contextlib
import inspect
import json
import time

import speechbrain as sb
import torch
from speechbrain.nnet.schedulers import update_learning_rate
from speechbrain.utils.distributed import if_main_process

from cmkt_plugin.atomic import write_text
from cmkt_plugin.enhancers import Enhanced
from cmkt_plugin.retrieval import TokenRetrieval
from cmkt_plugin.scoring import EvaluationScores
from cmkt_plugin.visual.lips import Lips


class EnhancementBrain(sb.Brain):
    """Trains an enhancer on pairs of noisy and clean speech.

    ``modules`` holds the ``enhancer``; ``hparams`` needs ``features``,
    ``objective``, ``lr_schedule``, ``train_logger``, ``score_jobs``,
    ``valid_metrics``, ``best_metric`` and ``mixing``. Batches hold
    ``id``, ``speaker``, ``noisy_sig`` and ``clean_sig``, and ``lips`` and
    ``lips_present`` where there is video.
    """

    train_seconds = 0.0

    def __init__(self, modules, *args, **kwargs):
        super().__init__(modules, *args, **kwargs)
        # Asked now: wrapped for distributed training it takes anything.
        self.inputs = inspect.signature(modules["enhancer"].forward).parameters

    def compute_forward(self, batch, stage):
        """Enhance a batch.

        Returns
        -------
        cmkt_plugin.enhancers.Enhanced
        """
        batch = batch.to(self.device)
        noisy, lengths = batch.noisy_sig
        need_wav = bool(self.hparams.objective.waveform)
        return self.modules.enhancer(
            noisy,
            lengths,
            need_wav or stage != sb.Stage.TRAIN,
            **self.more_inputs(batch),
        )

    def more_inputs(self, batch):
        """What the enhancer takes beside the noisy speech.

        Clean speech to diffuse, or to tell the target of the loss; lips.
        """
        inputs = {"clean": batch.clean_sig.data}
        if hasattr(batch, "lips"):
            inputs["lips"] = Lips(batch.lips.data, batch.lips_present.data)
        return {name: inputs[name] for name in inputs if name in self.inputs}

    def compute_objectives(self, predictions, batch, stage):
        """The weighted sum of the loss terms; scores, when evaluating."""
        terms = self.loss_terms(predictions, batch, stage)
        for name, term in terms.items():
            # Tensors, not numbers: reading a number waits for the GPU.
            self.term_values.setdefault(name, []).append(term.detach())
        if stage != sb.Stage.TRAIN:
            self.scores.append(batch, predictions.wav)
        return self.hparams.objective.total(terms)

    def loss_terms(self, predictions, batch, stage):
        """Every loss term of a batch, by name."""
        clean, lengths = batch.clean_sig
        features = predictions.target
        if features is None:
            features = self.hparams.features(clean)
        target = Enhanced(clean, features)
        return self.hparams.objective.enhancement(predictions, target, lengths)

    def on_fit_start(self):
        """Take over the training time of the run that is resumed."""
        self.check_best_metric()
        super().on_fit_start()
        last = self.checkpointer.find_checkpoint(
            ckpt_predicate=lambda checkpoint: "train_seconds" in checkpoint.meta
        )
        if last is not None:
            self.train_seconds = last.meta["train_seconds"]

    def on_stage_start(self, stage, epoch=None):
        """Set weights and learning rate of the epoch, empty the records."""
        self.term_values = {}
        self.stage_start = time.perf_counter()
        self.average_weights(stage)
        if stage == sb.Stage.TRAIN:
            self.hparams.objective.set_epoch(epoch)
            if self.hparams.mixing is not None:
                self.hparams.mixing["train"].set_epoch(epoch)
            for optimizer in self.optimizers_dict.values():
                update_learning_rate(optimizer, self.hparams.lr_schedule(epoch))
        else:
            self.scores = EvaluationScores(self.hparams, stage)

    def average_weights(self, stage):
        """Train the weights themselves; evaluate and save their average.

        For optimizers that keep one (``cmkt_plugin.weight_average``, or those
        without schedule), which all have ``train`` and ``eval``.
        """
        if stage == sb.Stage.TEST:
            return  # the checkpoint's weights are averaged already
        for optimizer in self.optimizers_dict.values():
            if hasattr(optimizer, "eval"):
                if stage == sb.Stage.TRAIN:
                    optimizer.train()
                else:
                    optimizer.eval()

    def on_stage_end(self, stage, stage_loss, epoch=None):
        """Log every term; keep the best checkpoint; write the test scores."""
        stats = {"loss": stage_loss, **self.mean_terms()}
        if stage == sb.Stage.TRAIN:
            self.train_seconds += time.perf_counter() - self.stage_start
            self.train_stats = stats
            return
        if stage == sb.Stage.VALID:
            stats.update(self.scores.means(), **self.valid_stats())
            self.hparams.train_logger.log_stats(
                {"epoch": epoch, "lr": self.hparams.lr_schedule(epoch)},
                train_stats=self.train_stats,
                valid_stats=stats,
            )
            # A metric that no item allows is left out: it chooses nothing.
            known = {k: v for k, v in stats.items() if v is not None}
            self.checkpointer.save_and_keep_only(
                meta={
                    "epoch": epoch,
                    "train_seconds": self.train_seconds,
                    **known,
                },
                max_keys=[self.hparams.best_metric],
            )
        else:
            # Every process logs: SpeechBrain's logger waits for all of them.
            self.hparams.train_logger.log_stats(
                {"epoch loaded": self.hparams.epoch_counter.current},
                test_stats={**stats, **self.scores.means()},
            )
            if if_main_process():
                self.scores.write()

    def check_best_metric(self):
        """A metric that is not computed cannot choose a checkpoint."""
        name, metrics = self.hparams.best_metric, self.hparams.valid_metrics
        if name not in metrics:
            raise ValueError(
                f"best_metric '{name}' is not among valid_metrics {metrics}: "
                "add it there, or choose one of them."
            )

    def mean_terms(self):
        """Mean of every loss term over the batches of the stage."""
        return {
            name: torch.stack(values).float().mean().item()
            for name, values in self.term_values.items()
        }

    def valid_stats(self):
        """More statistics for the log of a validation."""
        return {}

    def write_summary(self, path):
        """Write the summary of the test: scores and how they were reached.

        Arguments
        ---------
        path : str or Path
            A JSON file.
        """
        summary = {**self.scores.summary(), **self.test_record()}
        write_text(path, json.dumps(summary, indent=2) + "\n")

    def test_record(self):
        """What the summary says beside the scores."""
        parameters = self.modules.enhancer.parameters()
        last = max(
            (c.meta for c in self.checkpointer.list_checkpoints()),
            key=lambda meta: meta.get("epoch", 0),
        )
        return {
            "parameters": sum(p.numel() for p in parameters),
            # The counter is back at the epoch of the best checkpoint.
            "best_epoch": self.hparams.epoch_counter.current,
            "epochs": last.get("epoch", 0),
            "train_minutes": self.train_seconds / 60,
            "valid": dict(last),
        }


class CMKTBrain(EnhancementBrain):
    """Adds the cross-modality knowledge transfer, and nothing else.

    ``modules`` also holds the ``aligner``; ``hparams`` also needs
    ``transfer`` (``cmkt_plugin.transfer.Transfer``). Batches also hold
    ``tokens`` (batch, tokens, width), ``token_ids`` (batch, tokens) and
    ``token_count`` (batch,), except when testing: the test needs no text.
    With an ensemble (``cmkt_plugin.ensemble.TeacherEnsemble``) there is one of
    each per member, its name in front.
    """

    @property
    def members(self):
        """The transfers of all teachers, by prefix."""
        return self.hparams.transfer.members

    def init_optimizers(self):
        """An optimizer each for student and aligners.

        SpeechBrain clips the gradient of an optimizer's parameters by their
        common norm: with one optimizer, the aligner's gradient would scale
        the student's.
        """
        modules = {"optimizer": "enhancer"}
        for prefix in self.members:
            modules[f"{prefix}aligner_optimizer"] = f"{prefix}aligner"
        self.optimizers_dict = {
            name: self.opt_class(self.modules[module].parameters())
            for name, module in modules.items()
        }
        self.optimizer = self.optimizers_dict["optimizer"]
        if self.checkpointer is not None:
            self.checkpointer.add_recoverables(self.optimizers_dict)

    def compute_forward(self, batch, stage):
        """Enhance a batch, listening to the latent."""
        with contextlib.ExitStack() as stack:
            # Two teachers may share a tap.
            for tap in dict.fromkeys(m.tap for m in self.members.values()):
                stack.enter_context(tap)
            return super().compute_forward(batch, stage)

    def loss_terms(self, predictions, batch, stage):
        """The enhancement's terms and, but for the test, the transfer's."""
        terms = super().loss_terms(predictions, batch, stage)
        if stage != sb.Stage.TEST:
            terms.update(self.transfer_terms(batch, stage))
        return terms

    def transfer_terms(self, batch, stage):
        """L_CMA (method 1.4): the weighted sum over the teachers."""
        terms = {}
        for prefix, weight in self.hparams.transfer.weights.items():
            for name, term in self.member_terms(prefix, batch, stage).items():
                terms[name] = terms.get(name, 0) + weight * term
                if prefix:
                    log = self.term_values.setdefault(prefix + name, [])
                    log.append(term.detach())
        return terms

    def member_terms(self, prefix, batch, stage):
        """L_CMA between predicted and one teacher's embeddings."""
        transfer = self.members[prefix]
        latent = transfer.tap.latent
        frames = transfer.tap.lengths(batch.noisy_sig.lengths)
        tokens, ids, counts = (
            getattr(batch, f"{prefix}{key}")
            for key in ("tokens", "token_ids", "token_count")
        )
        tokens, ids = tokens.data, ids.data
        if stage == sb.Stage.VALID:
            self.collect(prefix, latent, frames, tokens, ids, counts)
            amount = torch.zeros_like(counts)
        else:
            amount = transfer.shifted_alignment.sample(
                len(counts), counts.device
            )
        unit = transfer.shifted_alignment.unit
        latent, mask = unit.move(latent, frames, amount)
        predicted, _ = self.modules[f"{prefix}aligner"](
            latent, frames, tokens, counts, mask
        )
        predicted, tokens, ids, counts = unit.pair(
            predicted, tokens, ids, counts, amount
        )
        return self.hparams.objective.transfer(
            predicted, tokens, counts / tokens.shape[1], ids
        )

    def collect(self, prefix, latent, frames, tokens, ids, counts):
        """Keep what the retrieval of the epoch's end needs."""
        for item, (frame, count) in enumerate(zip(frames, counts)):
            self.retrieval[prefix].append(
                latent[item, :frame], tokens[item, :count], ids[item, :count]
            )

    def on_stage_start(self, stage, epoch=None):
        """Follow the schedule of the shifts; start a new retrieval."""
        super().on_stage_start(stage, epoch)
        for member in self.members.values():
            if stage == sb.Stage.TRAIN:
                member.shifted_alignment.set_epoch(epoch)
        self.retrieval = {
            prefix: TokenRetrieval(member.training_tokens)
            for prefix, member in self.members.items()
        }

    def valid_stats(self):
        """Retrieval of the validation tokens."""
        return {
            f"{prefix}{name}": value
            for prefix, retrieval in self.retrieval.items()
            for name, value in retrieval.summarize(
                self.modules[f"{prefix}aligner"]
            ).items()
        }
