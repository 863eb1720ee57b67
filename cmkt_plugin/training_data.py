"""What a resumed run must find as it was: annotation, noise, transcripts.

The experiment's identity is what its YAML says; files may change behind it,
and one more noise in the folder would change every mixture.
"""

import hashlib
import json
from pathlib import Path

from cmkt_plugin.atomic import write_text

RECORD = "training_data.json"


def check_training_data(hparams):
    """Note the files of a training, or refuse others when it is resumed.

    Arguments
    ---------
    hparams : dict
        The loaded YAML; its annotations exist.

    Raises
    ------
    ValueError
        If there is a checkpoint and something has changed since the first.
    """
    save_folder = Path(hparams["save_folder"])
    record, found = save_folder / RECORD, fingerprints(hparams)
    if record.is_file() and any(save_folder.glob("CKPT*")):
        known = json.loads(record.read_text(encoding="utf-8"))
        changed = [name for name in found if known.get(name) != found[name]]
        if changed:
            raise ValueError(
                f"{save_folder} holds a training whose {', '.join(changed)} "
                "were others than those found now: resuming would mix the "
                "two. Bring the files back, or choose another --output_folder."
            )
    else:
        write_text(record, json.dumps(found, indent=2) + "\n")


def fingerprints(hparams):
    """Hashes of all that decides what the training hears and reads.

    Arguments
    ---------
    hparams : dict
        The loaded YAML.

    Returns
    -------
    dict
        What it is to its hash.
    """
    parts = {"annotation": Path(hparams["train_annotation"]).read_bytes()}
    if hparams["mixing"] is not None:
        sampler = hparams["mixing"]["train"]
        needed = (
            ("noises", sampler.noise, sampler.babble_probability < 1),
            ("rooms", sampler.rirs, sampler.rir_probability > 0),
        )
        for name, folder, used in needed:
            if used:
                files = [tuple(file) for file in folder.list_files()]
                parts[name] = repr(files).encode()
    for path in transcript_files(hparams):
        parts[path.name] = path.read_bytes()
    return {
        name: hashlib.sha256(content).hexdigest()[:16]
        for name, content in parts.items()
    }


def transcript_files(hparams):
    """Files that the transcripts of the training come from."""
    if hparams["transfer"] is None:
        return []
    members = hparams["transfer"].members.values()
    paths = [m.transcripts.path("train") for m in members]
    return sorted({path for path in paths if path is not None})
