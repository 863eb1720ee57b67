"""Enhances audio files with an exported model."""

import os
from pathlib import Path

import soundfile
import torch
from torchaudio.functional import resample

from cmkt_plugin.export import load_exported

SUFFIXES = {f".{name.lower()}" for name in soundfile.available_formats()}
SUFFIXES |= {".aif", ".oga", ".opus"}


def enhance_files(model_folder, inputs, out_folder, report=print):
    """Enhances files; a bad one does not keep the others from it.

    Arguments
    ---------
    model_folder : str or pathlib.Path
        An exported folder.
    inputs : list of str or pathlib.Path
        Audio files, and folders that are searched for them.
    out_folder : str or pathlib.Path
        Gets a file per input, of the same name, format, rate and length; what
        is in a folder keeps its place below it.
    report : callable
        Takes one line of text per enhanced file.

    Returns
    -------
    dict
        Path of each file that failed to the reason.

    Raises
    ------
    ValueError
        If two inputs would become one file, or a file would replace itself.
    """
    targets = plan(inputs, Path(out_folder))
    model = load_exported(model_folder)
    failed = {}
    for source, target in targets.items():
        # RuntimeError: what soundfile and torch raise, out of memory included.
        try:
            enhance_file(model, source, target)
        except (RuntimeError, ValueError, OSError, MemoryError) as error:
            failed[source] = " ".join(str(error).split()) or repr(error)
        else:
            report(str(target))
    return failed


def plan(inputs, out_folder):
    """Says which file becomes which.

    Arguments
    ---------
    inputs : list of str or pathlib.Path
        Audio files and folders.
    out_folder : pathlib.Path
        Where the enhanced files go.

    Returns
    -------
    dict
        Source to target.

    Example
    -------
    >>> list(plan(["a/b.wav"], Path("out")).values())
    [PosixPath('out/b.wav')]
    """
    targets, sources = {}, {}
    for given in map(Path, inputs):
        files = _audio_below(given) if given.is_dir() else [given]
        if not files:
            raise ValueError(f"no audio file in the folder {given}")
        for source in files:
            inside = (
                source.relative_to(given) if given.is_dir() else source.name
            )
            target = out_folder / inside
            other = sources.setdefault(target, source)
            if other != source:
                raise ValueError(
                    f"{other} and {source} would both become {target}: "
                    "enhance them into different folders"
                )
            if target.exists() and target.samefile(source):
                raise ValueError(f"{source} would be replaced by its output")
            targets[source] = target
    return targets


def _audio_below(folder):
    files = sorted(folder.rglob("*"))
    return [file for file in files if file.suffix.lower() in SUFFIXES]


def enhance_file(model, source, target):
    """Enhances one file.

    Arguments
    ---------
    model : object
        With ``enhance_batch``, noisy (1, time) in, enhanced (1, time) out, and
        the ``sample_rate`` that it works at.
    source : pathlib.Path
        Audio with any rate and number of channels, each enhanced by itself.
    target : pathlib.Path
        Gets the same format, rate, channels and length.
    """
    noisy, rate = soundfile.read(source, dtype="float32", always_2d=True)
    if not len(noisy):
        raise ValueError("it holds no samples")
    if not torch.from_numpy(noisy).isfinite().all():
        raise ValueError("it holds samples that are no finite numbers")
    channels = [
        enhance_channel(model, channel, rate)
        for channel in torch.from_numpy(noisy.T).contiguous()
    ]
    form = soundfile.info(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        soundfile.write(
            temporary,
            torch.stack(channels, dim=1).numpy(),
            rate,
            subtype=form.subtype,
            format=form.format,
        )
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


@torch.no_grad()
def enhance_channel(model, channel, rate):
    """Enhances one channel at the model's sample rate.

    Arguments
    ---------
    model : object
        As for ``enhance_file``.
    channel : torch.Tensor
        Noisy samples (time,).
    rate : int
        Their rate in Hz.

    Returns
    -------
    torch.Tensor
        Enhanced samples (time,), as many as came in.
    """
    noisy = resample(channel, rate, model.sample_rate)
    enhanced = model.enhance_batch(noisy.unsqueeze(0))[0].cpu()
    enhanced = resample(enhanced, model.sample_rate, rate)
    # Resampling there and back may add or lose a sample at the end.
    missing = len(channel) - len(enhanced)
    return torch.nn.functional.pad(enhanced, (0, missing))
