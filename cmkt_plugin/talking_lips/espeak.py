"""Speaks one text with eSpeak NG, as a program of its own.

    python espeak.py < request.json > reply

eSpeak NG is deterministic only from its start: the phases of its oscillators
go on from one text to the next. A process for each text (30 ms) makes a clip
independent of the clips before it. It needs nothing but the standard library.
"""

import ctypes
import json
import sys

# Of espeak-ng/speak_lib.h
SYNCHRONOUS = 2
PHONEME_EVENTS, PHONEME_IPA, DO_NOT_EXIT = 0x1, 0x2, 0x8000
RATE, VOLUME, PITCH = 1, 2, 3
LIST_TERMINATED, PHONEME = 0, 7
UTF8 = 1


class _Id(ctypes.Union):
    _fields_ = [("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


Callback = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.POINTER(ctypes.c_short),
    ctypes.c_int,
    ctypes.POINTER(_Event),
)


def speak(library, data, voice, speed, pitch, text):
    """Synthesises a text.

    Arguments
    ---------
    library, data : str
        The shared library and the folder of its data.
    voice : str
        Language and variant, such as "en-us+f1".
    speed, pitch : int
        Words per minute; 0 to 99.
    text : str
        What to say.

    Returns
    -------
    dict
        ``rate`` (Hz), ``phones``: pairs of an IPA symbol and the sample at
        which it begins, empty symbols being pauses.
    bytes
        Native 16-bit samples.

    Raises
    ------
    ValueError
        If the data cannot be read or the voice is unknown.
    """
    espeak = ctypes.CDLL(library)
    options = PHONEME_EVENTS | PHONEME_IPA | DO_NOT_EXIT
    rate = espeak.espeak_Initialize(SYNCHRONOUS, 0, data.encode(), options)
    if rate <= 0:
        raise ValueError(f"eSpeak NG cannot read its data in {data}")
    if espeak.espeak_SetVoiceByName(voice.encode()):
        raise ValueError(f"eSpeak NG has no voice {voice!r}")
    espeak.espeak_SetParameter(RATE, speed, 0)
    espeak.espeak_SetParameter(PITCH, pitch, 0)
    espeak.espeak_SetParameter(VOLUME, 50, 0)  # some variants clip at 100
    samples, phones = bytearray(), []

    def receive(block, count, events):
        if block and count:
            samples.extend(ctypes.string_at(block, 2 * count))
        phones.extend(_phones(events))
        return 0

    keep = Callback(receive)  # the library holds no reference to it
    espeak.espeak_SetSynthCallback(keep)
    spoken = text.encode()
    espeak.espeak_Synth(
        spoken, len(spoken) + 1, 0, 0, 0, UTF8, None, ctypes.c_void_p()
    )
    return {"rate": rate, "phones": phones}, bytes(samples)


def _phones(events):
    found, index = [], 0
    while events[index].type != LIST_TERMINATED:
        event = events[index]
        if event.type == PHONEME:
            # The field holds 8 bytes: a longer symbol is cut.
            symbol = event.id.string.decode("utf-8", errors="ignore")
            found.append((symbol, event.sample))
        index += 1
    return found


def main():
    """One JSON line of facts, then the samples, on standard output."""
    try:
        facts, samples = speak(**json.load(sys.stdin))
    except ValueError as error:
        sys.exit(str(error))
    sys.stdout.buffer.write(json.dumps(facts).encode() + b"\n" + samples)


if __name__ == "__main__":
    main()
