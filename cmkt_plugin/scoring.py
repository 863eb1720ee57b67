"""Scores of a validation or a test, from batches to files."""

from pathlib import Path

import speechbrain as sb
import torch
from speechbrain.dataio import audio_io
from speechbrain.utils.logger import get_logger

from cmkt_plugin.metrics import METRICS
from cmkt_plugin.score_pool import ScorePool
from cmkt_plugin.score_table import summarize, write_csv

logger = get_logger(__name__)
NAMED = 5  # utterances that the log names; the table names them all


class EvaluationScores:
    """Scores utterances while the next ones are enhanced.

    Arguments
    ---------
    hparams : types.SimpleNamespace
        ``sample_rate`` (Hz), ``score_jobs``, ``valid_metrics``,
        ``output_folder``, ``save_enhanced``.
    stage : speechbrain.Stage
        A test computes every metric of every utterance, and those of the
        noisy input.
    """

    def __init__(self, hparams, stage):
        self.hparams = hparams
        self.testing = stage == sb.Stage.TEST
        metrics = METRICS if self.testing else hparams.valid_metrics
        options = {
            "jobs": hparams.score_jobs,
            "rate": hparams.sample_rate,
            "metrics": metrics,
        }
        self.enhanced = ScorePool(**options)
        self.noisy = ScorePool(**options)
        self.scored, self.scored_noisy = [], []

    def append(self, batch, enhanced):
        """Score the utterances of a batch.

        Arguments
        ---------
        batch : speechbrain.dataio.batch.PaddedBatch
            With ``id``, ``speaker``, ``noisy_sig`` and ``clean_sig``.
        enhanced : torch.Tensor
            Waveforms (batch, time).
        """
        clean, lengths = batch.clean_sig
        samples = (lengths * clean.shape[1]).round().long()
        for item, count in enumerate(samples.tolist()):
            signals = [
                wavs[item, :count].float().cpu().numpy()
                for wavs in (enhanced, batch.noisy_sig.data, clean)
            ]
            self._submit(batch.id[item], batch.speaker[item], *signals)

    def _submit(self, utterance, speaker, enhanced, noisy, clean):
        self.enhanced.submit(utterance, enhanced, clean, speaker=speaker)
        if self.testing:
            self.noisy.submit(utterance, noisy, clean, speaker=speaker)
            if self.hparams.save_enhanced:
                self._save(utterance, enhanced)

    def _save(self, utterance, enhanced):
        folder = Path(self.hparams.output_folder) / "enhanced_wavs"
        folder.mkdir(parents=True, exist_ok=True)
        audio_io.save(
            str(folder / f"{utterance}.wav"),
            torch.from_numpy(enhanced).unsqueeze(0),
            self.hparams.sample_rate,
        )

    def rows(self):
        """Scores of every utterance, and of the noisy ones; waits for all."""
        self.scored += self.enhanced.gather()
        self.scored_noisy += self.noisy.gather()
        return self.scored, self.scored_noisy

    def means(self):
        """Mean of every metric over the utterances that have it."""
        found = summarize(self.rows()[0])
        left_out = list(found["left_out"].items())
        if left_out:
            named = "; ".join(f"{u} ({why})" for u, why in left_out[:NAMED])
            logger.warning(
                f"{len(left_out)} of {len(self.scored)} utterances are left "
                f"out of some means: {named}"
            )
        return found["scores"]

    def write(self):
        """Write ``test_scores.csv`` and ``noisy_scores.csv``."""
        folder = Path(self.hparams.output_folder)
        rows, noisy = self.rows()
        write_csv(rows, folder / "test_scores.csv")
        write_csv(noisy, folder / "noisy_scores.csv")

    def summary(self):
        """Means, counts, items left out, and the means of the noisy input."""
        rows, noisy = self.rows()
        return {**summarize(rows), "noisy": summarize(noisy)["scores"]}
