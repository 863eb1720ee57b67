"""Short names that tell models apart."""

from pathlib import Path


def short_names(sources):
    """Names that tell sources apart: the ends of their paths.

    Arguments
    ---------
    sources : iterable of str
        Folders or names on the hub; one given twice counts once.

    Returns
    -------
    dict
        Name to source.

    Example
    -------
    >>> short_names(["results/cmkt/1", "results/baseline/1", "user/name"])
    {'cmkt/1': 'results/cmkt/1', 'baseline/1': 'results/baseline/1', ...}
    """
    parts = {}
    for source in sources:
        folder = Path(source)
        # What "." and ".." stand for is a name; a link's target is not.
        path = folder.resolve() if folder.name in ("", "..") else folder
        parts.setdefault(path.parts, source)
    length = 2  # of "cmkt/1" and "user/name" one part says too little
    while len({path[-length:] for path in parts}) < len(parts):
        length += 1
    return {"/".join(path[-length:]): parts[path] for path in parts}
