"""Recognizers give what their library gives; models are told apart."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import soundfile as sf
import tiny_asr
import torch
from huggingface_hub.errors import LocalEntryNotFoundError
from speechbrain.dataio.preprocess import AudioNormalizer
from speechbrain.inference.ASR import EncoderDecoderASR, WhisperASR
from speechbrain.utils.data_utils import batch_pad_right

from cmkt_plugin import recognizers
from cmkt_plugin.recognizers import RECOGNIZERS

CORPUS = Path(__file__).parents[1] / "recipes" / "demo" / "corpus"


@pytest.fixture(scope="module")
def rows():
    with open(CORPUS / "corpus.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))[:3]


@pytest.fixture(scope="module")
def waveforms(rows):
    files = [CORPUS / row["file"] for row in rows]
    return [torch.from_numpy(sf.read(f, dtype="float32")[0]) for f in files]


@pytest.fixture(scope="module")
def attention(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("asr") / "attention"
    return tiny_asr.make_attention(folder, [r["transcript"] for r in rows])


@pytest.fixture(scope="module")
def wav2vec2(tmp_path_factory):
    return tiny_asr.make_wav2vec2(tmp_path_factory.mktemp("asr") / "wav2vec2")


@pytest.fixture(scope="module")
def whisper(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("asr") / "whisper"
    return tiny_asr.make_whisper(folder, [r["transcript"] for r in rows])


def load(interface, folder):
    return RECOGNIZERS[interface](folder, None, "cpu")


def heard_by(recognizer, waveforms):
    """The batch and the lengths that the interface gets."""
    heard = []

    def transcribe_batch(wavs, lengths):
        heard.append((wavs, lengths))
        return ["word"] * len(wavs), None

    recognizer.model.transcribe_batch = transcribe_batch
    texts = recognizer.transcribe(waveforms)
    return *heard[0], texts


def test_encoder_decoder_gives_what_the_interface_gives(attention, waveforms):
    stock = EncoderDecoderASR.from_hparams(str(attention))
    expected, _ = stock.transcribe_batch(*batch_pad_right(waveforms))
    recognizer = load("EncoderDecoderASR", attention)
    found = recognizer.transcribe(waveforms)
    assert found == expected and all(found)
    assert recognizer.interface == "EncoderDecoderASR"


def test_lengths_are_relative_to_the_longest(attention, waveforms):
    recognizer = load("EncoderDecoderASR", attention)
    wavs, lengths, _ = heard_by(recognizer, waveforms)
    longest = max(map(len, waveforms))
    expected = torch.tensor([len(w) / longest for w in waveforms])
    torch.testing.assert_close(lengths, expected)
    for row, waveform in zip(wavs, waveforms):
        assert row[: len(waveform)].equal(waveform)


def test_model_of_another_rate_gets_its_rate(attention, waveforms):
    recognizer = load("EncoderDecoderASR", attention)
    recognizer.model.audio_normalizer = AudioNormalizer(sample_rate=8000)
    wavs, _, _ = heard_by(recognizer, waveforms)
    assert wavs.shape == (3, -(-max(map(len, waveforms)) // 2))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_whisper_gives_what_the_interface_gives(whisper, waveforms):
    stock = WhisperASR.from_hparams(str(whisper))
    stock.hparams.normalized_transcripts = False
    expected, _ = stock.transcribe_batch(*batch_pad_right(waveforms))
    recognizer = load("WhisperASR", whisper)
    assert recognizer.transcribe(waveforms) == expected and any(expected)
    # Then its batches are lists of words.
    recognizer.model.hparams.normalized_transcripts = True
    found = recognizer.transcribe(waveforms)
    assert all(isinstance(text, str) for text in found)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_whisper_hears_all_of_a_long_recording(whisper):
    recognizer = load("WhisperASR", whisper)
    ramp = torch.arange(16000 * 70) / 16000.0
    wavs, _, texts = heard_by(recognizer, [ramp, ramp[:16000]])
    assert wavs.shape == (4, 16000 * 30)
    assert wavs[1, 0] == 30 and wavs[2, 0] == 60 and wavs[3, 0] == 0
    assert texts == ["word word word", "word"]


def test_pipeline_does_not_decode_padding(wav2vec2, waveforms):
    recognizer = load("pipeline", wav2vec2)
    alone = [recognizer.transcribe([waveform])[0] for waveform in waveforms]
    assert recognizer.transcribe(waveforms) == alone
    assert len(set(alone)) == len(alone) and all(alone)


def test_pipeline_gives_what_transformers_gives(wav2vec2, waveforms):
    from transformers import Wav2Vec2ForCTC, Wav2Vec2Processor

    processor = Wav2Vec2Processor.from_pretrained(wav2vec2)
    model = Wav2Vec2ForCTC.from_pretrained(wav2vec2).eval()
    inputs = processor(
        waveforms[0].numpy(), sampling_rate=16000, return_tensors="pt"
    )
    with torch.no_grad():
        ids = model(**inputs).logits.argmax(dim=-1)
    expected = processor.batch_decode(ids)
    found = load("pipeline", wav2vec2).transcribe(waveforms[:1])
    assert found == expected and len(expected[0]) > 10


def test_pipeline_hears_more_than_whisper_does_at_once(whisper, waveforms):
    recognizer = load("pipeline", whisper)
    long = torch.cat(waveforms * 6)
    with pytest.raises(ValueError, match="return_timestamps=True"):
        recognizer.pipeline(long.numpy())
    found = recognizer.transcribe([long, waveforms[0]])
    assert len(found[0]) > 0
    assert found[1:] == recognizer.transcribe(waveforms[:1])


def test_revision_of_a_folder_is_of_what_is_in_it(wav2vec2, tmp_path):
    first = load("pipeline", wav2vec2)
    assert first.name == "wav2vec2" and first.interface == "pipeline"
    copy = shutil.copytree(wav2vec2, tmp_path / "other" / "wav2vec2")
    (copy / ".cache").write_text("downloaded today")
    assert load("pipeline", copy).revision == first.revision
    path = copy / "preprocessor_config.json"
    path = path if path.exists() else copy / "processor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()), indent=7))
    assert load("pipeline", copy).revision != first.revision


def test_revision_on_the_hub_is_its_commit(monkeypatch):
    asked = []

    def download(source, file, revision):
        asked.append((source, file, revision))
        return f"/cache/models--a--b/snapshots/c0ffee/{file}"

    monkeypatch.setattr(recognizers, "hf_hub_download", download)
    found = recognizers.identify("a/b", "main", "config.json")
    assert found == ("a/b", "c0ffee")
    assert asked == [("a/b", "config.json", "main")]


def test_model_out_of_reach_is_named_with_the_way_out(monkeypatch):
    def download(*_, **__):
        raise LocalEntryNotFoundError("no connection")

    monkeypatch.setattr(recognizers, "hf_hub_download", download)
    for interface in RECOGNIZERS:
        with pytest.raises(ValueError, match="'a/b'.*no connection.*hf down"):
            load(interface, "a/b")


@pytest.mark.parametrize(
    "interface, missing",
    [("EncoderASR", "decoding_function"), ("pipeline", "config.json")],
)
def test_model_of_another_interface_is_refused(attention, interface, missing):
    with pytest.raises(ValueError, match=f"as {interface} .*{missing}"):
        load(interface, attention)
