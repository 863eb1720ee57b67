"""Makes the folder of a phone recogniser: trained, measured, saved."""

from cmkt_plugin import provenance
from cmkt_plugin.lm_folder import new_folder
from cmkt_plugin.phone_recognition.held_out import error_rate
from cmkt_plugin.phone_recognition.recognizer import save_network
from cmkt_plugin.phone_recognition.training import train_network


def make_recognizer(folder, sets, settings, network, **training):
    """Trains a recogniser and writes its folder.

    The folder holds ``model.safetensors`` and ``phones.json``: settings,
    what each epoch gave, error rates on held-out speech and provenance.

    Arguments
    ---------
    folder : str or pathlib.Path
        A new one.
    sets : dict
        ``train``, ``valid`` (chooses the epoch) and ``test`` to datasets of
        ``labelled_speech.read_labelled``.
    settings : dict
        ``files`` (set to the names of its annotations) and ``language``.
    network, **training : dict
        As for ``training.train_network``.

    Returns
    -------
    dict
        What ``phones.json`` holds.

    Raises
    ------
    FileExistsError
        If the folder exists.
    ValueError
        If a held-out utterance is in the training set.
    """
    _require_held_out(sets)
    with new_folder(folder) as unfinished:
        # First: the commit that is noted is the one that trained.
        made = provenance.record()
        found, epochs = train_network(
            sets["train"], sets["valid"], network=network, **training
        )
        record = {
            **settings,
            "training": {**training, "by_epoch": epochs},
            "sets": {name: _size(dataset) for name, dataset in sets.items()},
            "held_out": {
                name: {
                    "speech": settings["files"][name][0],
                    **error_rate(found.recognize, sets[name]),
                }
                for name in ("valid", "test")
            },
            "provenance": made,
        }
        network = {"phones": found.phones, **network}
        save_network(found, network, record, unfinished)
    return record


def _require_held_out(sets):
    train = sets["train"].data
    for name in ("valid", "test"):
        shared = sorted(train.keys() & sets[name].data.keys())
        if shared:
            raise ValueError(
                f"{len(shared)} utterances of --{name} are in the training "
                f"set, e.g. {shared[0]}: expected speech that is not trained "
                "on, or the error rate tells nothing"
            )


def _size(dataset):
    entries = dataset.data.values()
    return {
        "utterances": len(entries),
        "hours": round(sum(entry["length"] for entry in entries) / 3600, 3),
        "speakers": len({entry["speaker"] for entry in entries}),
        "phones": sum(len(entry["phones"]) for entry in entries),
    }
