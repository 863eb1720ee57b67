"""Wav files that are either whole or absent."""

import io

import soundfile

from cmkt_plugin.atomic import write_bytes


def write_wav(path, samples, sample_rate):
    """Writes 16-bit samples under a temporary name and renames the file.

    Arguments
    ---------
    path : str or pathlib.Path
        The file to write.
    samples : numpy.ndarray
        int16, or floats of which full scale is 1 (time,).
    sample_rate : int
        Their rate (Hz).

    Example
    -------
    >>> path = getfixture("tmp_path") / "a.wav"
    >>> write_wav(path, [0.0, 0.5], 16000)
    >>> soundfile.read(path)[0].tolist()
    [0.0, 0.5]
    """
    # Through memory: on a full disk Python raises and libsndfile does not.
    wav = io.BytesIO()
    soundfile.write(wav, samples, sample_rate, subtype="PCM_16", format="WAV")
    write_bytes(path, wav.getvalue())
