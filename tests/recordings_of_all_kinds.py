"""Recordings of every kind, and broken ones."""

import numpy as np
import soundfile

RATES = (8000, 11025, 16000, 22050, 44100, 48000, 96000)
KINDS = [
    *[("wav", name) for name in ("PCM_U8", "PCM_16", "PCM_24", "FLOAT")],
    *[("flac", "PCM_16"), ("flac", "PCM_24"), ("ogg", "VORBIS")],
    *[("opus", "OPUS"), ("mp3", "MPEG_LAYER_III"), ("aiff", "PCM_16")],
    *[("au", "ULAW"), ("caf", "ALAC_16"), ("w64", "PCM_32"), ("wav", "GSM610")],
    *[("au", "G721_32"), ("rf64", "PCM_16"), ("wav", "IMA_ADPCM")],
]
# What a codec can hold: its rates, and how many channels.
LIMITS = {
    "OPUS": ((8000, 16000, 48000), 6),
    "MPEG_LAYER_III": ((8000, 16000, 22050, 44100, 48000), 2),
    "GSM610": (RATES, 1),
    "G721_32": (RATES, 1),
    "IMA_ADPCM": (RATES, 2),
}
BROKEN = {
    "truncated.wav": "truncated",
    "text.wav": "not a readable wav file",
    "empty.wav": "not a readable wav file",
    "nan.wav": "is nan, expected finite numbers",
    "nothing.wav": "0 samples",
}


def noise(path, rate=16000, seconds=0.5, channels=1, **kind):
    """Writes noise of its own for every path."""
    generator = np.random.default_rng(len(str(path)))
    shape = (max(1, round(rate * seconds)), channels)
    path.parent.mkdir(parents=True, exist_ok=True)
    wave = 0.1 * generator.standard_normal(shape)
    soundfile.write(path, wave, rate, **kind)


def mixed_folder(folder, number):
    """Recordings of every kind, rate and number of channels, in a tree."""
    for i in range(number):
        suffix, subtype = KINDS[i % len(KINDS)]
        rates, most = LIMITS.get(subtype, (RATES, 6))
        form = {"opus": "OGG"}.get(suffix, suffix.upper())
        noise(
            folder / f"speaker{i % 5}" / f"{i}.{suffix}",
            rate=rates[i % len(rates)],
            # From 10 ms to 3 s, of which few are long.
            seconds=0.01 + 2.99 * (i / number) ** 6,
            channels=1 + i % most,
            subtype=subtype,
            format=form,
        )


def break_files(folder):
    """Writes the BROKEN ones."""
    noise(folder / "truncated.wav")
    whole = (folder / "truncated.wav").read_bytes()
    (folder / "truncated.wav").write_bytes(whole[: len(whole) // 2])
    (folder / "text.wav").write_text("no audio")
    (folder / "empty.wav").touch()
    soundfile.write(folder / "nan.wav", np.full(99, np.nan), 8000, "FLOAT")
    soundfile.write(folder / "nothing.wav", np.zeros(0), 8000)


def content(folder):
    """Files below a folder, with the times when they were written."""
    return {
        path.relative_to(folder).as_posix(): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file()
    }
