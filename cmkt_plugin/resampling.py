"""Resamples recordings into a folder, each file whole or not at all."""

from speechbrain.dataio import audio_io
from torchaudio.functional import resample

from cmkt_plugin.leftovers import remove_leftovers
from cmkt_plugin.threads import map_in_threads
from cmkt_plugin.wav_file import write_wav


def resample_files(sources, target_folder, sample_rate, jobs=None):
    """Resamples recordings into a folder, as 16-bit wav files.

    The filter is the one SpeechBrain's VoiceBank recipe uses (torchaudio's
    default). Each file appears whole or not at all, so a run that is killed is
    completed by resampling what is missing.

    Arguments
    ---------
    sources : list of Path
        The recordings.
    target_folder : Path
        Where files of the same names go; made if missing.
    sample_rate : int
        The new rate (Hz).
    jobs : int or None
        Threads; None takes as many as there are cores.

    Example
    -------
    >>> import soundfile
    >>> folder = getfixture("tmp_path")
    >>> soundfile.write(folder / "p226_001.wav", [0.0] * 480, 48000)
    >>> resample_files([folder / "p226_001.wav"], folder / "16k", 16000)
    >>> soundfile.info(str(folder / "16k" / "p226_001.wav")).frames
    160
    """
    target_folder.mkdir(parents=True, exist_ok=True)
    remove_leftovers(target_folder)
    map_in_threads(
        lambda source: _resample_file(
            source, target_folder / source.name, sample_rate
        ),
        sources,
        f"Resampling into {target_folder.name}",
        jobs,
    )


def _resample_file(source, target, sample_rate):
    """Resamples one recording."""
    waveform, rate = audio_io.load(str(source))  # (1, time)
    waveform = resample(waveform, rate, sample_rate)[0]
    try:
        write_wav(target, waveform.numpy(), sample_rate)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(target)) from error
