"""Makes the folder of a language model of our own: trained, measured, saved."""

import json
import os
import shutil
from contextlib import contextmanager
from pathlib import Path

from cmkt_plugin import provenance
from cmkt_plugin.bigram import BigramModel
from cmkt_plugin.leftovers import remove_leftovers, temporary_path
from cmkt_plugin.lm_perplexity import bigram_perplexities, masked_perplexity
from cmkt_plugin.lm_text import hold_out
from cmkt_plugin.lm_tokenizer import FIRST_SYMBOL

SCORED_SYMBOLS = 10000  # enough for a perplexity to be certain within 2 %


def make_lm(sentences, folder, make_tokenizer, train, settings, seed):
    """Trains a masked language model and writes it as a teacher's folder.

    The folder holds ``config.json``, ``model.safetensors``, the tokenizer and
    ``lm.json``: settings, counts, held-out perplexities and provenance.

    Arguments
    ---------
    sentences : list of str
        The text; a tenth of its different sentences is held out.
    folder : str or pathlib.Path
        Where the model goes.
    make_tokenizer : callable
        Sentences to tokenizer: `symbol_tokenizer` with its options.
    train : callable
        Lines and tokenizer to model: `train_masked_lm` with its options.
    settings : dict
        The options, for ``lm.json``.
    seed : int
        Decides which sentences are held out.

    Returns
    -------
    dict
        What ``lm.json`` holds.

    Raises
    ------
    FileExistsError
        If the folder exists.
    ValueError
        If the text is too short.
    """
    with new_folder(folder) as unfinished:
        # First: the commit that is noted is the one that trained.
        made = provenance.record()
        normalize = make_tokenizer(sentences).backend_tokenizer.normalizer
        sentences = [normalize.normalize_str(text) for text in sentences]
        training, held_out = hold_out(sentences, seed)
        # Anew: what only the held-out sentences have is unknown.
        tokenizer = make_tokenizer(training)
        lines = encode(tokenizer, training)
        model = train(lines, tokenizer)
        report = {
            **settings,
            "lines": {"training": len(training), "held_out": len(held_out)},
            "different_symbols": len(tokenizer) - FIRST_SYMBOL,
            **measure(model, tokenizer, lines, encode(tokenizer, held_out)),
            "provenance": made,
        }
        model.save_pretrained(unfinished)
        tokenizer.save_pretrained(unfinished)
        text = json.dumps(report, indent=1, ensure_ascii=False)
        (unfinished / "lm.json").write_text(text + "\n", encoding="utf-8")
    return report


def encode(tokenizer, sentences):
    """Lines of piece ids; what is longer than the model becomes several.

    Arguments
    ---------
    tokenizer : transformers.PreTrainedTokenizerFast
        The model's.
    sentences : list of str
        The sentences.

    Returns
    -------
    list of list of int
        Each with the pieces of begin and end.
    """
    room = tokenizer.model_max_length - 2
    begin, end = [tokenizer.cls_token_id], [tokenizer.sep_token_id]
    coded = tokenizer(list(sentences), add_special_tokens=False, verbose=False)
    return [
        begin + ids[start : start + room] + end
        for ids in coded["input_ids"]
        for start in range(0, len(ids), room)
    ]


def measure(model, tokenizer, training, held_out):
    """Held-out perplexities of the model and of bigram models.

    Arguments
    ---------
    model : transformers.BertForMaskedLM
        The trained model.
    tokenizer : transformers.PreTrainedTokenizerFast
        Its tokenizer.
    training : list of list of int
        Lines that the bigram model is estimated from.
    held_out : list of list of int
        Lines in random order; the first ones are scored, up to
        SCORED_SYMBOLS.

    Returns
    -------
    dict
        ``perplexity`` (of ``masked_lm``, ``bigram`` and
        ``bigram_of_both_sides``) and ``scored``: the numbers of ``symbols``
        and of those ``unknown``, which are left out.

    Raises
    ------
    ValueError
        If no held-out symbol is known.
    """
    lines, unknown, known = [], 0, 0
    for line in held_out:
        if known >= SCORED_SYMBOLS:
            break
        lines.append(line)
        unknown += line.count(tokenizer.unk_token_id)
        known += sum(piece >= FIRST_SYMBOL for piece in line)
    if not known:
        raise ValueError(
            f"None of the {unknown} symbols held out occurs in the rest of "
            "the text. Add text, or choose the symbols that it consists of."
        )
    bigram = BigramModel(training, len(tokenizer), FIRST_SYMBOL)
    left, both = bigram_perplexities(bigram, lines)
    masked = masked_perplexity(
        lambda ids: model(input_ids=ids).logits, lines, tokenizer.mask_token_id
    )
    return {
        "perplexity": {
            "masked_lm": round(masked, 4),
            "bigram": round(left, 4),
            "bigram_of_both_sides": round(both, 4),
        },
        "scored": {"symbols": known, "unknown": unknown},
    }


@contextmanager
def new_folder(path):
    """A folder that appears when it is complete, and not at all otherwise.

    What a killed run left of it under a temporary name is removed.

    Arguments
    ---------
    path : str or pathlib.Path
        The folder to make.

    Yields
    ------
    pathlib.Path
        A temporary folder beside it, to be filled.

    Raises
    ------
    FileExistsError
        If it is there.

    Example
    -------
    >>> path = getfixture("tmp_path") / "lm"
    >>> with new_folder(path) as unfinished:
    ...     path.exists(), unfinished.is_dir()
    (False, True)
    >>> path.is_dir()
    True
    """
    path = Path(path)
    if path.exists():
        raise FileExistsError(
            f"{path} exists and is not overwritten: choose another folder, or "
            "remove it first."
        )
    remove_leftovers(path.parent, path.name)
    unfinished = temporary_path(path)
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        os.rename(unfinished, path)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
