"""Models by name: fetches their files from the Hugging Face hub."""

from pathlib import Path

SAFE_FILES = ("config.json", "model.safetensors")


def model_folder(source, savedir=None, revision=None, files=SAFE_FILES):
    """The folder of a model, fetched if it is not on this machine.

    Arguments
    ---------
    source : str or pathlib.Path
        A folder, or the name of a repository of the hub, ``user/name``.
    savedir : str or pathlib.Path or None
        Where to put what is fetched; None: into the hub's cache.
    revision : str or None
        Branch, tag or commit; None: the newest.
    files : list of str or None
        Patterns of the files to fetch; None: all of them.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    FileNotFoundError
        If there is no such repository, it cannot be reached, or it is not
        for everyone.
    """
    if Path(source).is_dir():
        return Path(source)
    # Also without a network does a folder open: the client is for names.
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(
            str(source),
            revision=revision,
            local_dir=savedir,
            allow_patterns=None if files is None else list(files),
        )
    # Of the client, of its transport and of the network below: any of them
    # means that the model is not here.
    except Exception as error:
        raise FileNotFoundError(_reason(source, revision, error)) from error
    return Path(folder)


def _reason(source, revision, error):
    from huggingface_hub import errors

    there = f"'{source}' is no folder here, and as a model of the hub it "
    if isinstance(error, errors.GatedRepoError):
        return there + "is gated: ask for access on its page, 'hf auth login'"
    if isinstance(error, errors.RepositoryNotFoundError):
        return there + (
            "does not exist or is private: check the name (user/name), or "
            "log in with 'hf auth login'"
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return there + f"has no revision '{revision}'"
    if isinstance(error, errors.HFValidationError):
        return there + f"has no valid name, expected user/name: {error}"
    if isinstance(error, errors.LocalEntryNotFoundError):
        return there + (
            "cannot be reached and is not in the cache: check the network, "
            "and that HF_HUB_OFFLINE is not set"
        )
    first = (str(error).strip() or repr(error)).splitlines()[0]
    return there + f"cannot be fetched: {first}"
