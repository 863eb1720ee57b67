"""Short-time Fourier transform and its inverse, piece by piece."""

from copy import copy

import torch


class StreamedTransform:
    """Gives the frames that are complete, and the samples that are final.

    What comes out is, all together, that of
    ``speechbrain.processing.features.STFT`` and ``ISTFT`` on the whole
    recording: frames are centred, with zeros before and after the recording,
    and the overlap-added frames are divided by the overlap-added squares of
    the window (Griffin and Lim, 1984). A sample is final with the last frame
    that covers it.

    Arguments
    ---------
    stft : speechbrain.processing.features.STFT
        Its window and its settings, which are those of the inverse.
    device : str or torch.device
        Where to compute.
    signals : int
        How many are transformed together.

    Raises
    ------
    ValueError
        If the hop is more than half a window.

    Example
    -------
    >>> from speechbrain.processing.features import STFT
    >>> transform = StreamedTransform(STFT(16000, 32, 16, 512))
    >>> recording = torch.randn(1, 1000)
    >>> spectrum = transform.analyse(recording)
    >>> spectrum.shape  # frames around samples 0, 256 and 512
    torch.Size([1, 3, 257, 2])
    >>> first = transform.synthesise(spectrum)
    >>> rest = transform.synthesise_rest(transform.analyse_rest())
    >>> first.shape, rest.shape
    (torch.Size([1, 512]), torch.Size([1, 488]))
    >>> torch.allclose(torch.cat([first, rest], 1), recording, atol=1e-5)
    True
    """

    def __init__(self, stft, device="cpu", signals=1):
        if 2 * stft.hop_length > stft.win_length:
            raise ValueError(
                f"hop_length is {stft.hop_length} samples, win_length "
                f"{stft.win_length}: expected at most half of it, or no "
                "window covers the last samples of some recordings"
            )
        self.hop, self.win = stft.hop_length, stft.win_length
        self.n_fft, self.device = stft.n_fft, device
        self.signals = signals
        self.window = stft.window.to(device)
        # The window stands in the middle of the n_fft points.
        self.left = (self.n_fft - self.win) // 2
        self.right = self.n_fft - self.win - self.left
        self.stft = copy(stft)
        self.stft.center = False  # the frames are placed here
        self.reset()

    def reset(self):
        """Forgets the recording so far."""
        # So many samples before the recording does its first frame begin.
        self.before = self.n_fft // 2 - self.left
        self.samples = self.window.new_zeros(self.signals, self.before)
        # Sums of frames that are not final yet, and of the squared windows.
        self.sums = self.window.new_zeros(self.signals + 1, self.win - self.hop)
        self.taken = self.frames = self.given = 0

    def analyse(self, samples):
        """Takes samples, returns the frames that are complete.

        Arguments
        ---------
        samples : torch.Tensor
            The next samples (signals, time).

        Returns
        -------
        torch.Tensor
            Spectrum of the frames they complete (signals, frames, bins, 2);
            there may be none.
        """
        self.taken += samples.shape[1]
        self.samples = torch.cat([self.samples, samples], dim=1)
        overlap = self.win - self.hop
        return self._spectrum((self.samples.shape[1] - overlap) // self.hop)

    def analyse_rest(self):
        """Returns the frames that reach over the end (like ``analyse``)."""
        # The number of frames of the centred transform, without those done.
        time = self.taken + self.n_fft // 2 * 2
        frames = (time - self.n_fft) // self.hop + 1 - self.frames
        needed = (frames - 1) * self.hop + self.win
        self.samples = torch.nn.functional.pad(
            self.samples, (0, needed - self.samples.shape[1])
        )
        return self._spectrum(frames)

    def _spectrum(self, frames):
        if frames <= 0:
            bins = self.n_fft // 2 + 1
            return self.window.new_zeros(self.signals, 0, bins, 2)
        used = self.samples[:, : (frames - 1) * self.hop + self.win]
        # A copy: a view would keep the whole of a long push in memory.
        self.samples = self.samples[:, frames * self.hop :].clone()
        self.frames += frames
        return self.stft(torch.nn.functional.pad(used, (self.left, self.right)))

    def synthesise(self, spectrum):
        """Takes the enhanced frames, returns the samples that are final.

        Arguments
        ---------
        spectrum : torch.Tensor
            What came from ``analyse``, enhanced (signals, frames, bins, 2).

        Returns
        -------
        torch.Tensor
            The next samples of the recording (signals, time); there may be
            none.
        """
        final = spectrum.shape[1] * self.hop
        if final:
            sums = self._overlap_add(spectrum)
            sums[:, : self.win - self.hop] += self.sums
        else:
            sums = self.sums
        self.sums = sums[:, final:].clone()
        return self._within_recording(sums[:, :final])

    def synthesise_rest(self, spectrum):
        """Takes the last frames, returns the samples up to the end."""
        final = self.synthesise(spectrum)
        # The padding after the recording has output as well.
        rest = torch.cat([final, self._within_recording(self.sums)], dim=1)
        return rest[:, : self.taken - self.given + rest.shape[1]]

    def _overlap_add(self, spectrum):
        frames = torch.fft.irfft(torch.view_as_complex(spectrum), self.n_fft)
        frames = frames[..., self.left : self.left + self.win] * self.window
        squares = self.window.square().expand_as(frames[:1])
        time = (frames.shape[1] - 1) * self.hop + self.win
        return torch.nn.functional.fold(
            torch.cat([frames, squares]).transpose(1, 2),
            output_size=(1, time),
            kernel_size=(1, self.win),
            stride=(1, self.hop),
        ).reshape(-1, time)

    def _within_recording(self, sums):
        skipped = min(self.before, sums.shape[1])
        self.before -= skipped
        self.given += sums.shape[1] - skipped
        return sums[:-1, skipped:] / sums[-1, skipped:]
