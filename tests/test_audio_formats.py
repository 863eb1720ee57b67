"""Tests of what samples become in each format, and of changing it."""

import numpy as np
import pytest
import soundfile
from test_audio_stream import FORMATS, copy, tone, write

from cmkt_plugin import audio_stream
from cmkt_plugin.audio_stream import open_recording, write_like

INTEGERS = [
    (name, subtype)
    for name, subtype in FORMATS
    if subtype.startswith(("PCM", "ALAC", "DWVW", "DPCM"))
]
# Whatever is written, they hold no constant; and what is no number of steps.
OTHERS = {"GSM610", "NMS_ADPCM_16", "NMS_ADPCM_24", "NMS_ADPCM_32"}
OTHERS |= {"FLOAT", "DOUBLE"}
SILENT = [form for form in FORMATS if form[1] not in OTHERS]


def test_all_integers_are_tried():
    subtypes = {subtype for _, subtype in INTEGERS}
    assert len(INTEGERS) > 45 and subtypes >= {"ALAC_20", "DPCM_8", "DWVW_24"}


@pytest.mark.parametrize("name, subtype", INTEGERS)
def test_integer_samples_are_the_nearest_ones(tmp_path, name, subtype):
    """libsndfile alone takes the next lower: -1 for what is nearly silent."""
    bits = (audio_stream.SDS_BITS if name == "SDS" else audio_stream.BITS)[
        subtype
    ]
    step = 2.0 ** (1 - bits)
    samples = [-1e-12, 0.4 * step, -0.4 * step, 0.25, 1.5, -1.5]
    nearest = [0, 0, 0, 0.25, 1 - step, -1]
    # Of an SDS file libsndfile reads whole packets only.
    silence = [0.0] * 834
    form = {"format": name, "subtype": subtype}
    source = write(tmp_path / "in.x", np.zeros((840, 1)), **form)
    with open_recording(source) as recording:
        whole = np.array(samples + silence)[:, np.newaxis]
        write_like(recording, tmp_path / "out.x", [whole])
    with audio_stream.ForwardFile(tmp_path / "out.x") as file:
        written = file.read(840)
    assert written.tolist() == nearest + silence


@pytest.mark.parametrize("name, subtype", SILENT)
def test_what_is_nearly_silent_does_not_rattle(tmp_path, name, subtype):
    """Around zero the samples are constant: of one sign."""
    form = {"format": name, "subtype": subtype}
    source = write(tmp_path / "in.x", np.zeros((8400, 1)), **form)
    # Of a 32-bit integer that is a fraction of a step.
    quiet = 1e-10 * np.random.default_rng(0).uniform(-1, 1, (8400, 1))
    with open_recording(source) as recording:
        write_like(recording, tmp_path / "out.x", [quiet])
    with audio_stream.ForwardFile(tmp_path / "out.x") as file:
        written = file.read(8400)
    assert len(set(written.tolist())) == 1
    assert subtype == "ALAW" or abs(written[0]) < 1e-30


@pytest.mark.parametrize(
    "suffix, how, name, expected",
    [
        ("mp3", {}, "b.wav", ("WAV", "PCM_16")),
        ("mp3", {}, "b.flac", ("FLAC", "PCM_16")),
        ("mp3", {}, "b.aiff", ("AIFF", "PCM_16")),
        ("mp3", {}, "b.ogg", ("OGG", "VORBIS")),
        ("mp3", {}, "b.opus", ("OGG", "OPUS")),
        ("mp3", {}, "b.mp3", ("MP3", "MPEG_LAYER_III")),
        ("mp3", {}, "b.enhanced", ("MP3", "MPEG_LAYER_III")),
        ("ogg", {}, "b.wav", ("WAV", "PCM_16")),
        ("ogg", {}, "b.mp3", ("MP3", "MPEG_LAYER_III")),
        ("ogg", {}, "b.opus", ("OGG", "OPUS")),
        ("ogg", {"subtype": "OPUS"}, "b.opus", ("OGG", "OPUS")),
        ("ogg", {"subtype": "OPUS"}, "b.flac", ("FLAC", "PCM_16")),
        ("wav", {}, "b.mp3", ("MP3", "MPEG_LAYER_III")),
        ("wav", {"subtype": "FLOAT"}, "b.flac", ("FLAC", "PCM_16")),
        ("wav", {"subtype": "FLOAT"}, "b.aiff", ("AIFF", "FLOAT")),
        ("flac", {"subtype": "PCM_24"}, "b.wav", ("WAV", "PCM_24")),
        ("flac", {"subtype": "PCM_24"}, "b.mp3", ("MP3", "MPEG_LAYER_III")),
        ("caf", {"subtype": "ALAC_24"}, "b.wav", ("WAV", "PCM_16")),
    ],
)
def test_conversions_keep_rate_and_length(
    tmp_path, suffix, how, name, expected
):
    source = write(tmp_path / f"a.{suffix}", tone(16000, 2), 48000, **how)
    info = soundfile.info(copy(source, tmp_path / name))
    assert (info.format, info.subtype) == expected
    assert (info.samplerate, info.channels) == (48000, 2)
    assert info.frames == 16000
