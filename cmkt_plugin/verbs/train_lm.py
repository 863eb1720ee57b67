"""``cmkt train-lm``: train a small masked language model, a teacher of ours."""

from pathlib import Path

import click

from cmkt_plugin.verbs import refuse_beside

COUNT = click.IntRange(min=1)


@click.command()
@click.argument(
    "text",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
)
@click.option("-o", "--output", required=True, type=Path, help="A new folder.")
@click.option(
    "--symbols",
    type=click.Choice(["characters", "blank-separated"]),
    default="characters",
    show_default=True,
    help="What a sentence consists of.",
)
@click.option(
    "--phones",
    metavar="LANGUAGE",
    help="Spell the text in phones first: cmn (Mandarin), en-us, de, ...",
)
@click.option(
    "--normalization",
    type=click.Choice(["as-written", "lower-case", "joined-characters"]),
    default="lower-case",
    show_default=True,
    help="Done to the text here and where the model teaches. Before --phones: "
    "that of the recipe, for it reads the same text then.",
)
@click.option(
    "--min-count",
    type=COUNT,
    default=2,
    show_default=True,
    help="Rarer symbols are unknown to the model.",
)
@click.option(
    "--positions",
    type=click.IntRange(min=3),
    default=512,
    show_default=True,
    help="Longest line; longer ones are cut.",
)
@click.option("--width", type=COUNT, default=128, show_default=True)
@click.option("--layers", type=COUNT, default=3, show_default=True)
@click.option("--steps", type=COUNT, default=1500, show_default=True)
@click.option(
    "--batch-symbols",
    type=COUNT,
    default=1024,
    show_default=True,
    help="Per step.",
)
@click.option("--lr", default=3e-3, show_default=True, help="At its peak.")
@click.option(
    "--mask-rate",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.2,
    show_default=True,
    help="Part of the symbols that is to be guessed.",
)
@click.option("--seed", default=0, show_default=True)
@click.pass_context
def command(ctx, text, output, symbols, phones, normalization, **options):
    """Train a masked language model on TEXT: files, annotations, folders.

    A tenth of the sentences is held out: the model's perplexity on it is told
    beside a bigram model's. The folder serves as `source` of a teacher.
    """
    from functools import partial

    from cmkt_plugin import lm_tokenizer
    from cmkt_plugin.lm_folder import make_lm
    from cmkt_plugin.lm_text import read_sentences
    from cmkt_plugin.lm_training import train_masked_lm

    sentences, rule = read_sentences(text), normalization
    if phones:
        refuse_beside(ctx, "phones", "symbols")
        sentences = _in_phones(sentences, phones, normalization)
        symbols, rule = "blank-separated", "as-written"
    settings = {
        "text": [path.name for path in text][:10],
        "symbols": symbols,
        "phones": phones,
        "normalization": normalization,
        **options,
    }
    make_tokenizer = partial(
        lm_tokenizer.symbol_tokenizer,
        symbols=getattr(lm_tokenizer, _constant(symbols)),
        normalization=getattr(lm_tokenizer, _constant(rule)),
        min_count=options.pop("min_count"),
        positions=options.pop("positions"),
    )
    train = partial(train_masked_lm, **options)
    report = make_lm(
        sentences, output, make_tokenizer, train, settings, options["seed"]
    )
    _tell(**report["perplexity"])


def _in_phones(sentences, language, normalization):
    """Sentences spelt as a recipe's teacher does; the silent ones left out."""
    from cmkt_plugin import text_normalization
    from cmkt_plugin.g2p import g2p_of
    from cmkt_plugin.phones import Phones

    rule = getattr(text_normalization, _class_name(normalization))()
    spell = Phones(g2p_of(language)).spell
    spelled = (spell(rule(sentence)) for sentence in sentences)
    return [phones for phones in spelled if phones]


def _tell(masked_lm, bigram, bigram_of_both_sides):
    from cmkt_plugin.verbs import progress

    click.echo(
        f"Held-out perplexity {masked_lm}; bigram {bigram}, of both sides "
        f"{bigram_of_both_sides}"
    )
    if masked_lm >= bigram_of_both_sides:
        progress(
            "It does not beat bigrams that see both sides as well: train it "
            "longer (--steps), or on more text."
        )


def _constant(choice):
    return choice.upper().replace("-", "_")


def _class_name(choice):
    return choice.title().replace("-", "")
