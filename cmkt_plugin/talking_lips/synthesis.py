"""Synthesised speech and the timing of its phones."""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soxr

from cmkt_plugin.talking_lips.visemes import CONSONANTS, viseme_of

RATE = 16000
LEVEL = 0.05  # root mean square of every clip, -26 dB of full scale
MARGIN_S = 0.16  # silence before and after: lips move before there is sound
PACKAGES = "pip install 'cmkt_plugin[phones]'"
LIQUIDS = ("l", "r", "ɹ")
# Stress and length carry no lip shape, and they make three of every vowel.
MARKS = str.maketrans("", "", "ˈˌː:")


class Phone(NamedTuple):
    """A phone (IPA, without stress and length) and its span in seconds."""

    start: float
    end: float
    symbol: str


def speak(text, voice, speed, pitch):
    """Synthesises a sentence with eSpeak NG.

    Arguments
    ---------
    text : str
        What to say.
    voice : str
        Language and variant, such as "en-us+f1".
    speed, pitch : int
        Words per minute; 0 to 99.

    Returns
    -------
    numpy.ndarray
        Samples at 16 kHz (time,), with ``MARGIN_S`` of silence at both ends.
    list of Phone
        In order; between them may be pauses.

    Raises
    ------
    ImportError
        If espeakng-loader is not installed.
    ValueError
        If the voice or its variant is unknown, or nothing is spoken.

    Example
    -------
    >>> wav, phones = speak("Blue boat.", "en-us+f1", 175, 50)
    >>> [phone.symbol for phone in phones]
    ['b', 'l', 'u', 'b', 'oʊ', 't']
    >>> bool(0.15 < phones[0].start < phones[-1].end < len(wav) / RATE)
    True
    """
    facts, samples = _espeak(text, voice, speed, pitch)
    phones = _spans(facts["phones"], facts["rate"], len(samples))
    phones = _liquids_in_time(phones)
    if not phones:
        raise ValueError(
            f"eSpeak NG says nothing for {text!r}: expected a sentence."
        )
    start = phones[0].start - MARGIN_S
    wav = soxr.resample(samples / 32768, facts["rate"], RATE)
    first, last = round(start * RATE), round(phones[-1].end * RATE)
    end = last + round(MARGIN_S * RATE)
    wav = _cut(wav[: last + RATE // 50], first, end)
    moved = [Phone(p.start - start, p.end - start, p.symbol) for p in phones]
    return wav * (LEVEL / np.sqrt(np.mean(wav**2))), moved


def _espeak(text, voice, speed, pitch):
    """The reply of espeak.py: its facts, and the samples."""
    library, data = find_espeak()
    check_variant(data, voice)
    request = {
        "library": library,
        "data": data,
        "voice": voice,
        "speed": speed,
        "pitch": pitch,
        "text": text,
    }
    program = Path(__file__).with_name("espeak.py")
    done = subprocess.run(
        [sys.executable, "-S", str(program)],
        input=json.dumps(request).encode(),
        capture_output=True,
    )
    if done.returncode:
        raise ValueError(
            f"{done.stderr.decode(errors='replace').strip()} (while saying "
            f"{text!r} with voice {voice})"
        )
    facts, _, samples = done.stdout.partition(b"\n")
    return json.loads(facts), np.frombuffer(samples, "int16")


def find_espeak():
    """Paths of eSpeak NG's library and data.

    Raises
    ------
    ImportError
        If espeakng-loader is not installed.
    """
    try:
        import espeakng_loader
    except ImportError as error:
        raise ImportError(
            f"Speech synthesis needs espeakng-loader: {PACKAGES}"
        ) from error
    return espeakng_loader.get_library_path(), espeakng_loader.get_data_path()


def check_variant(data, voice):
    """Refuses a voice's variant that eSpeak NG would drop without a word.

    Arguments
    ---------
    data : str
        Folder of eSpeak NG's data.
    voice : str
        Language and variant.

    Raises
    ------
    ValueError
        If the data hold no such variant.
    """
    variant = voice.partition("+")[2]
    folder = Path(data, "voices", "!v")
    if variant and not (folder / variant).is_file():
        known = sorted(path.name for path in folder.iterdir())
        raise ValueError(
            f"eSpeak NG has no variant {variant!r} (of voice {voice!r}): "
            f"expected one of {', '.join(known)}"
        )


def _spans(events, rate, samples):
    """Events tell where a phone begins: it ends where the next begins."""
    ends = [start for _, start in events[1:]] + [samples]
    return [
        Phone(start / rate, end / rate, symbol.translate(MARKS))
        for (symbol, start), end in zip(events, ends)
        if symbol and end > start
    ]


def _liquids_in_time(phones):
    """Puts an /l/ or /r/ between vowel and consonant where it sounds.

    eSpeak NG renders it with the vowel and tells of it afterwards: 85 % of
    these spans are silent, the following stop's closure.
    """
    moved = list(phones)
    for at in range(1, len(phones)):
        before, phone = moved[at - 1], moved[at]
        after = phones[at + 1] if at + 1 < len(phones) else None
        touches = after is not None and after.start == phone.end
        late = (
            phone.symbol in LIQUIDS
            and touches
            and before.end == phone.start
            and _is_vowel(before)
            and not _is_vowel(after)
        )
        if late:
            split = before.end - (before.end - before.start) / 3
            moved[at - 1] = before._replace(end=split)
            moved[at] = phone._replace(start=split, end=phone.start)
            moved[at + 1] = after._replace(start=phone.start)
    return moved


def _is_vowel(phone):
    return viseme_of(phone.symbol) not in CONSONANTS


def _cut(samples, first, end):
    """Samples first to end; silence where there are none."""
    before, after = max(0, -first), max(0, end - len(samples))
    return np.pad(samples[max(0, first) : end], (before, after))
