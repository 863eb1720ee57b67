"""Maps a function over files in threads."""

from concurrent.futures import ThreadPoolExecutor

from speechbrain.utils.parallel import get_available_cpu_count
from tqdm import tqdm


def map_in_threads(function, items, title, jobs=None):
    """Maps in threads, with a progress bar where it takes long.

    For work that releases Python's lock: reading files, resampling. Processes
    would have to import the caller's module, which a recipe's is not.
    An exception of one item ends the map; items not begun are left.

    Arguments
    ---------
    function : callable
        Takes one item.
    items : list
        The items.
    title : str
        What the bar says.
    jobs : int or None
        Threads; None takes as many as there are cores.

    Returns
    -------
    list
        The results, in the order of the items.

    Example
    -------
    >>> map_in_threads(len, ["a", "bc"], "Lengths")
    [1, 2]
    """
    with ThreadPoolExecutor(jobs or get_available_cpu_count()) as pool:
        results = pool.map(function, items)
        # The delay (seconds) spares short work the bar.
        return list(tqdm(results, desc=title, total=len(items), delay=2))
