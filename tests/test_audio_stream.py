"""Tests of reading recordings in blocks and of writing them like another."""

import os
import resource
from contextlib import contextmanager

import numpy as np
import pytest
import soundfile

from cmkt_plugin import audio_stream
from cmkt_plugin.audio_stream import open_recording, read_blocks, write_like

# Not to be read back at all, or with a sample more each time (VOC's ulaw).
UNUSUAL = {"RAW", "SD2", "VOC", "DWVW_12"}
UNUSUAL |= {"MPEG_LAYER_I", "MPEG_LAYER_II"}
FORMATS = [
    (name, subtype)
    for name in soundfile.available_formats()
    for subtype in soundfile.available_subtypes(name)
    if not {name, subtype} & UNUSUAL
    and (name, subtype) != ("WAV", "MPEG_LAYER_III")
]
LOSSLESS = {"PCM_U8", "PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT"}


def tone(samples, channels=1):
    wave = 0.3 * np.sin(0.1 * np.arange(samples))
    return np.stack([wave / (1 + c) for c in range(channels)], axis=1)


def write(path, data, rate=16000, **form):
    with soundfile.SoundFile(
        path, "w", rate, np.shape(data)[1], **form
    ) as file:
        file.write(data)
    return path


def copy(source, target):
    with open_recording(source) as recording:
        return write_like(recording, target, read_blocks(recording))


@contextmanager
def files_up_to(size):
    """Larger ones fail as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("name, subtype", FORMATS)
def test_a_copy_keeps_format_length_and_samples(tmp_path, name, subtype):
    for endian in ("FILE", "LITTLE", "BIG"):
        if not soundfile.check_format(name, subtype, endian):
            continue
        form = {"format": name, "subtype": subtype, "endian": endian}
        source = write(tmp_path / "a.snd1", tone(8000), **form)
        target = copy(source, tmp_path / "b.snd1")
        with soundfile.SoundFile(source) as a, soundfile.SoundFile(target) as b:
            for key in ("format", "subtype", "endian", "samplerate", "frames"):
                assert getattr(a, key) == getattr(b, key), key
            if subtype in LOSSLESS:
                # Between the two the samples are 32-bit floats.
                assert np.allclose(a.read(8000), b.read(8000), atol=1e-7)
    assert {path.name for path in tmp_path.iterdir()} == {"a.snd1", "b.snd1"}


def test_many_formats_are_tried():
    assert len(FORMATS) > 60
    assert {name for name, _ in FORMATS} > {"WAV", "FLAC", "OGG", "MP3", "CAF"}


@pytest.mark.parametrize(
    "suffix, rate, channels, subtype",
    [
        ("wav", 44101, 8, "PCM_24"),
        ("wav", 192000, 1, "DOUBLE"),
        ("flac", 44100, 2, "PCM_24"),
        ("ogg", 44100, 2, "VORBIS"),
        ("ogg", 48000, 1, "OPUS"),
        ("mp3", 22050, 2, "MPEG_LAYER_III"),
    ],
)
def test_rates_channels_and_several_blocks(
    tmp_path, suffix, rate, channels, subtype
):
    samples = 2 * audio_stream.BLOCK + 4567
    source = write(
        tmp_path / f"a.{suffix}", tone(samples, channels), rate, subtype=subtype
    )
    target = copy(source, tmp_path / "new" / "folder" / f"b.{suffix}")
    info = soundfile.info(target)
    assert (info.samplerate, info.channels) == (rate, channels)
    assert (info.frames, info.subtype) == (samples, subtype)
    before, after = soundfile.read(source)[0], soundfile.read(target)[0]
    assert before.shape == after.shape
    assert np.square(before - after).mean() < 0.01 * np.square(before).mean()


@pytest.mark.parametrize("suffix", ["mp3", "ogg", "flac"])
def test_blocks_are_what_is_read_at_once(tmp_path, suffix):
    source = write(tmp_path / f"a.{suffix}", tone(3 * audio_stream.BLOCK))
    with open_recording(source) as recording:
        blocks = np.concatenate(list(read_blocks(recording)))[:, 0]
    at_once = soundfile.read(source, dtype="float32")[0]
    assert np.allclose(blocks, at_once, atol=1e-6)


def test_one_large_piece_is_written_in_blocks(tmp_path):
    source = write(tmp_path / "a.ogg", tone(10), 16000, subtype="VORBIS")
    with open_recording(source) as recording:
        write_like(recording, tmp_path / "b.ogg", [tone(3 * 10**6)])
    assert soundfile.info(tmp_path / "b.ogg").frames == 3 * 10**6


def test_tags_are_kept(tmp_path):
    for suffix in ("wav", "flac", "ogg", "mp3", "aiff"):
        source = tmp_path / f"a.{suffix}"
        with soundfile.SoundFile(source, "w", 16000, 1) as file:
            file.title, file.artist = "Title", "Sängerin"
            file.write(tone(1000))
        target = copy(source, tmp_path / f"b.{suffix}")
        with soundfile.SoundFile(target) as file:
            assert (file.title, file.artist) == ("Title", "Sängerin")


def test_another_suffix_asks_for_its_format(tmp_path):
    wav = write(tmp_path / "a.wav", tone(48000), 48000, subtype="PCM_24")
    ogg = write(tmp_path / "a.ogg", tone(48000), 48000, subtype="VORBIS")
    for source, name, expected in [
        (wav, "b.flac", ("FLAC", "PCM_24")),
        (wav, "b.aif", ("AIFF", "PCM_24")),
        (wav, "b.ogg", ("OGG", "VORBIS")),
        (wav, "b.opus", ("OGG", "OPUS")),
        (wav, "b.enhanced", ("WAV", "PCM_24")),
        (wav, "b.WAV", ("WAV", "PCM_24")),
        (ogg, "c.wav", ("WAV", "PCM_16")),
        (ogg, "c.oga", ("OGG", "VORBIS")),
    ]:
        info = soundfile.info(copy(source, tmp_path / name))
        assert (info.format, info.subtype) == expected, name
    # A flac that is called wav stays one, under that name.
    named_wrongly = write(
        tmp_path / "wrong.wav", tone(100), format="FLAC", subtype="PCM_16"
    )
    copied = copy(named_wrongly, tmp_path / "right.wav")
    assert soundfile.info(copied).format == "FLAC"


def test_integers_are_clipped_and_floats_are_not(tmp_path):
    loud = 4 * tone(1000)
    wav = write(tmp_path / "a.wav", loud, subtype="FLOAT")
    assert np.allclose(soundfile.read(copy(wav, tmp_path / "b.wav"))[0], loud.T)
    flac = soundfile.read(copy(wav, tmp_path / "b.flac"))[0]
    assert np.allclose(flac, np.clip(loud, -1, 1).T, atol=1e-4)


def test_formats_that_cannot_be_written_are_refused(tmp_path):
    source = write(tmp_path / "a.sd2", tone(100), format="SD2")
    with pytest.raises(ValueError, match="PCM_.* in SD2.*ends in .wav"):
        copy(source, tmp_path / "b.sd2")
    assert copy(source, tmp_path / "b.wav").exists()
    wav = write(tmp_path / "a.wav", tone(100), 44100)
    # Opus knows five rates.
    with pytest.raises(OSError, match="b.opus could not be written.*OPUS"):
        copy(wav, tmp_path / "b.opus")
    assert not list(tmp_path.glob(".*.part"))


def test_full_disk_is_noticed_and_leaves_nothing(tmp_path):
    for suffix in ("wav", "flac", "ogg"):
        noise = 0.1 * np.random.default_rng(0).standard_normal((200_000, 1))
        source = write(tmp_path / f"a.{suffix}", noise)
        old = tmp_path / f"b.{suffix}"
        old.write_text("old")
        with (
            files_up_to(20_000),
            pytest.raises(OSError, match="is the disk full"),
        ):
            copy(source, old)
        assert old.read_text() == "old"
    assert not list(tmp_path.glob(".*"))


def test_failure_on_the_way_leaves_the_old_file(tmp_path):
    source = write(tmp_path / "a.wav", tone(1000))
    (tmp_path / "b.wav").write_text("old")

    def pieces():
        yield tone(500)
        assert list(tmp_path.glob(".b.wav.*.part"))
        raise RuntimeError("out of memory")

    with open_recording(source) as recording:
        with pytest.raises(RuntimeError, match="out of memory"):
            write_like(recording, tmp_path / "b.wav", pieces())
        with pytest.raises(OSError, match="samples missing"):
            write_like(recording, tmp_path / "b.wav", [tone(999)])
    assert (tmp_path / "b.wav").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_recording_may_replace_itself(tmp_path):
    source = write(tmp_path / "a.wav", tone(200_000))
    with open_recording(source) as recording:
        halves = (0.5 * block for block in read_blocks(recording))
        write_like(recording, source, halves)
    halved = soundfile.read(source)[0]
    assert np.allclose(halved, 0.5 * tone(200_000)[:, 0], atol=1e-4)


def test_what_is_no_sound_recording_is_refused_by_name(tmp_path):
    with pytest.raises(FileNotFoundError, match="no.wav not found"):
        open_recording(tmp_path / "no.wav")
    with pytest.raises(ValueError, match=f"{tmp_path.name} is no file"):
        open_recording(tmp_path)
    (tmp_path / "text.wav").write_text("hello" * 100)
    (tmp_path / "zero.wav").write_bytes(b"")
    write(tmp_path / "none.wav", np.zeros((0, 1)))
    for name, fault in [
        ("text.wav", "not a readable wav file"),
        ("zero.wav", "not a readable wav file"),
        ("none.wav", "0 samples"),
    ]:
        with pytest.raises(ValueError, match=f"{name}: {fault}"):
            open_recording(tmp_path / name)
    source = write(tmp_path / "a.wav", tone(100))
    with pytest.raises(ValueError, match="is a folder: name the file"):
        copy(source, tmp_path)


@pytest.mark.parametrize(
    "suffix, subtype",
    [
        ("wav", "PCM_16"),
        ("wav", "GSM610"),
        ("flac", "PCM_16"),
        ("ogg", "VORBIS"),
        ("aiff", "PCM_16"),
        ("au", "PCM_16"),
        ("w64", "PCM_16"),
        ("rf64", "PCM_16"),
        ("caf", "PCM_16"),
        ("mp3", "MPEG_LAYER_III"),
    ],
)
def test_truncated_recordings_are_refused(tmp_path, suffix, subtype):
    noise = 0.1 * np.random.default_rng(0).standard_normal((300_000, 1))
    source = write(tmp_path / f"a.{suffix}", noise, subtype=subtype)
    whole = source.read_bytes()
    source.write_bytes(whole[: 2 * len(whole) // 3])
    with pytest.raises(ValueError, match=f"a.{suffix}: "):
        copy(source, tmp_path / f"b.{suffix}")
    assert [path.name for path in tmp_path.iterdir()] == [source.name]


def test_position_of_what_is_not_finite(tmp_path):
    at = audio_stream.BLOCK + 17
    for value, name in ((np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf")):
        samples = tone(at + 100, channels=2).astype("float32")
        samples[at, 1] = value
        source = write(tmp_path / "a.wav", samples, subtype="FLOAT")
        with open_recording(source) as recording:
            message = f"a.wav: sample {at} of channel 1 is {name}, expected"
            with pytest.raises(ValueError, match=message):
                list(read_blocks(recording))


def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path):
    source = write(tmp_path / "a.wav", tone(1000))
    private = tmp_path / "b.wav"
    for mode in (0o600, 0o640, 0o444):
        private.touch()
        private.chmod(mode)
        with open_recording(source) as recording:
            write_like(recording, private, watched(tmp_path))
        assert private.stat().st_mode & 0o777 == mode
        assert soundfile.info(private).frames == 1000
    new = copy(source, tmp_path / "new.wav")
    assert new.stat().st_mode == source.stat().st_mode


def watched(folder):
    """Samples, at whose writing nobody else may read them."""
    yield tone(500)
    (temporary,) = folder.glob(".*.part")
    assert temporary.stat().st_mode & 0o077 == 0
    yield tone(500)


def test_a_link_is_written_through(tmp_path):
    source = write(tmp_path / "a.wav", tone(1000))
    for folder in ("store", "links"):
        (tmp_path / folder).mkdir()
    stored, link = tmp_path / "store" / "1", tmp_path / "links" / "b.flac"
    link.symlink_to("../store/1")
    for _ in range(2):  # the first time, it leads nowhere
        assert copy(source, link) == link
        assert link.is_symlink() and not stored.is_symlink()
        assert soundfile.info(stored).format == "FLAC"
    assert [len(list(path.parent.iterdir())) for path in (stored, link)] == [
        1,
        1,
    ]
    itself = tmp_path / "links" / "a.wav"
    itself.symlink_to(source)
    with open_recording(itself) as recording:
        halves = (0.5 * block for block in read_blocks(recording))
        write_like(recording, itself, halves)
    halved = soundfile.read(source)[0]
    assert itself.is_symlink() and 0.1 < halved.max() < 0.16


def test_a_device_is_not_replaced_by_a_file(tmp_path):
    source = write(tmp_path / "a.wav", tone(1000))
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(ValueError, match="pipe.wav is no file that can be"):
        copy(source, tmp_path / "pipe.wav")
    assert (tmp_path / "pipe.wav").is_fifo()
