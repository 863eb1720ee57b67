"""Enhances recordings, batches and arrays with a trained model."""

import numpy as np
import torch
from speechbrain.inference.interfaces import Pretrained

from cmkt_plugin.stock_interfaces import adapter_of


class CMKTEnhancement(Pretrained):
    """Ready-to-use enhancer of any backbone.

    Arguments
    ---------
    modules : dict
        Those of an exported ``hyperparams.yaml``, or one ``enhancer`` of
        ``cmkt_plugin.enhancers``.
    hparams : dict
        With ``sample_rate`` (Hz) and what the modules need beside them.
    run_opts : dict
        Options of SpeechBrain's interfaces, such as ``{"device": "cuda"}``.
    freeze_params : bool
        Whether to switch off gradients and dropout.
    """

    HPARAMS_NEEDED = ["sample_rate"]

    def __init__(
        self, modules=None, hparams=None, run_opts=None, freeze_params=True
    ):
        super().__init__(modules, hparams, run_opts, freeze_params)
        self.enhancer = adapter_of(self.mods, self.hparams)
        self.sample_rate = self.hparams.sample_rate

    @torch.no_grad()
    def enhance_batch(self, noisy, lengths=None):
        """Enhances a batch (batch, time) of waveforms."""
        noisy = noisy.to(self.device)
        return self.enhancer(noisy, torch.ones(len(noisy))).wav

    def enhance_array(
        self, noisy, sample_rate, dry_wet=1.0, keep_high_band=False
    ):
        """Enhances an array (time,) or (time, channels)."""
        channels = torch.from_numpy(np.atleast_2d(noisy.T)).float()
        enhanced = self.enhance_batch(channels).cpu().numpy().T
        return enhanced.reshape(noisy.shape)
