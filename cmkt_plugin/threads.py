"""Maps a function over files in threads."""

from concurrent.futures import ThreadPoolExecutor

from speechbrain.utils.parallel import get_available_cpu_count
from tqdm import tqdm

# A future weighs more than what is read of a file: many files share one.
CHUNK = 64


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
    threads = jobs or get_available_cpu_count()
    size = max(1, min(CHUNK, len(items) // (CHUNK * threads)))
    chunks = [
        items[start : start + size] for start in range(0, len(items), size)
    ]
    results = []
    # The delay (seconds) spares short work the bar.
    with (
        tqdm(desc=title, total=len(items), delay=2) as bar,
        ThreadPoolExecutor(threads) as pool,
    ):
        for part in pool.map(lambda chunk: [*map(function, chunk)], chunks):
            results += part
            bar.update(len(part))
    return results
