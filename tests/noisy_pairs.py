"""Harmonics with syllables, and the same in noise."""

import numpy as np

RATE = 16000


def make_pair(seed=0, seconds=1.0, noise=0.03):
    """(enhanced, clean): harmonics with syllables, and noise upon them."""
    random = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE)) / RATE
    pitch = random.uniform(90, 220)
    voice = sum(np.sin(2 * np.pi * pitch * k * t) / k for k in range(1, 30))
    clean = 0.1 * voice * (1.02 + np.sin(2 * np.pi * 3 * t))
    clean = clean + 0.002 * random.standard_normal(len(t))
    return clean + noise * random.standard_normal(len(t)), clean


def fill(pool):
    """Items of falling duration: the first one is ready last."""
    for i, seconds in enumerate((3.0, 1.0, 0.5, 0.2)):
        pair = make_pair(i, seconds)
        pool.submit(f"p{i}_001", *pair, speaker=f"p{i}", snr_db=5)
    pool.submit("p9_001", np.zeros(RATE), make_pair()[1], speaker="p9")
    return pool
