"""Refuses queries that can see what they are to predict."""


def check_leaks(query, teacher, shifted_alignment):
    """Refuse a query that can see its target.

    A query with earlier tokens is honest only if their embeddings do not
    tell the next token, as those of a bidirectional model do, and if the
    misalignment does not pair it with a token that it has seen.

    Arguments
    ---------
    query : torch.nn.Module
        One of ``cmkt_plugin.queries``.
    teacher : cmkt_plugin.teacher.LanguageModelTeacher
        Tells whether its embeddings are contextual and causal.
    shifted_alignment : cmkt_plugin.shifted_alignment.ShiftedAlignment
        Tells the largest shift of the tokens.

    Raises
    ------
    ValueError
        If the target leaks.
    """
    if not query.sees_tokens:
        return
    if teacher.contextual and not teacher.causal:
        raise ValueError(
            "a query of shifted tokens with bidirectional contextual "
            "embeddings tells the target: every embedding knows its "
            "neighbours. Use layer: null (input word embeddings), a causal "
            "language model, or a position query."
        )
    shift = shifted_alignment
    latest = shift.amount.maximum if shift.unit.moves_tokens else 0
    if shift.probability > 0 and latest >= query.shift:
        raise ValueError(
            f"tokens shifted by up to {latest} are paired with queries that "
            f"have seen them (query shift {query.shift}). Use a maximum "
            f"below {query.shift}, or shift frames."
        )
