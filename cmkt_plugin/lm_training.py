"""Trains a small masked language model (ModernBERT) on sentences of symbols."""

from itertools import count

import numpy as np
import torch
from speechbrain.dataio.sampler import DynamicBatchSampler
from torch.nn.utils import clip_grad_norm_
from tqdm import tqdm
from transformers import (
    DataCollatorForLanguageModeling,
    ModernBertConfig,
    ModernBertForMaskedLM,
    get_linear_schedule_with_warmup,
)

HEAD_WIDTH = 32
LENGTH_QUANTILES = (0.2, 0.4, 0.6, 0.8, 1.0)  # lines of similar length
DROPOUT = 0.1
WARM_UP = 0.1  # part of the steps
MAX_GRADIENT = 1.0  # norm


def train_masked_lm(
    lines, tokenizer, width, layers, steps, batch_symbols, lr, mask_rate, seed
):
    """Trains a ModernBERT from scratch.

    B. Warner et al., "Smarter, better, faster, longer", arXiv 2412.13663,
    2024. Its rotary positions find the neighbours of a symbol in a few hundred
    steps; BERT's learned ones took thousands on the same text.

    Arguments
    ---------
    lines : list of list of int
        Training lines as piece ids, with those of their begin and end.
    tokenizer : transformers.PreTrainedTokenizerFast
        The tokenizer that made them.
    width : int
        Width of the model, a multiple of 32: that of an attention head.
    layers : int
        Number of its layers.
    steps : int
        Updates of the weights.
    batch_symbols : int
        Pieces per update, padding included.
    lr : float
        Peak learning rate, after a tenth of the steps; then falls to 0.
    mask_rate : float
        Part of the symbols that is to be guessed, 0 to 1.
    seed : int
        Decides initial weights, order, masks and dropout.

    Returns
    -------
    transformers.ModernBertForMaskedLM
        On the CPU, in evaluation mode.

    Raises
    ------
    ValueError
        If the width is no multiple of 32.
    """
    if width % HEAD_WIDTH:
        raise ValueError(
            f"The width is {width}: expected a multiple of {HEAD_WIDTH}, the "
            "width of an attention head, such as 128."
        )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    # The caller's random numbers go on as if nothing had been trained.
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = ModernBertForMaskedLM(_config(tokenizer, width, layers)).to(
            device
        )
        batches = _batches(lines, tokenizer, batch_symbols, mask_rate, seed)
        _optimise(model.train(), batches, steps, lr)
    return model.cpu().eval()


def _config(tokenizer, width, layers):
    return ModernBertConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=width // HEAD_WIDTH,
        intermediate_size=2 * width,  # twice that before the gate
        max_position_embeddings=tokenizer.model_max_length,
        # Lines are short: every layer may see all of them.
        global_attn_every_n_layers=1,
        embedding_dropout=DROPOUT,
        attention_dropout=DROPOUT,
        mlp_dropout=DROPOUT,
        pad_token_id=tokenizer.pad_token_id,
        cls_token_id=tokenizer.cls_token_id,
        sep_token_id=tokenizer.sep_token_id,
        bos_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
    )


def _batches(lines, tokenizer, batch_symbols, mask_rate, seed):
    """Batches of lines of similar length, without end, masked anew each time.

    Yields
    ------
    dict
        ``input_ids``, ``attention_mask``, ``labels`` (batch, time).
    """
    collate = DataCollatorForLanguageModeling(
        tokenizer, mlm_probability=mask_rate
    )
    lengths = [len(line) for line in lines]
    # Its own buckets are spread for the lengths of recordings.
    bounds = np.quantile(lengths, LENGTH_QUANTILES, method="higher")
    sampler = DynamicBatchSampler(
        lines,
        max_batch_length=batch_symbols,
        bucket_boundaries=sorted(set(bounds.tolist())),
        lengths_list=lengths,
        seed=seed,
    )
    for epoch in count():
        sampler.set_epoch(epoch)
        for batch in sampler:
            yield collate([{"input_ids": lines[index]} for index in batch])


def _optimise(model, batches, steps, lr):
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    schedule = get_linear_schedule_with_warmup(
        optimizer, round(WARM_UP * steps), steps
    )
    # The delay (seconds) spares short work the bar.
    bar = tqdm(range(steps), desc="Masked LM", delay=2)
    for _, batch in zip(bar, batches):
        batch = {name: part.to(model.device) for name, part in batch.items()}
        loss = model(**batch).loss
        # By chance a small batch has no mask: its loss is 0 / 0.
        if not loss.isfinite():
            continue
        optimizer.zero_grad()
        loss.backward()
        clip_grad_norm_(model.parameters(), MAX_GRADIENT)
        optimizer.step()
        schedule.step()
        bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
