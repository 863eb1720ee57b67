"""Fixtures shared by the tests: tiny language models made on the spot."""

import os
import signal

import pytest

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# A shell starts what runs in its background with Ctrl-C ignored, and so would
# the processes be that the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

SENTENCES = [
    "We call it bear.",
    "Please call Stella.",
    "Ask her to bring these things with her from the store.",
    "Six spoons of fresh snow peas, five thick slabs of blue cheese.",
    "Look at Ann's pants, she can scoop these things into three red bags.",
]


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory):
    """Folder of a two-layer BERT with a WordPiece tokenizer."""
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("tiny_bert")
    trained = BertWordPieceTokenizer(lowercase=True)
    trained.train_from_iterator(
        SENTENCES, vocab_size=120, min_frequency=1, show_progress=False
    )
    trained.save_model(str(folder))
    tokenizer = BertTokenizerFast.from_pretrained(
        str(folder), model_max_length=32
    )
    tokenizer.save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        initializer_range=0.5,
    )
    _save(BertModel, config, folder)
    return str(folder)


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory):
    """Folder of a two-layer LLaMA with a byte-level BPE tokenizer."""
    from transformers import LlamaConfig, LlamaModel

    folder = tmp_path_factory.mktemp("tiny_llama")
    tokenizer = _byte_level_bpe(folder)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        intermediate_size=32,
        max_position_embeddings=64,
        initializer_range=0.5,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    _save(LlamaModel, config, folder)
    return str(folder)


@pytest.fixture(scope="session")
def tiny_gpt2(tmp_path_factory):
    """Folder of a two-layer GPT-2 with a byte-level BPE tokenizer."""
    from transformers import GPT2Config, GPT2Model

    folder = tmp_path_factory.mktemp("tiny_gpt2")
    tokenizer = _byte_level_bpe(folder)
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_embd=16,
        n_layer=2,
        n_head=2,
        n_positions=64,
        initializer_range=0.5,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    _save(GPT2Model, config, folder)
    return str(folder)


def _byte_level_bpe(folder):
    from tokenizers import ByteLevelBPETokenizer
    from transformers import PreTrainedTokenizerFast

    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(
        SENTENCES,
        vocab_size=320,
        min_frequency=1,
        show_progress=False,
        special_tokens=["<s>", "</s>"],
    )
    trained.save(str(folder / "tokenizer.json"))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"),
        bos_token="<s>",
        eos_token="</s>",
    )
    tokenizer.save_pretrained(folder)
    return tokenizer


def _save(model_class, config, folder):
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model_class(config).save_pretrained(folder)
