"""Tables and lists of Markdown."""


def table(header, rows):
    """Cells as a table.

    Arguments
    ---------
    header : list of str
        Titles of the columns.
    rows : iterable of list
        As many cells in each; whatever ``str`` takes.

    Returns
    -------
    str
        A bar or a line break in a cell stays inside it.

    Example
    -------
    >>> print(table(["run", "PESQ"], [["cmkt", "1.500"], ["a|b", 2]]))
    | run | PESQ |
    | --- | --- |
    | cmkt | 1.500 |
    | a\\|b | 2 |
    """
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def how_it_was_made(provenance):
    """The section that tells where a result comes from.

    Arguments
    ---------
    provenance : dict
        Title to fact, as from ``cmkt_plugin.provenance.record``.

    Returns
    -------
    str

    Example
    -------
    >>> print(how_it_was_made({"version": "0.1.0"}))
    ## How it was made
    <BLANKLINE>
    - version: 0.1.0
    """
    facts = [f"- {title}: {fact}" for title, fact in provenance.items()]
    return "\n\n".join(["## How it was made", "\n".join(facts)])


def _cell(cell):
    return " ".join(str(cell).splitlines()).replace("|", r"\|")
