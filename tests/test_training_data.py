"""A resumed run finds the files that it began with."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from cmkt_plugin.mixing.audio_folder import NoiseFolder
from cmkt_plugin.mixing.sampler import MixtureSampler
from cmkt_plugin.training_data import check_training_data
from cmkt_plugin.transcript_file import write_transcripts
from cmkt_plugin.transcripts import Transcripts


def write_noise(path):
    rng = np.random.default_rng(0)
    soundfile.write(path, 0.1 * rng.standard_normal(16000), 16000)


@pytest.fixture
def folder(tmp_path):
    """Annotation, a noise and recognised text; a checkpoint is there."""
    (tmp_path / "save" / "CKPT+1").mkdir(parents=True)
    (tmp_path / "save" / "train.json").write_text(json.dumps({"a": {}}))
    (tmp_path / "noise").mkdir()
    write_noise(tmp_path / "noise" / "hum.wav")
    write_transcripts(tmp_path / "asr_clean_train.txt", {"a": "go"}, {})
    return tmp_path


def hparams(folder):
    noise = NoiseFolder(folder / "noise")
    member = SimpleNamespace(
        transcripts=Transcripts("asr_clean", folder=folder)
    )
    return {
        "save_folder": folder / "save",
        "train_annotation": folder / "save" / "train.json",
        "mixing": {"train": MixtureSampler(noise)},
        "transfer": SimpleNamespace(members={"": member}),
    }


def change_annotation(folder):
    (folder / "save" / "train.json").write_text(json.dumps({"b": {}}))


def add_noise(folder):
    write_noise(folder / "noise" / "rain.wav")


def change_text(folder):
    write_transcripts(folder / "asr_clean_train.txt", {"a": "come"}, {})


@pytest.mark.parametrize(
    "change, what",
    [
        (change_annotation, "annotation"),
        (add_noise, "noises"),
        (change_text, "asr_clean_train.txt"),
    ],
)
def test_a_changed_file_is_refused_once_there_is_a_checkpoint(
    change, what, folder
):
    check_training_data(hparams(folder))
    check_training_data(hparams(folder))
    change(folder)
    with pytest.raises(ValueError, match=f"whose {what} were others"):
        check_training_data(hparams(folder))
    (folder / "save" / "CKPT+1").rmdir()
    check_training_data(hparams(folder))
