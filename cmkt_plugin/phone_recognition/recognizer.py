"""A phone recogniser of ours: the folder that ``cmkt train-phones`` makes."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from speechbrain.utils.distributed import infer_device

from cmkt_plugin.phone_recognition.network import PhoneNet
from cmkt_plugin.recognizers import identify

RECORD = "phones.json"
WEIGHTS = "model.safetensors"


class PhoneRecognizer:
    """Speech to phones, with the call of `cmkt_plugin.recognizers`.

    Nothing is unpickled and no name is looked up: the folder may come from a
    stranger.

    Arguments
    ---------
    source : str or pathlib.Path
        Folder that ``cmkt train-phones`` made.
    device : str or None
        None takes an accelerator where there is one.

    Raises
    ------
    FileNotFoundError, ValueError
        If it is no such folder.
    """

    interface = "PhoneRecognizer"

    def __init__(self, source, device=None):
        self.name, self.revision = identify_folder(source)
        self.network, self.record = load_network(source)
        self.network.to(device or infer_device())

    def transcribe(self, waveforms):
        """Transcribe recordings, each by itself.

        Arguments
        ---------
        waveforms : list of torch.Tensor
            Each (time,), at 16 kHz.

        Returns
        -------
        list of str
            Phones, separated by blanks; "" where none was recognised.
        """
        return [
            " ".join(map(str, self.network.recognize(w))) for w in waveforms
        ]


def identify_folder(source):
    """Name of a recogniser's folder, and a hash of what is in it.

    Arguments
    ---------
    source : str or pathlib.Path
        Its folder.

    Returns
    -------
    name, revision : str

    Raises
    ------
    FileNotFoundError
        If it is no recogniser's.
    """
    folder = Path(source)
    if not (folder / RECORD).is_file() or not (folder / WEIGHTS).is_file():
        raise FileNotFoundError(
            f"{source}: expected a folder with {RECORD} and {WEIGHTS}, as "
            "`cmkt train-phones` makes it"
        )
    return identify(folder, None, RECORD)


def save_network(network, settings, record, folder):
    """Writes a recogniser's files into a folder that is there.

    Arguments
    ---------
    network : PhoneNet
        Trained.
    settings : dict
        Its arguments.
    record : dict
        How it was made and how often it errs.
    folder : pathlib.Path
        Where they go.
    """
    weights = {n: t.contiguous() for n, t in network.state_dict().items()}
    save_file(weights, folder / WEIGHTS)
    text = json.dumps(
        {"network": settings, **record}, indent=1, ensure_ascii=False
    )
    (folder / RECORD).write_text(text + "\n", encoding="utf-8")


def load_network(folder):
    """Reads what ``save_network`` wrote.

    Arguments
    ---------
    folder : str or pathlib.Path
        The recogniser's.

    Returns
    -------
    network : PhoneNet
        On the CPU, in evaluation mode.
    record : dict
        How it was made and how often it errs.

    Raises
    ------
    ValueError
        If a file is damaged, or the weights are of another network.
    """
    folder = Path(folder)
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        # What the weights are drawn from is not to move.
        with torch.random.fork_rng(devices=[]):
            network = PhoneNet(**record.pop("network"))
        network.load_state_dict(load_file(folder / WEIGHTS))
        record["language"], record["held_out"]["test"]["phone_error_rate"]
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RuntimeError,
        SafetensorError,
    ) as error:
        raise ValueError(
            f"{folder}: {RECORD} and {WEIGHTS} are not what `cmkt "
            f"train-phones` writes ({type(error).__name__}: {error}); copy the "
            "folder again, or train it again"
        ) from error
    return network.eval(), record
