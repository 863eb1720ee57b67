#!/usr/bin/env python3
"""Speak the demo corpus's sentences with eSpeak NG and encode them small.

    python synthesise.py

writes `corpus/` beside this file: Ogg Opus at 16 kHz, and `corpus.csv` (id,
speaker, split, file, transcript). The repository carries the result; only to
change the corpus does one need this command and espeak-ng 1.51
(`apt-get install espeak-ng`). Remove `corpus/` first: nothing is overwritten.
"""

import csv
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile as sf
import torch
from torchaudio.functional import resample

HERE = Path(__file__).resolve().parent
RATE = 16000
LEVEL = 0.05  # root mean square of every utterance, -26 dB of full scale
MARGIN_S = 0.05  # silence kept before and after the speech
FLOOR_DB = -40  # below the loudest 10 ms an edge counts as silence
# 27 kbit/s: the clean reference is the decoded file, so the encoder's loss is
# part of the voice and not of any score.
COMPRESSION = 0.92

# Utterances per speaker and the speakers (name, espeak-ng voice, words per
# minute, pitch 0-99). No voice variant serves two splits. p226 and p287 are
# the names of VoiceBank's usual validation speakers.
SPLITS = {
    "train": (
        40,
        ("p301", "en+m1", 170, 40),
        ("p302", "en-us+f1", 175, 50),
        ("p303", "en-gb-scotland+m3", 180, 75),
        ("p304", "en-gb-x-rp+f2", 180, 45),
        ("p305", "en-gb-x-gbclan+m4", 190, 20),
        ("p306", "en-029+f4", 170, 65),
        ("p307", "en-us-nyc+m6", 185, 60),
        ("p308", "en+steph", 185, 35),
        ("p309", "en-us+m7", 180, 85),
        ("p310", "en-gb-x-gbcwmd+f5", 190, 70),
        ("p311", "en-gb-x-rp+michel", 170, 55),
        ("p312", "en-gb-scotland+aunty", 180, 20),
        ("p313", "en-us+Mike", 195, 30),
        ("p314", "en-gb-x-gbclan+linda", 180, 55),
        ("p315", "en-us-nyc+max", 175, 95),
    ),
    "valid": (
        24,
        ("p226", "en+m5", 180, 50),
        ("p287", "en-us+Annie", 180, 40),
    ),
    "test": (
        12,
        ("p401", "en-gb-x-gbcwmd+m2", 180, 65),
        ("p402", "en-us-nyc+f3", 185, 45),
        ("p403", "en-029+Andy", 175, 45),
        ("p404", "en-gb-scotland+grandma", 180, 40),
        ("p405", "en-us+david", 175, 60),
        ("p406", "en+anika", 160, 30),
    ),
}


def espeak(text, voice, speed, pitch):
    """Samples and rate of one sentence, as espeak-ng speaks it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        command = ["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch)]
        # Half the default amplitude: some variants clip at 100.
        command += ["-a", "50", "-w", str(path), text]
        subprocess.run(command, check=True)
        return sf.read(path, dtype="float32")


def trim(samples):
    """Cut the silence at both ends, but for MARGIN_S."""
    hop = RATE // 100
    frames = samples[: len(samples) // hop * hop].reshape(-1, hop)
    power = np.mean(frames**2, axis=1)
    loud = np.flatnonzero(power > power.max() * 10 ** (FLOOR_DB / 10))
    margin = int(MARGIN_S * RATE)
    start = max(0, loud[0] * hop - margin)
    return samples[start : (loud[-1] + 1) * hop + margin]


def speak(text, voice, speed, pitch):
    """One utterance at 16 kHz, trimmed and levelled."""
    samples, rate = espeak(text, voice, speed, pitch)
    samples = trim(resample(torch.from_numpy(samples), rate, RATE).numpy())
    return samples * (LEVEL / np.sqrt(np.mean(samples**2)))


def check_espeak():
    """Refuse a machine without espeak-ng or whose espeak-ng lacks a voice."""
    if shutil.which("espeak-ng") is None:
        sys.exit(
            "espeak-ng is not on the PATH. Install it (Debian: apt-get install "
            "espeak-ng). It is needed to make the corpus anew, not to use it: "
            "for that, run build.py."
        )
    for _, *speakers in SPLITS.values():
        for name, voice, speed, pitch in speakers:
            accent = voice.split("+")[0]
            plain, varied = (
                espeak("One two three.", v, speed, pitch)[0]
                for v in (accent, voice)
            )
            # It drops an unknown variant without a word (any one of "en-gb").
            if np.array_equal(plain, varied):
                sys.exit(
                    f"espeak-ng speaks voice {voice} of speaker {name} just as "
                    f"{accent}: the variant is unknown to it. Use version 1.51."
                )


def plan(sentences):
    """One row of the corpus and its voice settings per sentence, in turn."""
    rows, rest = [], iter(sentences)
    for split, (count, *speakers) in SPLITS.items():
        for speaker, voice, speed, pitch in speakers:
            for number in range(1, count + 1):
                name = f"{speaker}_{number:03d}"
                row = (name, speaker, split, f"{name}.ogg", next(rest))
                # People vary; a synthesiser would say each word one way.
                vary = random.Random(name)
                speed_now = round(speed * vary.uniform(0.93, 1.07))
                pitch_now = min(99, max(0, pitch + vary.randint(-6, 6)))
                rows.append((row, (voice, speed_now, pitch_now)))
    return rows


def main():
    """Write corpus/, whole or not at all."""
    target, partial = HERE / "corpus", HERE / "corpus.partial"
    if target.exists():
        sys.exit(f"{target} exists: remove it to make the corpus anew")
    check_espeak()
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    sentences = (HERE / "sentences.txt").read_text(encoding="utf-8")
    rows = plan(sentences.splitlines())
    for (name, _, _, file, text), voice in rows:
        sf.write(
            partial / file,
            speak(text, *voice),
            RATE,
            format="OGG",
            subtype="OPUS",
            compression_level=COMPRESSION,
        )
    with open(partial / "corpus.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("id", "speaker", "split", "file", "transcript"))
        writer.writerows(row for row, _ in rows)
    os.replace(partial, target)


if __name__ == "__main__":
    main()
