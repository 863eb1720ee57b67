"""Enhances recordings, batches and arrays with a trained model."""

import numpy as np
import torch
from speechbrain.inference.interfaces import Pretrained

from cmkt_plugin.hub_snapshot import model_folder
from cmkt_plugin.safe_folder import load_safe
from cmkt_plugin.stock_interfaces import adapter_of, parts_of


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

    @classmethod
    def from_safe(
        cls, source, savedir=None, revision=None, run_opts=None, windows=None
    ):
        """Loads an export without running or unpickling anything of it.

        Only classes of ``cmkt_plugin.allowed_classes`` are built.

        Arguments
        ---------
        source : str or pathlib.Path
            A folder with ``config.json`` and ``model.safetensors``, or the
            name of such a model on the hub, ``user/name``.
        savedir : str or pathlib.Path or None
            Where a model of the hub is put; None: into the hub's cache.
        revision : str or None
            Of a model of the hub: branch, tag or commit.
        run_opts : dict
            Options of SpeechBrain's interfaces, such as a ``device``.
        windows : OverlapAdd or None
            How long recordings are cut; None: the default.

        Returns
        -------
        CMKTEnhancement

        Raises
        ------
        FileNotFoundError
            If there is no such model, or it was not exported for this.
        ValueError
            If the model names a class that is not on the list, or is damaged.
        """
        folder = model_folder(source, savedir, revision)
        modules, hparams = parts_of(*load_safe(folder))
        options = {} if windows is None else {"windows": windows}
        return cls(modules, hparams, run_opts, **options)

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
