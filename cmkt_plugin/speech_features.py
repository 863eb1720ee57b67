"""Frame-wise features of clean speech that discrete units are made of."""

from pathlib import Path

import torch
from speechbrain.integrations.huggingface.wav2vec2 import Wav2Vec2
from speechbrain.lobes.features import MFCC

from cmkt_plugin.teacher_source import content_hash, find_folder


class MfccFeatures:
    """Cepstra with first and second derivatives, less their mean.

    13 coefficients, as for the first units of HuBERT (W.-N. Hsu et al., arXiv
    2106.07447, 2021). The mean over the recording holds microphone and level,
    which are none of a unit's business.

    Arguments
    ---------
    frame_rate : float
        Frames per second.

    Example
    -------
    >>> MfccFeatures(frame_rate=50)(torch.randn(16000)).shape
    torch.Size([51, 39])
    """

    sample_rate = 16000  # Hz

    def __init__(self, frame_rate=50.0):
        if frame_rate <= 0:
            raise ValueError(
                f"The frame rate is {frame_rate}: expected frames per second, "
                "such as 50."
            )
        self.frame_rate = float(frame_rate)
        self._mfcc = MFCC(
            sample_rate=self.sample_rate,
            hop_length=1000 / self.frame_rate,  # ms
            n_mfcc=13,
            context=False,
        )

    @property
    def settings(self):
        """What changes the features (dict)."""
        return {"features": "MFCC", "frame_rate": self.frame_rate}

    def __call__(self, waveform):
        """Compute features.

        Arguments
        ---------
        waveform : torch.Tensor
            One recording at 16 kHz (time,).

        Returns
        -------
        torch.Tensor
            (frames, 39)
        """
        cepstra = self._mfcc(waveform.unsqueeze(0))[0]
        return cepstra - cepstra.mean(dim=0)


class SslFeatures:
    """A layer of a self-supervised model (wav2vec 2.0, HuBERT, WavLM).

    Arguments
    ---------
    source : str
        Folder of the model, or its name on the hub.
    layer : int
        Index of a hidden state: 0 the transformer's input, -1 the last.
    save_path : str
        Where models from the hub are kept.

    Raises
    ------
    FileNotFoundError
        If there is no such model.
    ValueError
        If it has no such layer.
    """

    def __init__(self, source, layer, save_path="pretrained_models"):
        folder = find_folder(str(source), None, save_path, with_weights=True)
        self.name = Path(source).name
        self.layer = layer
        self._weights = content_hash(folder)
        self._model = Wav2Vec2(
            folder, save_path=folder, freeze=True, output_all_hiddens=True
        )
        self.sample_rate = self._model.feature_extractor.sampling_rate
        self._model.to("cuda" if torch.cuda.is_available() else "cpu")
        count = self._model.config.num_hidden_layers + 1
        if not -count <= layer < count:
            raise ValueError(
                f"{source} has no layer {layer}: expected {-count} to "
                f"{count - 1} (0 the transformer's input, -1 the last)."
            )

    @property
    def settings(self):
        """What changes the features (dict)."""
        return {
            "features": self.name,
            "layer": self.layer,
            "weights": self._weights,
        }

    def __call__(self, waveform):
        """Compute features.

        Arguments
        ---------
        waveform : torch.Tensor
            One recording at the model's rate, ``sample_rate`` (time,).

        Returns
        -------
        torch.Tensor
            (frames, width), 50 frames per second for the models named above.
        """
        device = next(self._model.parameters()).device
        hidden = self._model(waveform.unsqueeze(0).to(device))
        return hidden[self.layer, 0].float().cpu()
