"""Steps of ordinary differential equations."""

from cmkt_plugin.diffusion.sde import like


def euler(flow, x, t, until):
    """Euler's step: one score.

    Arguments
    ---------
    flow : callable
        ``flow(x, t)``, the derivative of x.
    x : torch.Tensor
        (batch, ...), at ``t``.
    t, until : torch.Tensor
        Times (batch,): from, and to.

    Returns
    -------
    torch.Tensor
        x at ``until`` (batch, ...).

    Example
    -------
    >>> import torch
    >>> euler(lambda x, t: x, torch.ones(1), torch.ones(1), torch.zeros(1))
    tensor([0.])
    """
    return x + like(until - t, x) * flow(x, t)


def heun(flow, x, t, until):
    """Heun's step, of second order: two scores; as ``euler``.

    Example
    -------
    >>> import torch
    >>> heun(lambda x, t: x, torch.ones(1), torch.ones(1), torch.zeros(1))
    tensor([0.5000])
    """
    slope = flow(x, t)
    step = like(until - t, x)
    return x + step * (slope + flow(x + step * slope, until)) / 2
