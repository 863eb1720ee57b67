"""Writes measurements for people and for programs."""

import json

from cmkt_plugin.atomic import write_text


def write_results(output, text, measured):
    """Writes a table and all that was measured beside it.

    Arguments
    ---------
    output : pathlib.Path
        ``.md`` and ``.json`` are appended to its name.
    text : str
        Markdown.
    measured : dict
        What JSON can hold.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> write_results(folder / "cost", "# Cost", {"seconds": 1})
    >>> sorted(file.name for file in folder.iterdir())
    ['cost.json', 'cost.md']
    """
    whole = json.dumps(measured, indent=1)
    write_text(output.with_name(f"{output.name}.json"), whole + "\n")
    write_text(output.with_name(f"{output.name}.md"), text)
