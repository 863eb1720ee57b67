"""How long lists are shown in messages."""


def first_few(items, shown=10, separator=", "):
    """Joins the first items and counts the others.

    Arguments
    ---------
    items : list of str
        The items.
    shown : int
        How many to show.
    separator : str
        What goes between them.

    Returns
    -------
    str

    Example
    -------
    >>> first_few(["a", "b", "c"], shown=2)
    'a, b, and 1 more'
    """
    more = len(items) - shown
    rest = [f"and {more} more"] if more > 0 else []
    return separator.join([*items[:shown], *rest])
