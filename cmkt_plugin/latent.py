"""Taps one latent sequence of an enhancer without changing the enhancer."""

import difflib
import inspect

import torch

from cmkt_plugin.enhancers import frame_lengths


class LatentTap:
    """Records what a submodule returns as (batch, frames, width).

    A forward hook is attached inside the ``with`` block only, so that the
    enhancer can be copied, saved and wrapped (DDP) at any other time. If the
    submodule returns a tuple or list, its first tensor is taken. The latent
    keeps its gradient.

    Arguments
    ---------
    module : torch.nn.Module
        The enhancer.
    name : str
        The submodule as ``named_modules`` calls it (``net.encoder.layers.1``)
        or a unique end of that name (``encoder.layers.1``).
    frames_dim : int
        The dimension that holds the frames in what the submodule returns;
        the batch is dimension 0 and all others are flattened.
    first_call : bool
        Take the first of several calls. A score network is called once for
        its loss, then again and again by the sampler.

    Raises
    ------
    ValueError
        If there is no such submodule, or more than one, with their names.

    Example
    -------
    >>> net = torch.nn.Sequential(torch.nn.Linear(5, 3), torch.nn.ReLU())
    >>> tap = LatentTap(net, "0")
    >>> with tap:
    ...     output = net(torch.randn(2, 7, 5))
    >>> tap.latent.shape
    torch.Size([2, 7, 3])
    >>> tap.lengths(torch.tensor([1.0, 0.6]))
    tensor([7, 4])
    """

    def __init__(self, module, name, frames_dim=1, first_call=False):
        self.module = module
        self.name = _find_name(module, name)
        self.frames_dim = frames_dim
        self.first_call = first_call
        self._outputs = []
        self._handle = None

    def __enter__(self):
        self._outputs = []
        # Looked up anew: converting to SyncBatchNorm replaces submodules.
        submodule = self.module.get_submodule(self.name)
        self._handle = submodule.register_forward_hook(self._record)
        return self

    def __exit__(self, *exception):
        self._handle.remove()
        self._handle = None

    def _record(self, submodule, inputs, output):
        if not (self.first_call and self._outputs):
            self._outputs.append(output)

    @property
    def latent(self):
        """The latent (batch, frames, width) of the last ``with`` block.

        Raises
        ------
        ValueError
            If the submodule was not called exactly once in the block, or its
            output holds no tensor with batch, frames and width.
        """
        if len(self._outputs) != 1:
            raise ValueError(
                f"latent '{self.name}' was called {len(self._outputs)} times "
                "within the tap, expected once: run the enhancer once inside "
                "the 'with' block, tap the module around it, or take the first "
                "with first_call"
            )
        latent = _first_tensor(self._outputs[0])
        if latent is None or latent.dim() < 3:
            found = type(self._outputs[0]).__name__
            if latent is not None:
                found = f"a tensor {tuple(latent.shape)}"
            raise ValueError(
                f"latent '{self.name}' returns {found}, expected a tensor of "
                "3 or more dimensions with batch first: tap another module"
            )
        return latent.movedim(self.frames_dim, 1).flatten(start_dim=2)

    def lengths(self, lengths):
        """Number of latent frames of each item, at least one.

        Arguments
        ---------
        lengths : torch.Tensor
            Relative lengths (batch,) of the waveforms.

        Returns
        -------
        torch.Tensor
            Integer lengths (batch,) in frames of the last latent.
        """
        return frame_lengths(lengths, self.latent.shape[1])

    def measure(self, samples=8000):
        """Finds the width of the latent with a dry run on silence.

        The random state, the buffers and the training mode of every
        submodule are left as they were.

        Arguments
        ---------
        samples : int
            Length of the silence; half a second at 16 kHz.

        Returns
        -------
        int
            The width of the latent.

        Raises
        ------
        ValueError
            If no trained parameter stands before the latent: what it is
            taught would change nothing.
        """
        modes = {m: m.training for m in self.module.modules()}
        tensor = next(self.module.parameters(), torch.zeros(()))
        devices = [tensor.device] if tensor.is_cuda else []
        silence = torch.zeros(1, samples, device=tensor.device)
        self.module.eval()  # BatchNorm statistics stay as they are
        try:
            with torch.random.fork_rng(devices), torch.enable_grad(), self:
                lengths = torch.ones(1, device=tensor.device)
                self.module(silence, lengths, **self._without_sampling())
            if not self.latent.requires_grad:
                raise ValueError(
                    f"latent '{self.name}' depends on no trained parameter: "
                    "teaching it would change nothing. Tap a later module."
                )
            return self.latent.shape[2]
        finally:
            self._outputs = []
            for submodule, training in modes.items():
                submodule.training = training

    def _without_sampling(self):
        # A sampler runs without gradient: the latent would depend on nothing.
        if "need_wav" in inspect.signature(self.module.forward).parameters:
            return {"need_wav": False}
        return {}


def _first_tensor(output):
    """The first tensor of a tensor or of nested tuples and lists."""
    if isinstance(output, torch.Tensor):
        return output
    if isinstance(output, (tuple, list)):
        tensors = (_first_tensor(item) for item in output)
        return next((t for t in tensors if t is not None), None)
    return None


def _find_name(module, name):
    """Resolves a full name, or a unique end of one, of a submodule."""
    names = [known for known, _ in module.named_modules() if known]
    if name in names:
        return name
    ends = [known for known in names if known.endswith(f".{name}")]
    if len(ends) == 1:
        return ends[0]
    if ends:
        raise ValueError(
            f"latent '{name}' is not unique, write one of: {', '.join(ends)}"
        )
    close = difflib.get_close_matches(str(name), names, n=5, cutoff=0.4)
    others = [known for known in names if known not in close]
    raise ValueError(
        f"latent '{name}' is no submodule of {type(module).__name__}; "
        f"closest: {', '.join(close) or 'none'}; others: {', '.join(others)}"
    )
