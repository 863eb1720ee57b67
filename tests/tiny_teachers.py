"""Tiny models with random weights, laid out as the hub lays out the real ones.

One builder per part of hparams/teachers: config class, class of the stored
weights and tokenizer are those of the model that the part names.
"""

import json

import torch
import transformers
from tokenizers import (
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

LAYERS = 2
WIDTH = 16
ENGLISH = ["We call it bear.", "Please call Stella.", "Ask her to bring it."]
MANDARIN = ["我们叫它熊。", "今天天气很好", "我们今天去看书"]
# Qwen's and LLaMA's: a word takes the blank before it along
SPLIT = Regex(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SHAPE = {
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "initializer_range": 0.5,
}


def _store(folder, model_class, config):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model_class(config).eval().save_pretrained(folder)


def _store_as_bin(folder, model_class, config):
    """The older format, which is all that some models have on the hub."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        weights = model_class(config).state_dict()
    torch.save(weights, folder / "pytorch_model.bin")
    config.save_pretrained(folder)


def _write_json(path, content):
    path.write_text(json.dumps(content), encoding="utf-8")


def _word_pieces(folder, alphabet, **options):
    """BERT's own files: vocab.txt and its tokenizer's config."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [*alphabet, *(f"##{piece}" for piece in alphabet)]
    vocabulary = [*special, *pieces]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", "utf-8")
    options["tokenizer_class"] = "BertTokenizer"
    _write_json(folder / "tokenizer_config.json", options)
    return len(vocabulary)


def _bert(folder, alphabet, **options):
    count = _word_pieces(folder, alphabet, model_max_length=32, **options)
    config = transformers.BertConfig(
        vocab_size=count, max_position_embeddings=32, **SHAPE
    )
    _store(folder, transformers.BertForMaskedLM, config)


def bert_base_uncased(folder):
    letters = sorted(set("".join(ENGLISH).lower()) - {" "})
    _bert(folder, [*letters, "call", "it"], do_lower_case=True)


def bert_base_chinese(folder):
    letters = sorted(set("".join(MANDARIN)))
    _bert(folder, [*letters, "k", "o", "ok"], do_lower_case=False)


def chinese_roberta_wwm_ext(folder):
    letters = sorted(set("".join(MANDARIN)))
    _bert(folder, [*letters, "ok"], do_lower_case=True)


def xlm_roberta_base(folder):
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    letters = sorted(set("".join(ENGLISH + MANDARIN)) - {" "})
    pieces = ["▁", "▁We", "▁it", "今天", "▁今天", *letters]
    scores = [(piece, 0.0) for piece in special]
    scores += [(piece, -1.0 - len(piece) * 0.1) for piece in pieces]
    tokenizer = Tokenizer(models.Unigram([*scores, ("<mask>", 0.0)], unk_id=3))
    tokenizer.add_special_tokens([*special, "<mask>"])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    _write_json(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "XLMRobertaTokenizer", "model_max_length": 32},
    )
    config = transformers.XLMRobertaConfig(
        vocab_size=len(scores) + 1,
        max_position_embeddings=34,
        type_vocab_size=1,
        pad_token_id=1,
        **SHAPE,
    )
    _store(folder, transformers.XLMRobertaForMaskedLM, config)


def _byte_level(special, merges, split=None):
    """Byte-level BPE; `split` cuts the text before, None: as GPT-2 does."""
    tokenizer = Tokenizer(models.BPE())
    cut = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=not split)
    if split:
        cut = pre_tokenizers.Sequence(
            [pre_tokenizers.Split(split, behavior="isolated"), cut]
        )
    tokenizer.pre_tokenizer = cut
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=256 + merges + len(special),
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(ENGLISH + MANDARIN * 3, trainer)
    return tokenizer


def _save_byte_level(folder, tokenizer, **config):
    tokenizer.save(str(folder / "tokenizer.json"))
    tokenizer.model.save(str(folder))  # vocab.json and merges.txt
    _write_json(folder / "tokenizer_config.json", config)
    return tokenizer.get_vocab_size()


def qwen3_0_6b_base(folder):
    tokenizer = _byte_level(["<|endoftext|>"], merges=60, split=SPLIT)
    tokenizer.normalizer = normalizers.NFC()
    count = _save_byte_level(
        folder,
        tokenizer,
        tokenizer_class="Qwen2Tokenizer",
        pad_token="<|endoftext|>",
        eos_token="<|endoftext|>",
        bos_token=None,
        unk_token=None,
        model_max_length=131072,
    )
    config = transformers.Qwen3Config(
        vocab_size=count + 8,  # the real table has spare rows too
        num_key_value_heads=1,
        head_dim=8,
        max_position_embeddings=64,
        tie_word_embeddings=True,
        dtype="bfloat16",
        **SHAPE,
    )
    _store(folder, transformers.Qwen3ForCausalLM, config)


def llama_3_2_1b(folder):
    special = ["<|begin_of_text|>", "<|end_of_text|>"]
    tokenizer = _byte_level(special, merges=40, split=SPLIT)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{special[0]} $A", special_tokens=[(special[0], 0)]
    )
    count = _save_byte_level(
        folder,
        tokenizer,
        tokenizer_class="PreTrainedTokenizerFast",
        bos_token=special[0],
        eos_token=special[1],
        model_max_length=131072,
    )
    config = transformers.LlamaConfig(
        vocab_size=count,
        num_key_value_heads=1,
        max_position_embeddings=64,
        bos_token_id=0,
        eos_token_id=1,
        **SHAPE,
    )
    _store(folder, transformers.LlamaForCausalLM, config)


def gpt2(folder):
    tokenizer = _byte_level(["<|endoftext|>"], merges=40)
    count = _save_byte_level(
        folder, tokenizer, tokenizer_class="GPT2Tokenizer", model_max_length=64
    )
    config = transformers.GPT2Config(
        vocab_size=count,
        n_embd=WIDTH,
        n_layer=LAYERS,
        n_head=2,
        n_positions=64,
        initializer_range=0.5,
        bos_token_id=0,
        eos_token_id=0,
    )
    _store(folder, transformers.GPT2LMHeadModel, config)


def canine_s(folder):
    # Written by hand: transformers 5 takes seconds to make this tokenizer.
    _write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "CanineTokenizer",
            "bos_token": "\ue000",
            "cls_token": "\ue000",
            "eos_token": "\ue001",
            "sep_token": "\ue001",
            "pad_token": "\0",
            "mask_token": "\ue003",
            "add_prefix_space": False,
            "model_max_length": 256,
        },
    )
    config = transformers.CanineConfig(
        max_position_embeddings=512,
        num_hash_buckets=512,
        num_hash_functions=4,
        **SHAPE,
    )
    _store_as_bin(folder, transformers.CanineModel, config)


def byt5_small(folder):
    transformers.ByT5Tokenizer().save_pretrained(folder)
    config = transformers.T5Config(
        vocab_size=384,
        d_model=WIDTH,
        d_kv=8,
        d_ff=32,
        num_layers=LAYERS,
        num_decoder_layers=1,
        num_heads=2,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
    )
    _store_as_bin(folder, transformers.T5ForConditionalGeneration, config)


BUILDERS = {
    builder.__name__: builder
    for builder in (
        bert_base_uncased,
        bert_base_chinese,
        chinese_roberta_wwm_ext,
        xlm_roberta_base,
        qwen3_0_6b_base,
        llama_3_2_1b,
        gpt2,
        canine_s,
        byt5_small,
    )
}
