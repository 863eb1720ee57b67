"""Discrete units of clean speech, from tones that are known."""

import json

import numpy as np
import pytest
import soundfile
import torch
from click.testing import CliRunner
from torchaudio.functional import resample

from cmkt_plugin.cli import main
from cmkt_plugin.discrete_units import CleanFeatures
from cmkt_plugin.speech_features import MfccFeatures, SslFeatures
from cmkt_plugin.transcript_file import read_transcripts
from cmkt_plugin.unit_clusters import UnitClusters, fit_clusters

RATE = 16000
TONES = {"l": 300, "m": 1200, "h": 5000}  # Hz
SOUNDS = {"u1": "lhm", "u2": "mlh", "u3": "hlml", "u4": "lmhm"}


def write_sounds(folder, sounds):
    """A corpus of tones of a quarter second each, and its annotation."""
    time = np.arange(RATE // 4) / RATE
    annotation = {}
    for name, tones in sounds.items():
        parts = [np.sin(2 * np.pi * TONES[tone] * time) for tone in tones]
        wave = np.concatenate(parts) * 0.3
        wave += np.random.default_rng(0).normal(0, 1e-3, len(wave))
        soundfile.write(folder / f"{name}.wav", wave, RATE)
        annotation[name] = {
            "clean_wav": f"{{data_root}}/{name}.wav",
            "length": len(wave) / RATE,
            "speaker": "s",
            "words": "",
        }
    path = folder / f"{'_'.join(sounds)}.json"
    path.write_text(json.dumps(annotation))
    return path


def units(annotation, output, *options):
    arguments = ["units", annotation, "-o", output, *options]
    if "--data-root" not in options:
        arguments += ["--data-root", annotation.parent]
    return CliRunner().invoke(main, [str(part) for part in arguments])


def found(path):
    return {
        name: text.split() for name, text in read_transcripts(path)[1].items()
    }


def majorities(runs, tones):
    """The most frequent unit in the middle of each tone."""
    middles = [
        runs[round((i + 0.25) * 12.5) : round((i + 0.75) * 12.5)]
        for i in range(len(tones))
    ]
    return [max(set(middle), key=middle.count) for middle in middles]


def test_a_sound_has_a_unit(tmp_path):
    train = write_sounds(tmp_path, SOUNDS)
    options = ["--clusters", 6, "--keep-runs", "--seed", 1]
    done = units(train, tmp_path / "units.txt", *options)
    assert done.exit_code == 0, done.output
    header, _ = read_transcripts(tmp_path / "units.txt")
    assert header["features"] == "MFCC" and header["clusters"] == "6"
    assert header["seed"] == "1" and header["collapsed"] == "False"
    unit_of = {}
    for name, runs in found(tmp_path / "units.txt").items():
        assert abs(len(runs) - 12.5 * len(SOUNDS[name])) <= 1.5
        for tone, unit in zip(SOUNDS[name], majorities(runs, SOUNDS[name])):
            unit_of.setdefault(tone, set()).add(unit)
    # Each tone has one unit, in every recording, and no two share theirs.
    assert all(len(kinds) == 1 for kinds in unit_of.values())
    assert len(set.union(*unit_of.values())) == 3


def test_others_speak_the_language_of_the_training_set(tmp_path):
    train = write_sounds(tmp_path, SOUNDS)
    valid = write_sounds(tmp_path, {"u3": "hlml", "v1": "h"})
    done = units(train, tmp_path / "train.txt", "--clusters", 6)
    assert done.exit_code == 0, done.output
    again = units(train, tmp_path / "again.txt", "--clusters", 6)
    assert again.exit_code == 0
    assert found(tmp_path / "again.txt") == found(tmp_path / "train.txt")
    kmeans = ["--kmeans", tmp_path / "train.safetensors"]
    done = units(valid, tmp_path / "valid.txt", *kmeans)
    assert done.exit_code == 0, done.output
    assert not (tmp_path / "valid.safetensors").exists()
    both = (
        found(tmp_path / "valid.txt")["u3"],
        found(tmp_path / "train.txt")["u3"],
    )
    assert both[0] == both[1]
    # Neighbours differ where runs are collapsed.
    assert all(a != b for a, b in zip(both[0], both[0][1:]))
    done = units(valid, tmp_path / "x.txt", *kmeans, "--frame-rate", 100)
    assert done.exit_code == 1 and "other features: frame_rate" in done.output


def test_recordings_of_a_manifest(tmp_path):
    train = write_sounds(tmp_path, SOUNDS)
    entries = json.loads(train.read_text())
    for entry in entries.values():
        entry["mixture"] = {"snr": 3.0, "noise": "{noise_root}/a.wav"}
        entry["mixture"]["rir"] = "{rir_root}/a.wav"
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps(entries))
    for source in (train, manifest):
        output = tmp_path / f"{source.stem}.txt"
        done = units(source, output, "--clusters", 6)
        assert done.exit_code == 0, done.output
    plain, mixed = (tmp_path / f"{p.stem}.txt" for p in (train, manifest))
    assert found(mixed) == found(plain)


def test_recordings_of_another_rate_are_resampled(tmp_path):
    train = write_sounds(tmp_path, {"u1": "lmlm"})
    recordings = CleanFeatures(train, {"data_root": tmp_path}, MfccFeatures())
    expected = recordings["u1"]
    wave, _ = soundfile.read(tmp_path / "u1.wav", dtype="float32")
    wave = resample(torch.from_numpy(wave), RATE, 48000)
    soundfile.write(tmp_path / "u1.wav", wave.numpy(), 48000)
    assert recordings["u1"].shape == expected.shape
    # The noise floor above 8 kHz apart, the filter's edge.
    assert np.abs(recordings["u1"] - expected).mean() < 1


def test_frame_rate():
    wave = torch.randn(RATE)
    assert len(MfccFeatures(100.0)(wave)) == 101
    assert len(MfccFeatures(25.0)(wave)) == 26
    with pytest.raises(ValueError, match="frame rate is 0"):
        MfccFeatures(0)


def test_level_and_microphone_do_not_matter():
    features, wave = MfccFeatures(), torch.randn(RATE)
    close = torch.allclose(features(wave), features(0.1 * wave), atol=1e-2)
    assert close and features(wave).mean(0).abs().max() < 1e-3


@pytest.mark.parametrize(
    "change, told",
    [
        (lambda e: e.pop("clean_wav"), "u2 has no clean_wav"),
        (lambda e: e.update(clean_wav="{data_root}/no.wav"), "no.wav"),
        (lambda e: e.update(clean_wav="{data_root}/0.wav"), "0.wav (u2)"),
        (lambda e: e.update(clean_wav="{data_root}/2.wav"), "one channel"),
        (lambda e: e.update(clean_wav="{data_root}/n.wav"), "finite numbers"),
    ],
)
def test_bad_recordings_are_named(tmp_path, change, told):
    train = write_sounds(tmp_path, SOUNDS)
    soundfile.write(tmp_path / "0.wav", np.zeros(0), RATE)
    soundfile.write(tmp_path / "2.wav", np.zeros((RATE, 2)), RATE)
    nan = np.full(RATE, np.nan, dtype=np.float32)
    soundfile.write(tmp_path / "n.wav", nan, RATE, subtype="FLOAT")
    entries = json.loads(train.read_text())
    change(entries["u2"])
    train.write_text(json.dumps(entries))
    done = units(train, tmp_path / "units.txt", "--clusters", 4)
    assert done.exit_code == 1 and told in " ".join(done.output.split())
    assert not (tmp_path / "units.txt").exists()


def test_useless_requests(tmp_path):
    train = write_sounds(tmp_path, {"u1": "l"})
    output = tmp_path / "units.txt"
    for options, told in (
        (["--clusters", 500], "500 clusters of 13 different frames"),
        (["--kmeans", train], "holds no clusters"),
        (["--kmeans", train, "--clusters", 100], "--clusters and --kmeans"),
        (["--kmeans", train, "--seed", 0], "--seed and --kmeans"),
        (["--ssl", tmp_path, "--frame-rate", 50], "rate of its own"),
        (["--ssl", tmp_path / "no", "--layer", 1], "not a folder"),
    ):
        done = units(train, output, *options)
        assert done.exit_code == 1, options
        assert told in " ".join(done.output.split())
    output.write_text("mine")
    assert "exists" in units(train, output).output
    assert output.read_text() == "mine"


def test_clusters_are_kept_as_they_are(tmp_path):
    frames = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    clusters = fit_clusters(frames, 5, seed=0, settings={"features": "x"})
    clusters.save(tmp_path / "k.safetensors")
    loaded = UnitClusters.load(tmp_path / "k.safetensors")
    assert loaded(frames) == clusters(frames)
    assert loaded.settings == {"features": "x", "clusters": 5, "seed": 0}
    distances = np.linalg.norm(frames[:, None] - clusters.centers, axis=2)
    assert clusters(frames) == distances.argmin(axis=1).tolist()
    again = fit_clusters(frames, 5, seed=0, settings={})
    assert np.array_equal(again.centers, clusters.centers)
    other = fit_clusters(frames, 5, seed=1, settings={})
    assert not np.allclose(other.centers, clusters.centers)


@pytest.fixture(scope="module")
def tiny_ssl(tmp_path_factory):
    """Folder of a two-layer HuBERT with its feature extractor."""
    from transformers import HubertConfig, HubertModel, Wav2Vec2FeatureExtractor

    folder = tmp_path_factory.mktemp("tiny_hubert")
    config = HubertConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=(8,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
    )
    torch.manual_seed(0)
    HubertModel(config).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)
    return folder


def test_layer_of_a_model(tiny_ssl, tmp_path):
    wave = torch.randn(RATE)
    first, last = (SslFeatures(tiny_ssl, layer)(wave) for layer in (0, -1))
    assert first.shape == last.shape == (49, 16)
    assert not torch.allclose(first, last)
    with pytest.raises(ValueError, match="no layer 3: expected -3 to 2"):
        SslFeatures(tiny_ssl, 3)
    train = write_sounds(tmp_path, SOUNDS)
    options = ["--ssl", tiny_ssl, "--layer", 1, "--clusters", 4]
    done = units(train, tmp_path / "units.txt", *options)
    assert done.exit_code == 0, done.output
    header, texts = read_transcripts(tmp_path / "units.txt")
    assert header["features"] == tiny_ssl.name and header["layer"] == "1"
    assert set(texts) == set(SOUNDS) and all(texts.values())
