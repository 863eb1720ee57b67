"""How a diffusion model draws its samples, without another YAML."""


def sampled(enhancer):
    """An enhancer that draws samples.

    Arguments
    ---------
    enhancer : torch.nn.Module
        Any adapter.

    Returns
    -------
    cmkt_plugin.diffusion.enhancer.DiffusionEnhancer
        The same.

    Raises
    ------
    ValueError
        If it draws none.

    Example
    -------
    >>> from torch.nn import Identity
    >>> sampled(Identity())
    Traceback (most recent call last):
        ...
    ValueError: a Identity draws no samples: expected a diffusion model
    (DiffusionEnhancer) where steps or a seed are given; leave them out
    """
    if not hasattr(enhancer, "score_model"):
        raise ValueError(
            f"a {type(enhancer).__name__} draws no samples: expected a "
            "diffusion model (DiffusionEnhancer) where steps or a seed are "
            "given; leave them out"
        )
    return enhancer


def set_sampling(enhancer, steps=None, seed=None):
    """Sets how samples are drawn from now on.

    Arguments
    ---------
    enhancer : torch.nn.Module
        Any adapter; one that draws nothing takes no options.
    steps : int or None
        Steps of the sampler; None leaves them.
    seed : int or None
        Of the noise; None leaves it.

    Returns
    -------
    dict
        What was set, by name.

    Raises
    ------
    ValueError
        If the enhancer draws nothing, or there is no such number of steps.
    """
    given = {"steps": steps, "seed": seed}
    given = {name: n for name, n in given.items() if n is not None}
    if steps is not None:
        if int(steps) != steps or steps < 1:
            raise ValueError(
                f"steps {steps}: expected a whole number of 1 or more"
            )
        sampled(enhancer).score_model.sampler.steps.number = int(steps)
    if seed is not None:
        sampled(enhancer).seed = int(seed)
    return given
