"""Uploads a folder to the Hugging Face hub as one commit."""

import re
from pathlib import Path

from cmkt_plugin.publish.upload_errors import LOGIN, explained

TAG = re.compile(r"[A-Za-z0-9][\w.+-]{0,99}", re.ASCII)
LARGEST = 50_000_000_000  # bytes of one file, the hub's own limit
# What an earlier version may have left that this one does not have.
OURS = re.compile(r"[^/]+\.ckpt|custom\.py|example[^/]*\.(wav|png)")


def check_names(repo, tag=None):
    """Refuses names that the hub does not have, before any work is done.

    Arguments
    ---------
    repo : str
        Expected as ``user/name``.
    tag : str, optional
        A version's name.

    Raises
    ------
    ValueError
        Naming what was expected and found.

    Example
    -------
    >>> check_names("me/enhancer", "v1.0")
    >>> check_names("enhancer")
    Traceback (most recent call last):
    ValueError: --repo is 'enhancer', expected user/name or organisation/name
    """
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    if repo.count("/") != 1:
        raise ValueError(
            f"--repo is {repo!r}, expected user/name or organisation/name"
        )
    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise ValueError(f"--repo is {repo!r}: {error}") from error
    if tag is None:
        return
    if not TAG.fullmatch(tag) or ".." in tag or tag.endswith((".", ".lock")):
        raise ValueError(
            f"--revision is {tag!r}, expected a tag of letters, digits and "
            "._+- such as v1.0"
        )
    if tag == "main":
        raise ValueError("--revision is the branch 'main', expected a new tag")


def upload(folder, repo, private=False, tag=None, message=None):
    """Creates or updates a repository with a folder, in one commit.

    Endpoint and token come from where the client has them: ``HF_ENDPOINT``,
    ``HF_TOKEN`` or ``hf auth login``.

    Arguments
    ---------
    folder : str or pathlib.Path
        What ``make_hub_folder`` made.
    repo : str
        ``user/name``.
    private : bool
        Whether only its owners may see it; False leaves a repository that
        exists as it is.
    tag : str, optional
        Name of this version; one that exists is refused.
    message : str, optional
        Of the commit.

    Returns
    -------
    str
        Address of the commit.

    Raises
    ------
    ValueError
        If something is in the way: what, what to do, and where the complete
        folder is.
    """
    from huggingface_hub import HfApi

    folder = Path(folder).absolute()
    check_names(repo, tag)
    with explained(folder, repo):
        _check_sizes(folder)
        _check_token()
        api = HfApi(library_name="cmkt_plugin")
        user = api.whoami()["name"]
    with explained(folder, repo, user):
        refs = _refs(api, repo)
        _check_tag(refs, repo, tag)
        api.create_repo(repo, private=private or None, exist_ok=True)
    done = "Nothing was published"
    if refs is None:
        done = f"The repository {repo} was created, it is empty"
    with explained(folder, repo, user, done):
        if private and not api.model_info(repo).private:
            api.update_repo_settings(repo, private=True)
        # Not upload_folder: that one splits a slow upload into commits.
        commit = api.create_commit(
            repo,
            _operations(api, folder, repo),
            commit_message=message or f"Publish {repo.partition('/')[2]}",
        )
    if tag:
        done = f"The files are published ({commit.commit_url}), the tag is not"
        with explained(folder, repo, user, done):
            api.create_tag(repo, tag=tag, revision=commit.oid)
    return str(commit.commit_url)


def _check_sizes(folder):
    for path in sorted(folder.iterdir()):
        size = path.stat().st_size
        if size > LARGEST:
            raise ValueError(
                f"{path.name} has {size:,} bytes, the hub takes files of "
                f"{LARGEST:,} at most: train a smaller model"
            )


def _check_token():
    """Refuses a token that no header can carry: the client would quote it."""
    from huggingface_hub import get_token

    if not re.fullmatch(r"[!-~]*", get_token() or ""):
        raise ValueError(
            "the token in HF_TOKEN, or of the login, has a character that no "
            f"token has: copy it again, or log in anew: {LOGIN}"
        )


def _refs(api, repo):
    """Branches and tags; None if there is no such repository."""
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        return api.list_repo_refs(repo)
    except RepositoryNotFoundError:
        return None


def _check_tag(refs, repo, tag):
    """Refuses a tag that exists before anything is made."""
    if refs and tag in [ref.name for ref in refs.tags]:
        raise ValueError(
            f"{repo} has the tag {tag} already: a version that others may use "
            "is not moved. Choose another --revision, or delete it first: hf "
            f"repos tag delete {repo} {tag}"
        )


def _operations(api, folder, repo):
    """All files of the folder; what is ours and is not in it any more goes."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    names = sorted(path.name for path in folder.iterdir())
    there = api.list_repo_files(repo)
    stale = [n for n in there if OURS.fullmatch(n) and n not in names]
    return [
        *(CommitOperationAdd(name, folder / name) for name in names),
        *(CommitOperationDelete(name) for name in stale),
    ]
