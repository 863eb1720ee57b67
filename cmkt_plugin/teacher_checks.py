"""Refuses options of a teacher that do not go with its language model."""


def check_layer(source, architecture, layer):
    """Refuse a layer that is not there.

    Arguments
    ---------
    source : str
        Folder or name of the model, for the message.
    architecture : cmkt_plugin.architecture.Architecture
        Tells the layers.
    layer : int or None
        The layer asked for.

    Raises
    ------
    ValueError
        If there is no such layer, or it has not one state per piece.
    """
    if not architecture.has_layer(layer):
        raise ValueError(
            f"The teacher {source} has no layer {layer}: expected "
            f"{architecture.layers}, or null for the input word embeddings."
        )


def check_repeat(source, architecture, layer):
    """Refuse to feed the transcript twice where that gives nothing.

    Arguments
    ---------
    source : str
        Folder or name of the model, for the message.
    architecture : cmkt_plugin.architecture.Architecture
        Tells whether the model is causal.
    layer : int or None
        The layer asked for.

    Raises
    ------
    ValueError
        If the model is not causal, or its layer holds no context.
    """
    if not architecture.is_causal:
        raise ValueError(
            f"repeat is for causal language models; {source} "
            f"({architecture.config.model_type}) sees both sides of a token "
            "already. Leave repeat out."
        )
    if layer is None or layer % architecture.hidden_states == 0:
        raise ValueError(
            f"repeat with layer {layer} changes nothing: no token has seen "
            "another there. Use layer 1 to -1, or leave repeat out."
        )


def check_tokenizer(source, tokenization, units, known_pieces, keep_bos):
    """Refuse a tokenizer that cannot do what is asked for.

    Arguments
    ---------
    source : str
        Folder or name of the model, for the message.
    tokenization : cmkt_plugin.tokenization.Tokenization
        Holds the tokenizer.
    units : object
        One of ``cmkt_plugin.units``; tells whether it needs the places.
    known_pieces : int
        Pieces that the model can read.
    keep_bos : bool
        Whether the special token before the text is to be a token.

    Raises
    ------
    ValueError
        Names what is missing.
    """
    tokenizer = tokenization.tokenizer
    if units.needs_spans and not tokenization.knows_spans:
        raise ValueError(
            f"{type(units).__name__} needs a tokenizer that tells where its "
            f"pieces stand; {source} has only {type(tokenizer).__name__}. Use "
            "SubWords, or add a tokenizer.json to the folder."
        )
    if tokenizer.vocab_size > known_pieces:
        raise ValueError(
            f"The tokenizer of {source} has {tokenizer.vocab_size} pieces, the "
            f"model only {known_pieces}: they do not belong together."
        )
    if keep_bos and tokenization.first is None:
        raise ValueError(
            f"keep_bos: the tokenizer of {source} puts no special token before "
            "the text. Leave keep_bos out."
        )
