"""Small recordings to be mixed, made of whole numbers."""

from fractions import Fraction
from math import isqrt

import numpy as np
import soundfile

RATE = 16000


def steps(count, seed, peak=3000):
    """Whole numbers that no library's generator or cosine has a part in."""
    state, numbers = seed + 1, []
    for _ in range(count):
        state = (1103515245 * state + 12345) % 2**31
        numbers.append((state >> 8) % (2 * peak + 1) - peak)
    return numbers


def write(path, numbers, rate=RATE, **options):
    """Writes 16-bit steps and returns the path as text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.array(numbers, dtype=np.int16)
    soundfile.write(path, samples, rate, **options)
    return str(path)


def corpus(folder, speakers=4, utterances=2, seconds=0.25):
    """Entries of generated speech; paths are real ones."""
    entries = {}
    for speaker in range(speakers):
        for number in range(utterances):
            name = f"s{speaker}_{number}"
            count = int(RATE * seconds) + 160 * speaker
            path = folder / f"{name}.wav"
            entries[name] = {
                "clean_wav": write(path, steps(count, seed=hash_of(name))),
                "speaker": f"s{speaker}",
                "length": count / RATE,
            }
    return entries


def hash_of(name):
    """A number for a name, the same in every process."""
    return sum(ord(letter) * 31**i for i, letter in enumerate(name))


def rounded_root(fraction):
    """The float nearest to a fraction's square root, by whole numbers."""
    scale = 10**60
    root = isqrt(fraction.numerator * scale**2 // fraction.denominator)
    return float(Fraction(root, scale))


def snr_of(noisy, clean):
    """SNR in dB of what was added, over the whole file."""
    clean = clean.astype(np.float64)
    return 10 * np.log10(np.sum(clean**2) / np.sum((noisy - clean) ** 2))
