"""What went wrong with an upload, in one line that says what to do."""

import os
import re
from contextlib import contextmanager

TOKENS = "https://huggingface.co/settings/tokens"
LOGIN = (
    f"hf auth login, or set HF_TOKEN to a token with write access ({TOKENS})"
)
# What the client quotes of a header that it could not send.
SECRET = re.compile(r"Bearer \S+|hf_\w+")


@contextmanager
def explained(folder, repo, user=None, done="Nothing was published"):
    """Turns the client's errors into one line each.

    Arguments
    ---------
    folder : pathlib.Path
        The complete local folder, named in every error.
    repo : str
        ``user/name``.
    user : str, optional
        Who is logged in.
    done : str
        How far it came.

    Raises
    ------
    ValueError
        For every error of the client, of the network and of the folder.
    """
    try:
        yield
    except Exception as error:
        # Faults of the client have many classes; none may pass as a trace
        # that holds the token, and the cause stays in the chain.
        text = " ".join(_explanation(error, repo, user).split())
        raise ValueError(
            f"{_without_token(text)}. {done}; the folder is complete: {folder}"
        ) from _cause(error)


def _explanation(error, repo, user):
    from huggingface_hub.constants import ENDPOINT
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HTTPError,
        LocalTokenNotFoundError,
        OfflineModeIsEnabled,
    )

    # The client wraps what happens in its upload threads.
    while isinstance(error, RuntimeError) and error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, LocalTokenNotFoundError):
        return f"no token was found: {LOGIN}"
    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set: unset it to publish"
    if isinstance(error, HfHubHTTPError):
        return _refusal(error, repo, user)
    if isinstance(error, ValueError):
        return str(error)
    if isinstance(error, (HTTPError, OSError)):
        return (
            f"{ENDPOINT} cannot be reached ({type(error).__name__}: {error}): "
            "check the network, a proxy or HF_ENDPOINT, and run the same "
            "command again"
        )
    return (
        f"the upload to {ENDPOINT} failed ({type(error).__name__}: {error}): "
        "run the same command again; if it stays so, check HF_ENDPOINT and "
        "the version of huggingface_hub"
    )


def _refusal(error, repo, user):
    """What an answer of the server means."""
    status = error.response.status_code
    answer = error.server_message or str(error)
    name = repo.partition("/")[2]
    if status == 401 and user is None:
        return f"the token is not accepted: {LOGIN}"
    if status in (401, 403, 404):
        return (
            f"{user} may not write to {repo} ({status}: {answer}). It is "
            f"somebody else's, or the token may not write: choose --repo "
            f"{user}/{name}, or {LOGIN}"
        )
    if status == 409:
        return f"{repo} refuses ({answer}): choose another name and run again"
    if status == 413:
        return (
            f"the hub finds it too large ({answer}): cmkt publish --dry-run "
            "lists the sizes; train a smaller model"
        )
    if status == 429:
        return f"too many requests ({answer}): wait some minutes, run again"
    if status >= 500:
        return (
            f"the hub failed ({status}: {answer}): run the same command again "
            "later"
        )
    return f"the hub refuses ({status}: {answer})"


def _without_token(text):
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        secret = os.environ.get(name, "").strip()
        if secret:
            text = text.replace(secret, "(token)")
    return SECRET.sub("(token)", text)


def _cause(error):
    """The error itself, unless its text would show the token."""
    return error if _without_token(str(error)) == str(error) else None
