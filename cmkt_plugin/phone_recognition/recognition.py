"""What a recogniser hears in the same recordings of several systems."""

from itertools import islice

import soundfile
import torch
from torchaudio.functional import resample
from tqdm import tqdm

from cmkt_plugin.annotated_speech import require_speech
from cmkt_plugin.batch_recognition import recognize
from cmkt_plugin.evaluation.pairs import find_pairs
from cmkt_plugin.phone_recognition.network import SAMPLE_RATE
from cmkt_plugin.shown import first_few

BATCH = 8  # recordings

CLEAN = "clean"


def find_recordings(clean, systems):
    """Recordings that all folders have.

    Arguments
    ---------
    clean : str or pathlib.Path
        Folder of the clean ones.
    systems : dict
        Name of a system to its folder.

    Returns
    -------
    recordings : dict
        ``clean`` and the systems' names to (utterance to path), the same
        utterances in each.
    faults : list of str
        One line for each recording without a partner, or that does not fit.

    Raises
    ------
    ValueError
        If the folders have no recording in common.
    """
    found, faults = {}, []
    for name, folder in systems.items():
        found[name], wrong = find_pairs(folder, clean, SAMPLE_RATE)
        faults += [fault for fault in wrong if fault not in faults]
    common = set.intersection(*map(set, found.values()))
    if not common:
        raise ValueError(
            f"{first_few(list(map(str, systems.values())))}: no recording is "
            "in all of them, expected the same names"
        )
    shared = sorted(common)
    recordings = {n: {u: p[u][0] for u in shared} for n, p in found.items()}
    pairs = next(iter(found.values()))
    return {CLEAN: {u: pairs[u][1] for u in shared}, **recordings}, faults


def recognize_all(judge, recordings):
    """What a judge hears in every recording.

    Arguments
    ---------
    judge : cmkt_plugin.phone_recognition.judge.Judge
        Who listens.
    recordings : dict
        As ``find_recordings`` returns it.

    Returns
    -------
    heard : dict
        Name to (utterance to list of phones); utterances of which all could
        be recognised.
    faults : list of str
        One line for each of the others.
    """
    heard, faults = {}, []
    for name, paths in recordings.items():
        texts, failed = {}, {}
        with tqdm(desc=name, total=len(paths), delay=2) as bar:
            for batch in _batches(paths.items()):
                waves = _read(batch, failed)
                texts |= recognize(judge.recognizer, waves, failed)
                bar.update(len(batch))
        heard[name] = {u: judge.phones(text) for u, text in texts.items()}
        faults += [f"{name}: {u}: {why}" for u, why in failed.items()]
    common = set.intersection(*map(set, heard.values()))
    return {
        name: {u: phones for u, phones in texts.items() if u in common}
        for name, texts in heard.items()
    }, faults


def _batches(items):
    items = iter(items)
    while batch := dict(islice(items, BATCH)):
        yield batch


def _read(paths, failed):
    """Waveforms (time,) at 16 kHz; what cannot be read is left out."""
    waves = {}
    for name, path in paths.items():
        try:
            samples, rate = soundfile.read(path, dtype="float32")
            wave = torch.from_numpy(samples)
            require_speech(wave)
            waves[name] = resample(wave, rate, SAMPLE_RATE)
        except (ValueError, OSError, RuntimeError) as error:
            failed[name] = " ".join(str(error).split())
    return waves
