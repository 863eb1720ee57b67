"""One item of the demo corpus and the noise it is mixed with."""

import zlib
from pathlib import Path

import numpy as np
import soundfile as sf

from cmkt_plugin.generated_noise import TEST, TRAIN, clatter, coloured, hum

CORPUS = Path(__file__).resolve().parent / "corpus"
RATE = 16000
SNR_DB = (-5, 0, 5, 10)
# Item n takes SNR n mod 4 and noise n div 4: each SNR meets each noise equally
# often in every split. None is babble, a third of all.
NOISES = (coloured, None, hum, coloured, None, clatter)
TALKERS = 4  # voices in a babble


def read(item):
    """The samples of one item, float64."""
    samples, rate = sf.read(CORPUS / item["file"])
    if rate != RATE or samples.ndim != 1:
        raise ValueError(
            f"{item['file']}: expected one channel at {RATE} Hz, found shape "
            f"{samples.shape} at {rate} Hz; run synthesise.py again"
        )
    return samples


def babble(rng, length, item, corpus):
    """Other speakers of the same set talking at once, equally loud.

    Validation is mixed with training voices, so that neither it nor the test
    voices are heard in training, not even as noise.
    """
    split = "test" if item["split"] == "test" else "train"
    others = [
        other
        for other in corpus
        if other["split"] == split and other["speaker"] != item["speaker"]
    ]
    noise = np.zeros(length)
    for pick in rng.choice(len(others), TALKERS, replace=False):
        voice = read(others[pick])
        voice = np.roll(voice, rng.integers(len(voice)))
        noise += np.resize(voice, length)
    return noise


def mixture(item, corpus):
    """Mix one item.

    Arguments
    ---------
    item : dict
        A row of corpus.csv, with its number within its split.
    corpus : list
        All rows, to take a babble's talkers from.

    Returns
    -------
    tuple
        Clean and noisy samples (time,), the SNR in dB (ratio of mean powers
        over the item), and the kind of noise, babble or generated.
    """
    rng = np.random.default_rng(zlib.crc32(item["id"].encode()))
    clean = read(item)
    snr_db = SNR_DB[item["number"] % len(SNR_DB)]
    generate = NOISES[item["number"] // len(SNR_DB) % len(NOISES)]
    if generate is None:
        noise, kind = babble(rng, len(clean), item, corpus), "babble"
    else:
        ranges = TEST if item["split"] == "test" else TRAIN
        noise, kind = generate(rng, len(clean), ranges), "generated"
    power = np.mean(clean**2) / np.mean(noise**2)
    noisy = clean + noise * np.sqrt(power / 10 ** (snr_db / 10))
    scale = min(1.0, 0.99 / np.abs(noisy).max())
    return clean * scale, noisy * scale, snr_db, kind
