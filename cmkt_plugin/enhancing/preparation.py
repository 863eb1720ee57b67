"""What is settled before the first of many files is enhanced."""

from cmkt_plugin.overlap_add import OverlapAdd


def windows_as_asked(given, window, context):
    """Windows as asked for, the rest as the model has it.

    Arguments
    ---------
    given : cmkt_plugin.overlap_add.OverlapAdd
        The model's.
    window, context : float or None
        See ``OverlapAdd``.

    Returns
    -------
    cmkt_plugin.overlap_add.OverlapAdd

    Example
    -------
    >>> windows_as_asked(OverlapAdd(window=10.0), 5.0, None).window
    5.0
    """
    context = context or given.context
    # A cross-fade needs the overlap of two contexts.
    fade = min(given.fade, 2 * context)
    return OverlapAdd(window or given.window, context, fade, given.batch)


def remaining_targets(record, targets, resume, progress):
    """Notes the settings in the folder; says which targets remain.

    Arguments
    ---------
    record : cmkt_plugin.enhancing.record.Record or None
        Of the folder; None where a single file is written.
    targets : dict
        Source to target.
    resume : bool
        Whether to leave out what is done.
    progress : callable
        Called with a line that tells how much that is.

    Returns
    -------
    dict
        The targets that remain.

    Raises
    ------
    ValueError
        If the folder holds what was made otherwise.
    """
    if not resume:
        if record:
            record.begin()
        return targets
    remaining = record.remaining(targets)
    progress(f"{len(targets) - len(remaining)} of {len(targets)} are done")
    return remaining
