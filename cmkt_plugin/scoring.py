"""Scores of a validation or a test, from batches to files."""

import json
from pathlib import Path

import speechbrain as sb
import torch
from speechbrain.dataio import audio_io

from cmkt_plugin.atomic import write_text
from cmkt_plugin.metrics import METRICS, ScorePool, summarize, write_csv


class EvaluationScores:
    """Scores utterances while the next ones are enhanced.

    Arguments
    ---------
    hparams : types.SimpleNamespace
        ``sample_rate`` (Hz), ``score_jobs``, ``valid_metrics``,
        ``valid_scored`` (None for all), ``output_folder``,
        ``save_enhanced``.
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
        self.scored = []
        self.left = None if self.testing else hparams.valid_scored

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
            if self.left is not None:
                if self.left <= 0:
                    return
                self.left -= 1
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

    def means(self):
        """Mean of every metric over the utterances that have it."""
        return summarize(self.rows())["scores"]

    def rows(self):
        """Scores of every utterance; waits for the last one."""
        self.scored += self.enhanced.gather()
        return self.scored

    def write(self, record):
        """Write ``test_scores.csv`` and, last, ``test_summary.json``.

        Arguments
        ---------
        record : dict
            What the summary says beside the scores.
        """
        folder = Path(self.hparams.output_folder)
        rows, noisy = self.rows(), self.noisy.gather()
        write_csv(rows, folder / "test_scores.csv")
        write_csv(noisy, folder / "noisy_scores.csv")
        summary = {
            **summarize(rows),
            "noisy": summarize(noisy)["scores"],
            **record,
        }
        write_text(
            folder / "test_summary.json", json.dumps(summary, indent=2) + "\n"
        )
