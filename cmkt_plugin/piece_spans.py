"""Where a tokenizer's pieces stand in the transcript.

The tokenizers of CANINE (one piece per code point) and ByT5 (one per byte of
UTF-8) are written in Python and have no offsets, but they lose nothing: the
places follow from the text.
"""

PROBE = "a é你"  # one, two and three bytes
WORD_START = "▁"  # SentencePiece's own sign: stands for no character


def exact_spans(text, pieces):
    """Places of the pieces of a tokenizer of characters or bytes.

    Arguments
    ---------
    text : str
        What was tokenised.
    pieces : list of str
        Its pieces, special tokens dropped; the end may be cut off.

    Returns
    -------
    list of tuple or None
        (start, end) code points of each piece; all bytes of a character have
        its place. None: the pieces spell the text in neither way.

    Example
    -------
    >>> exact_spans("é你", ["é", "你"])
    [(0, 1), (1, 2)]
    >>> exact_spans("é", ["Ã", "©"])
    [(0, 1), (0, 1)]
    >>> exact_spans("okay", ["ok", "##ay"]) is None
    True
    """
    joined = "".join(pieces)
    if len(joined) != len(pieces):
        return None
    if text.startswith(joined):
        return [(place, place + 1) for place in range(len(pieces))]
    owner = [
        place
        for place, character in enumerate(text)
        for _ in character.encode("utf-8")
    ]
    if all(ord(piece) < 256 for piece in pieces):
        if text.encode("utf-8").startswith(bytes(map(ord, pieces))):
            return [(place, place + 1) for place in owner[: len(pieces)]]
    return None


def tells_spans(tokenizer):
    """Whether the places of a tokenizer's pieces can be known.

    Arguments
    ---------
    tokenizer : transformers.PreTrainedTokenizerBase
        Any tokenizer.

    Returns
    -------
    bool
    """
    if tokenizer.is_fast:
        return True
    return exact_spans(PROBE, tokenizer.tokenize(PROBE)) is not None


def known_spans(text, pieces):
    """As ``exact_spans``, for a tokenizer of which they are known.

    Arguments
    ---------
    text : str
        What was tokenised.
    pieces : list of str
        Its pieces, special tokens dropped.

    Returns
    -------
    list of tuple
        (start, end) characters of each piece.

    Raises
    ------
    ValueError
        If the pieces do not spell the text.
    """
    spans = exact_spans(text, pieces)
    if spans is None:
        raise ValueError(
            f"The tokenizer of characters or bytes does not spell {text!r}: its "
            f"pieces give {''.join(pieces)!r}. Remove from the transcript what "
            "the two do not share."
        )
    return spans


def spans_after(lead, pieces, spans):
    """Places in the transcript of pieces of lead and transcript.

    Arguments
    ---------
    lead : str
        What stands before the transcript.
    pieces : list of str
        Pieces of both.
    spans : list of tuple
        (start, end) characters of each piece in both.

    Returns
    -------
    list of tuple or None
        (start, end) characters in the transcript. None for a piece of the
        lead. A lone mark for the start of a word covers nothing, though
        tokenizers tell the first letter's place for it.

    Raises
    ------
    ValueError
        If a piece belongs to both.

    Example
    -------
    >>> spans_after("Say: ", ["Say", ":", "Ġwe"], [(0, 3), (3, 4), (4, 7)])
    [None, None, (0, 2)]
    """
    moved, skip = [], len(lead)
    for piece, (start, end) in zip(pieces, spans):
        if start < skip < end and lead[start:].strip():
            raise ValueError(
                f"The prefix {lead!r} and the transcript share the piece "
                f"{piece!r}: end the prefix with a blank."
            )
        if piece == WORD_START:
            end = start
        if lead and end <= skip:
            moved.append(None)
        else:
            moved.append((max(start - skip, 0), max(end - skip, 0)))
    return moved
