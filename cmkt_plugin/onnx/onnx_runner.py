"""Enhances with an exported model.onnx: needs numpy and onnxruntime only."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnxruntime


class ONNXEnhancer:
    """An enhancer in the folder that ``cmkt_plugin.onnx.export`` made.

    Arguments
    ---------
    folder : str or pathlib.Path
        With ``model.onnx`` and ``model_onnx.json``.
    threads : int
        CPU threads of the network; 0 leaves the choice to onnxruntime.
    """

    def __init__(self, folder, threads=0):
        settings = Path(folder, "model_onnx.json").read_text(encoding="utf-8")
        self.settings = SimpleNamespace(**json.loads(settings))
        self.sample_rate = self.settings.sample_rate
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(
            str(Path(folder, "model.onnx")), options, ["CPUExecutionProvider"]
        )

    def enhance(self, noisy):
        """Enhances float32 waveforms (batch, time); their level is kept."""
        if noisy.dtype != np.float32 or noisy.ndim != 2 or not noisy.size:
            raise ValueError(
                f"noisy is {noisy.dtype} {noisy.shape}, expected float32 "
                "(batch, time), not empty; convert other types, and give "
                "channels as items of the batch"
            )
        time = noisy.shape[1]
        missing = max(0, self.settings.shortest - time)
        noisy = np.pad(noisy, ((0, 0), (0, missing)))
        run = self._network if self.settings.n_fft is None else self._in_frames
        wav = run(noisy)
        missing = max(0, time - wav.shape[1])
        return np.pad(wav, ((0, 0), (0, missing)))[:, :time]

    def _network(self, inputs):
        return self.session.run(None, {"noisy": inputs})[0]

    def _in_frames(self, noisy):
        n_fft, hop = self.settings.n_fft, self.settings.hop_length
        window = np.array(self.settings.window, dtype="float32")
        padded = np.pad(noisy, ((0, 0), (n_fft // 2, n_fft // 2)))
        frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft, 1)
        spectrum = np.fft.rfft(frames[:, ::hop] * window)
        magnitude = np.log1p(np.abs(spectrum)).astype("float32")
        magnitude = self._network(magnitude)
        spectrum = np.expm1(magnitude) * np.exp(1j * np.angle(spectrum))
        frames = np.fft.irfft(spectrum, n_fft) * window
        # Overlap-add, divided by that of the squared window.
        wav = np.zeros_like(padded)
        squares = np.zeros_like(padded[0])
        for frame in range(frames.shape[1]):
            place = slice(frame * hop, frame * hop + n_fft)
            wav[:, place] += frames[:, frame]
            squares[place] += window**2
        end = (frames.shape[1] - 1) * hop
        end = end if self.settings.ends_at_last_hop else noisy.shape[1]
        inside = slice(n_fft // 2, n_fft // 2 + end)
        return wav[:, inside] / squares[inside]
