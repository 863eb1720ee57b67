"""Runs a causal net frame by frame, with the state of its layers kept."""

import inspect

import torch
from speechbrain.nnet.CNN import Conv1d
from speechbrain.nnet.containers import LengthsCapableSequential, Sequential

TOLERANCE = 1e-4  # of the peak of a layer's output

_IN_SEQUENCE = (
    Sequential.forward,
    LengthsCapableSequential.forward,
    torch.nn.Sequential.forward,
)


class StreamedNet:
    """A net of layers in sequence, called with the frames that are new.

    A layer that takes ``hx`` is recurrent and goes on from its last state; a
    ``speechbrain.nnet.CNN.Conv1d`` with causal padding sees the frames before
    as well; any other layer is taken to treat every frame alone. Whether that
    holds, and whether the recurrence has one direction only, is for
    ``check`` to find out: it does not depend on a list of known classes.

    Arguments
    ---------
    net : torch.nn.Module
        Maps (batch, frames, channels) to (batch, frames, channels).

    Example
    -------
    >>> from speechbrain.nnet.RNN import GRU
    >>> net = Sequential(input_shape=[None, None, 5], gru=GRU(3, input_size=5))
    >>> features = torch.randn(1, 7, 5)
    >>> streamed = StreamedNet(net)
    >>> streamed.check(features)
    >>> parts = [streamed(part) for part in features.split([2, 4, 1], dim=1)]
    >>> torch.allclose(torch.cat(parts, dim=1), net(features), atol=1e-6)
    True
    """

    def __init__(self, net):
        self.layers = dict(_layers("net", net))
        self.steps = {name: _step(layer) for name, layer in self.layers.items()}
        self.reset()

    def reset(self):
        """Forgets the frames before."""
        self.state = dict.fromkeys(self.layers)

    def __call__(self, frames):
        """Processes the next frames.

        Arguments
        ---------
        frames : torch.Tensor
            They follow those of the last call (batch, frames, channels); the
            items of the batch are the same ones.

        Returns
        -------
        torch.Tensor
            What the net gives for them (batch, frames, channels).
        """
        for name, layer in self.layers.items():
            frames, self.state[name] = self.steps[name](
                layer, frames, self.state[name]
            )
        return frames

    def check(self, frames):
        """Compares every layer frame by frame with the layer in one pass.

        Arguments
        ---------
        frames : torch.Tensor
            An input of the net (batch, frames, channels), a second or so.

        Raises
        ------
        ValueError
            If the two differ. It names the first layer that cannot stream.
        """
        for name, layer in self.layers.items():
            try:
                whole = _first(layer(frames))
                streamed = _one_by_one(self.steps[name], layer, frames)
            # Layers fail in their own ways when they get a single frame.
            except Exception as error:
                raise ValueError(
                    _refusal(name, layer, f"cannot take one frame ({error})")
                ) from error
            if streamed.shape != whole.shape:
                fault = (
                    f"gives {tuple(streamed.shape)} frame by frame but "
                    f"{tuple(whole.shape)} in one pass"
                )
                raise ValueError(_refusal(name, layer, fault))
            difference, peak = (streamed - whole).abs().max(), whole.abs().max()
            if not difference <= TOLERANCE * peak:  # not >: it may be NaN
                fault = (
                    "looks at other frames than the past ones whose state it "
                    f"keeps (frame by frame it gives up to {difference:.2g} "
                    f"more or less than in one pass, of a peak of {peak:.2g})"
                )
                raise ValueError(_refusal(name, layer, fault))
            frames = whole


def _layers(name, net):
    """The layers of nested sequences, in order, by their full names."""
    # A subclass with a forward of its own may use its layers in another way.
    if type(net).forward not in _IN_SEQUENCE:
        return [(name, net)]
    found = []
    for child, layer in net.named_children():
        found += _layers(f"{name}.{child}", layer)
    return found


def _step(layer):
    if "hx" in inspect.signature(layer.forward).parameters:
        return _recurrent_step
    if isinstance(layer, Conv1d) and layer.padding == "causal":
        return _convolution_step
    return _pointwise_step


def _recurrent_step(layer, frames, state):
    return layer(frames, hx=state)


def _convolution_step(layer, frames, past):
    if past is None:
        reach = (layer.kernel_size - 1) * layer.dilation
        past = frames.new_zeros(len(frames), reach, frames.shape[2])
    reach = past.shape[1]
    seen = torch.cat([past, frames], dim=1)
    # A copy: a view would keep all the frames of a long push in memory.
    return layer(seen)[:, reach:], seen[:, seen.shape[1] - reach :].clone()


def _pointwise_step(layer, frames, state):
    return _first(layer(frames)), None


def _first(output):
    """As the containers: of (output, state) only the output goes on."""
    return output[0] if isinstance(output, tuple) else output


def _one_by_one(step, layer, frames):
    outputs, state = [], None
    for frame in frames.split(1, dim=1):
        output, state = step(layer, frame, state)
        outputs.append(output)
    return torch.cat(outputs, dim=1)


def _refusal(name, layer, fault):
    return (
        f"layer '{name}' ({type(layer).__name__}) {fault}: it cannot run in "
        "real time. Layers that can are recurrent ones of one direction, "
        "SpeechBrain's Conv1d with padding: causal and what treats every "
        "frame alone; hparams/backbones/gru.yaml is such a model"
    )
