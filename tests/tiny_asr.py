"""Tiny speech recognizers: a CTC model trained on the spot, and untrained."""

import torch
from hyperpyyaml import load_hyperpyyaml
from speechbrain.dataio.encoder import CTCTextEncoder
from speechbrain.nnet.losses import ctc_loss
from speechbrain.utils.data_utils import batch_pad_right

CTC = """\
features: !new:speechbrain.lobes.features.Fbank
    n_mels: 40
normalize: !new:speechbrain.processing.features.InputNormalization
    norm_type: sentence
encoder: !new:speechbrain.nnet.containers.LengthsCapableSequential
    features: !ref <features>
    normalize: !ref <normalize>
    near: !new:speechbrain.nnet.CNN.Conv1d
        in_channels: 40
        out_channels: 128
        kernel_size: 7
        stride: 2
    norm: !new:speechbrain.nnet.normalization.LayerNorm
        input_size: 128
    relu: !new:torch.nn.ReLU
    far: !new:speechbrain.nnet.CNN.Conv1d
        in_channels: 128
        out_channels: 128
        kernel_size: 15
    norm_2: !new:speechbrain.nnet.normalization.LayerNorm
        input_size: 128
    relu_2: !new:torch.nn.ReLU
    out: !new:speechbrain.nnet.linear.Linear
        input_size: 128
        n_neurons: {labels}
    log_softmax: !new:speechbrain.nnet.activations.Softmax
        apply_log: True
tokenizer: !new:speechbrain.dataio.encoder.CTCTextEncoder
decoding_function: !name:speechbrain.decoders.ctc_greedy_decode
    blank_id: 0
modules:
    encoder: !ref <encoder>
pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
    loadables:
        encoder: !ref <encoder>
        tokenizer: !ref <tokenizer>
"""


def train_ctc(folder, waveforms, texts, steps=400):
    """Overfit a few utterances; save a folder for EncoderASR."""
    folder.mkdir()
    labels = CTCTextEncoder()
    labels.insert_blank(index=0)
    labels.update_from_iterable(texts)  # characters
    (folder / "hyperparams.yaml").write_text(CTC.format(labels=len(labels)))
    labels.save(folder / "tokenizer.ckpt")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        with open(folder / "hyperparams.yaml") as file:
            encoder = load_hyperpyyaml(file)["encoder"]
        _fit(encoder, labels, waveforms, texts, steps)
    torch.save(encoder.state_dict(), folder / "encoder.ckpt")
    return folder


def _fit(encoder, labels, waveforms, texts, steps):
    wavs, wav_lens = batch_pad_right(waveforms)
    targets, target_lens = batch_pad_right(
        [labels.encode_sequence_torch(text) for text in texts]
    )
    features = encoder.normalize(encoder.features(wavs), wav_lens)
    trained = torch.nn.Sequential(*list(encoder.children())[2:])
    optimizer = torch.optim.Adam(encoder.parameters(), lr=1e-2)
    for _ in range(steps):
        loss = ctc_loss(trained(features), targets, wav_lens, target_lens, 0)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(encoder.parameters(), 5.0)
        optimizer.step()
        if loss.item() < 0.02:
            break


ATTENTION = """\
encoder: !new:speechbrain.nnet.containers.LengthsCapableSequential
    features: !new:speechbrain.lobes.features.Fbank
        n_mels: 20
    rnn: !new:speechbrain.nnet.RNN.GRU
        input_size: 20
        hidden_size: 8
embedding: !new:speechbrain.nnet.embedding.Embedding
    num_embeddings: {pieces}
    embedding_dim: 8
attention: !new:speechbrain.nnet.RNN.AttentionalRNNDecoder
    rnn_type: gru
    attn_type: content
    enc_dim: 8
    input_size: 8
    hidden_size: 8
    attn_dim: 8
    num_layers: 1
linear: !new:speechbrain.nnet.linear.Linear
    input_size: 8
    n_neurons: {pieces}
tokenizer: !new:sentencepiece.SentencePieceProcessor
modules:
    encoder: !ref <encoder>
    decoder: !new:speechbrain.decoders.S2SRNNGreedySearcher
        embedding: !ref <embedding>
        decoder: !ref <attention>
        linear: !ref <linear>
        bos_index: 1
        eos_index: 2
        min_decode_ratio: 0.05
        max_decode_ratio: 0.1
pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
    loadables:
        attention: !new:torch.nn.ModuleList
            - [!ref <encoder>, !ref <embedding>, !ref <attention>,
               !ref <linear>]
        tokenizer: !ref <tokenizer>
"""


def make_attention(folder, texts):
    """Save an untrained folder for EncoderDecoderASR."""
    import sentencepiece

    folder.mkdir()
    with open(folder / "tokenizer.ckpt", "wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_writer=file,
            vocab_size=40,
            hard_vocab_limit=False,
            minloglevel=2,
        )
    tokenizer = sentencepiece.SentencePieceProcessor()
    tokenizer.load(str(folder / "tokenizer.ckpt"))
    yaml = ATTENTION.format(pieces=tokenizer.vocab_size())
    (folder / "hyperparams.yaml").write_text(yaml)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        parts = load_hyperpyyaml(yaml)["pretrainer"].loadables["attention"]
    torch.save(parts.state_dict(), folder / "attention.ckpt")
    return folder


def make_wav2vec2(folder):
    """Save an untrained folder for the pipeline: Wav2Vec2 with CTC."""
    import json

    from transformers import (
        Wav2Vec2Config,
        Wav2Vec2CTCTokenizer,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2ForCTC,
        Wav2Vec2Processor,
    )

    folder.mkdir()
    names = ["<pad>", "<s>", "</s>", "<unk>", "|", *"abcdefghijklmnop"]
    vocabulary = {name: number for number, name in enumerate(names)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    Wav2Vec2Processor(
        Wav2Vec2FeatureExtractor(return_attention_mask=True),
        Wav2Vec2CTCTokenizer(folder / "vocab.json"),
    ).save_pretrained(folder)
    config = Wav2Vec2Config(
        vocab_size=len(names),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(8, 8),
        conv_kernel=(20, 16),
        conv_stride=(20, 16),
        feat_extract_norm="layer",
        num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=2,
        pad_token_id=0,
        initializer_range=1.0,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        Wav2Vec2ForCTC(config).save_pretrained(folder)
    return folder


WHISPER = """\
language: null
sample_rate: 16000
{normalized}
whisper: !new:speechbrain.integrations.huggingface.whisper.Whisper
    source: {source}
    save_path: {source}
decoder: !new:speechbrain.decoders.seq2seq.S2SWhisperGreedySearcher
    model: !ref <whisper>
    min_decode_ratio: 0.0
    max_decode_ratio: 0.01
modules:
    whisper: !ref <whisper>
    decoder: !ref <decoder>
pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
    loadables: {{}}
"""


def make_whisper(folder, texts, normalized=""):
    """Save an untrained folder for WhisperASR and for the pipeline."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
        WhisperTokenizer,
    )

    folder.mkdir()
    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(texts, vocab_size=300, show_progress=False)
    trained.save_model(str(folder))
    spellings = folder / "normalizer.json"
    spellings.write_text("{}")
    marks = ["startoftranscript", "en", "translate", "transcribe"]
    marks += ["startoflm", "startofprev", "nospeech", "notimestamps"]
    marks += [f"{number * 0.02:.2f}" for number in range(1501)]
    tokenizer = WhisperTokenizer(
        str(folder / "vocab.json"),
        str(folder / "merges.txt"),
        normalizer_file=str(spellings),
        pad_token="<|endoftext|>",
        additional_special_tokens=[f"<|{mark}|>" for mark in marks],
    )
    number = tokenizer.convert_tokens_to_ids
    special = {
        "decoder_start_token_id": number("<|startoftranscript|>"),
        "bos_token_id": number("<|endoftext|>"),
        "eos_token_id": number("<|endoftext|>"),
        "pad_token_id": number("<|endoftext|>"),
    }
    config = WhisperConfig(
        vocab_size=len(tokenizer),
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        max_target_positions=64,
        init_std=1.0,
        **special,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = WhisperForConditionalGeneration(config)
    model.generation_config = GenerationConfig(
        **special,
        no_timestamps_token_id=number("<|notimestamps|>"),
        is_multilingual=False,
        return_timestamps=False,  # as OpenAI's models have it
        max_length=16,
    )
    model.save_pretrained(folder)
    WhisperProcessor(WhisperFeatureExtractor(), tokenizer).save_pretrained(
        folder
    )
    (folder / "hyperparams.yaml").write_text(
        WHISPER.format(source=folder, normalized=normalized)
    )
    return folder
